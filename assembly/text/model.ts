import * as L from "../layout";
import { checkLinear, checkScale, inTensors, linearAt } from "../check";
import { crc32 } from "../crc32";
import { Model, sectionEntry } from "../image";
import { checkFile } from "../validate";
import { align16, between, word } from "../words";
import * as T from "./layout";

/** A text model: what `prepare` finds out once, the first bytes of the arena. No state persists from text to text. */
@unmanaged
export class TextModel extends Model {
  record: usize; // TEXT
  text: usize; // u8 (TEXT_LIMIT_BYTES): the host writes UTF-8 here
  words: usize; // u8 (TEXT_LIMIT_BYTES + 2): its words, between spaces
  rows: usize; // u32 (TEXT_LIMIT_FEATURES)
  hidden: usize; // s8 (dModel)
  acc: usize; // s32 (the larger of dModel and nClasses)
  logits: usize; // s16 (nClasses), Q10
  result: usize; // RESULT_WORDS
  rowCount: i32; // rows of the table
}

/** Sections that a text image has, each of them. */
const SECTIONS: u32 = (1 << L.SECTION_TABLES) | (1 << L.SECTION_TENSORS) | (1 << L.SECTION_MANIFEST) | (1 << L.SECTION_TEXT);

const STAGING = memory.data(<i32>offsetof<TextModel>(), 16);

/** Bytes that the last prepare needed, whether it was given them or not. */
let needed: u32 = 0;
let cursor: u32 = 0;

export function neededBytes(): u32 {
  return needed;
}

function take(bytes: u32): u32 {
  const at = cursor;
  cursor += align16(bytes);
  return at;
}

function layOut(model: TextModel, base: usize): void {
  cursor = align16(<u32>offsetof<TextModel>());
  model.text = base + take(T.TEXT_LIMIT_BYTES);
  model.words = base + take(T.TEXT_LIMIT_BYTES + 2);
  model.rows = base + take(T.TEXT_LIMIT_FEATURES << 2);
  model.hidden = base + take(model.dModel);
  model.acc = base + take(max<i32>(model.dModel, model.nClasses) << 2);
  model.logits = base + take(model.nClasses << 1);
  model.result = base + take(T.RESULT_WORDS << 2);
}

/** Every check of a text image; `model` filled. A status, never a trap, for any `bytes` readable bytes at `image`. */
function checkText(model: TextModel, image: usize, bytes: u32): i32 {
  let status = checkFile(image, bytes, 0, SECTIONS, SECTIONS);
  if (status != L.STATUS_OK) return status;
  const tables = sectionEntry(image, L.SECTION_TABLES);
  const tensors = sectionEntry(image, L.SECTION_TENSORS);
  const text = sectionEntry(image, L.SECTION_TEXT);
  if (load<u32>(tables, 8) != <u32>L.TABLE_BYTES || load<u32>(tables, 12) != 1) return L.STATUS_BAD_SECTIONS;
  if (load<u32>(text, 8) != T.TEXT_WORDS << 2 || load<u32>(text, 12) != 1) return L.STATUS_BAD_SECTIONS;
  model.image = image;
  model.tables = image + load<u32>(tables, 4);
  model.tensors = load<u32>(tensors, 4);
  model.tensorsEnd = model.tensors + load<u32>(tensors, 8);
  model.record = image + load<u32>(text, 4);
  if (crc32(0, model.tables, L.TABLE_BYTES) != <u32>L.TABLES_CRC32) return L.STATUS_BAD_TABLES;

  const record = model.record;
  model.rowCount = word(record, T.TEXT_ROWS);
  model.dModel = word(record, T.TEXT_D_MODEL);
  model.nClasses = word(record, T.TEXT_CLASSES);
  if (!between(model.rowCount, 1, T.TEXT_LIMIT_ROWS)) return L.STATUS_BAD_CONFIG;
  if (!between(model.dModel, 16, L.LIMIT_DIM) || (model.dModel & 15) != 0) return L.STATUS_BAD_CONFIG;
  if (!between(model.nClasses, 2, L.LIMIT_CLASSES)) return L.STATUS_BAD_CONFIG;
  if (word(record, T.TEXT_HASHING) != T.TEXT_HASHING_1) return L.STATUS_BAD_CONFIG;
  if (!between(word(record, T.TEXT_THRESHOLD), 0, L.EXIT_NEVER)) return L.STATUS_BAD_EXIT;
  if (!inTensors(model, word(record, T.TEXT_TABLE), model.rowCount * model.dModel)) return L.STATUS_BAD_TENSOR;
  status = checkHidden(model);
  if (status != L.STATUS_OK) return status;
  status = checkScale(word(record, T.TEXT_TEMPERATURE_MULTIPLIER), word(record, T.TEXT_TEMPERATURE_SHIFT), 65535);
  if (status != L.STATUS_OK) return status;
  return checkLinear(model, linearAt(record, T.TEXT_HEAD), model.dModel, model.nClasses);
}

/** The scales of the sums of rows. */
function checkHidden(model: TextModel): i32 {
  const multipliers = <u32>word(model.record, T.TEXT_HIDDEN_MULTIPLIER);
  const shifts = <u32>word(model.record, T.TEXT_HIDDEN_SHIFT);
  const n = model.dModel;
  if (!inTensors(model, multipliers, n << 2) || !inTensors(model, shifts, n)) return L.STATUS_BAD_TENSOR;
  for (let i: usize = 0; i < <usize>n; i++) {
    const multiplier = load<i32>(model.image + multipliers + (i << 2));
    const status = checkScale(multiplier, <i32>load<i8>(model.image + shifts + i), T.TEXT_HIDDEN_BOUND);
    if (status != L.STATUS_OK) return status;
  }
  return L.STATUS_OK;
}

/** Validates the image and lays out the arena; nothing is allocated, nothing fails after it. Returns a STATUS_ code. */
export function prepareText(image: usize, imageBytes: u32, arena: usize, arenaBytes: u32): i32 {
  needed = 0;
  const staging = changetype<TextModel>(STAGING);
  const status = checkText(staging, image, imageBytes);
  if (status != L.STATUS_OK) return status;
  if (arena & 15) return L.STATUS_ARENA_MISALIGNED;
  layOut(staging, arena);
  needed = cursor;
  if (needed > arenaBytes) return L.STATUS_ARENA_TOO_SMALL;
  if (<u32>(arena - image) < imageBytes || <u32>(image - arena) < needed) return L.STATUS_ARENA_OVERLAPS_IMAGE;
  memory.fill(arena, 0, needed);
  memory.copy(arena, STAGING, offsetof<TextModel>());
  return L.STATUS_OK;
}
