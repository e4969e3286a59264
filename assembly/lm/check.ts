// Every check of a language image. After these a step cannot index outside the image or the arena, divide by zero or overflow.
import { crc32 } from "../crc32";
import * as L from "../layout";
import { between, word } from "../words";
import { Lm, blockAt } from "./context";
import * as M from "./layout";

const ENTRIES_BYTES = 4 * (M.SECTION_TOKENIZER + 1);
/** The section table's entry of each kind, of the image that was read last. */
const ENTRIES = memory.data(ENTRIES_BYTES, 4);
const SECTIONS: u32 = (1 << L.SECTION_BLOCKS) | (1 << L.SECTION_TENSORS) | (1 << L.SECTION_MANIFEST) | (1 << L.SECTION_MODEL) |
  (1 << L.SECTION_INPUT) | (1 << L.SECTION_HEAD) | (1 << M.SECTION_TOKENIZER);

function checkFile(image: usize, bytes: u32): i32 {
  if (bytes < <u32>L.IMAGE_MIN_BYTES) return L.STATUS_IMAGE_TOO_SHORT;
  if (image & 15) return L.STATUS_IMAGE_MISALIGNED;
  if (load<u32>(image, L.HEADER_MAGIC) != L.IMAGE_MAGIC) return L.STATUS_BAD_MAGIC;
  if (load<u32>(image, L.HEADER_FORMAT) != L.IMAGE_FORMAT_2) return L.STATUS_BAD_VERSION;
  if (bytes > <u32>M.LM_IMAGE_MAX_BYTES || (bytes & 15) != 0 || load<u32>(image, L.HEADER_IMAGE_BYTES) != bytes) return L.STATUS_BAD_SIZE;
  if (load<u32>(image, L.HEADER_FLAGS) != 0 || load<u32>(image, L.HEADER_RESERVED) != 0) return L.STATUS_BAD_FLAGS;
  const zero = memory.data(<i32>sizeof<u32>(), 4);
  let crc = crc32(0, image, L.HEADER_CRC32);
  crc = crc32(crc, zero, 4);
  crc = crc32(crc, image + L.HEADER_CRC32 + 4, bytes - L.HEADER_CRC32 - 4);
  if (crc != load<u32>(image, L.HEADER_CRC32)) return L.STATUS_BAD_CRC;
  if (load<u32>(image, L.HEADER_KINDS) != M.LM_KINDS) return L.STATUS_UNKNOWN_BLOCK_KIND;
  return checkSections(image, bytes);
}

/** Ascending kinds at ascending offsets, each of SECTIONS once, all of version 0. */
function checkSections(image: usize, bytes: u32): i32 {
  if (load<u32>(image, L.HEADER_SECTION_COUNT) != M.LM_SECTIONS) return L.STATUS_BAD_SECTIONS;
  memory.fill(ENTRIES, 0, ENTRIES_BYTES);
  let found: u32 = 0;
  let before = 0;
  let end = <u64>(L.IMAGE_HEADER_BYTES + M.LM_SECTIONS * L.SECTION_ENTRY_BYTES);
  for (let i = 0; i < M.LM_SECTIONS; i++) {
    const entry = image + <usize>(L.IMAGE_HEADER_BYTES + i * L.SECTION_ENTRY_BYTES);
    const kind = <i32>load<u16>(entry);
    const offset = <u64>load<u32>(entry, 4);
    if (kind <= before) return L.STATUS_BAD_SECTIONS;
    if (kind > M.SECTION_TOKENIZER) return L.STATUS_UNKNOWN_SECTION;
    if (load<u16>(entry, 2) != 0) return L.STATUS_UNKNOWN_SECTION_VERSION;
    if ((offset & 15) != 0 || offset < end) return L.STATUS_BAD_SECTIONS;
    end = offset + <u64>load<u32>(entry, 8);
    if (end > <u64>bytes) return L.STATUS_BAD_SECTIONS;
    store<usize>(ENTRIES + <usize>(kind << 2), entry);
    found |= 1 << kind;
    before = kind;
  }
  return found == SECTIONS ? L.STATUS_OK : L.STATUS_BAD_SECTIONS;
}

/** Address of a section of `count` records in `bytes` bytes; 0 if it is another size. */
function sectionOf(image: usize, kind: i32, bytes: u32, count: u32): usize {
  const entry = load<usize>(ENTRIES + <usize>(kind << 2));
  return load<u32>(entry, 8) == bytes && load<u32>(entry, 12) == count ? image + load<u32>(entry, 4) : 0;
}

function inTensors(lm: Lm, offset: u32, bytes: u64): bool {
  return (offset & 15) == 0 && offset >= lm.tensors && <u64>offset + bytes <= <u64>lm.tensorsEnd;
}

function isScale(record: usize, index: i32): bool {
  return between(word(record, index), 1 << 14, 32767) && between(word(record, index + 1), -M.LM_LIMIT_EXPONENT, M.LM_LIMIT_EXPONENT);
}

/**
 * Weights (nOut, nIn) s8 at a stride of 16, or by groups of columns (groups, nOut, columns) with the offset of their factors at word
 * `groups`; their padding zero, and row mantissas that are not negative.
 */
function checkMatrix(lm: Lm, record: usize, index: i32, nIn: i32, nOut: i32, groupSize: i32, groups: i32): i32 {
  const weights = <u32>word(record, index + M.MATRIX_WEIGHTS);
  const rows = <u32>word(record, index + M.MATRIX_ROWS);
  const stride = (nIn + 15) & ~15; // of all groups together as well: a group is a multiple of 16
  if (!inTensors(lm, weights, <u64>stride * <u64>nOut) || !inTensors(lm, rows, <u64>nOut << 1)) return L.STATUS_BAD_TENSOR;
  if (!isScale(record, index + M.MATRIX_SCALE)) return L.STATUS_BAD_MULTIPLIER;
  if (groupSize > 0) {
    const count = (nIn + groupSize - 1) / groupSize;
    if (!inTensors(lm, word(record, groups), <u64>count * <u64>nOut)) return L.STATUS_BAD_TENSOR;
  }
  // Padding is in the last group alone.
  const first = groupSize > 0 ? ((nIn - 1) / groupSize) * groupSize : 0;
  const width = nIn - first;
  const last = (width + 15) & ~15;
  const base = lm.image + weights + <usize>(first * nOut);
  for (let r: usize = 0; r < <usize>nOut; r++) {
    if (load<i16>(lm.image + rows + (r << 1)) < 0) return L.STATUS_BAD_MULTIPLIER;
    const row = base + r * <usize>last;
    for (let i = width; i < last; i++) if (load<i8>(row + <usize>i) != 0) return L.STATUS_BAD_PADDING;
  }
  return L.STATUS_OK;
}

function checkGain(lm: Lm, record: usize, index: i32): i32 {
  if (!inTensors(lm, word(record, index + M.GAIN_VALUES), <u64>(lm.dModel << 1))) return L.STATUS_BAD_TENSOR;
  return isScale(record, index + M.GAIN_SCALE) ? L.STATUS_OK : L.STATUS_BAD_MULTIPLIER;
}

function checkBlock(lm: Lm, record: usize): i32 {
  const heads = word(record, M.DECODER_HEADS);
  const kvHeads = word(record, M.DECODER_KV_HEADS);
  const hidden = word(record, M.DECODER_HIDDEN);
  if (word(record, L.BLOCK_KIND) != M.BLOCK_KIND_DECODER || word(record, M.DECODER_HEAD_SIZE) != lm.headSize) return L.STATUS_BAD_BLOCK;
  if (!between(heads, 1, M.LM_LIMIT_HEADS) || !between(kvHeads, 1, heads) || heads % kvHeads != 0) return L.STATUS_BAD_BLOCK;
  if (!between(hidden, 4, M.LM_LIMIT_IN) || (hidden & 3) != 0) return L.STATUS_BAD_BLOCK;
  if (!between(word(record, M.DECODER_KEY_UNIT), -M.LM_LIMIT_EXPONENT, M.LM_LIMIT_EXPONENT)) return L.STATUS_BAD_BLOCK;
  if (!between(word(record, M.DECODER_VALUE_UNIT), -M.LM_LIMIT_EXPONENT, M.LM_LIMIT_EXPONENT)) return L.STATUS_BAD_BLOCK;
  const size = word(record, M.DECODER_GROUP_SIZE);
  if (size != 0 && size != 32 && size != 64) return L.STATUS_BAD_BLOCK;
  const queries = heads * lm.headSize;
  const projections = queries + 2 * kvHeads * lm.headSize;
  if (queries > M.LM_LIMIT_IN || projections > M.LM_LIMIT_ROWS) return L.STATUS_BAD_BLOCK;
  lm.queries = max<i32>(lm.queries, queries);
  lm.projections = max<i32>(lm.projections, projections);
  lm.hidden = max<i32>(lm.hidden, hidden);
  let status = checkGain(lm, record, M.DECODER_ATTENTION_GAIN);
  if (status == L.STATUS_OK) status = checkGain(lm, record, M.DECODER_MLP_GAIN);
  if (status == L.STATUS_OK) status = checkMatrix(lm, record, M.DECODER_QKV, lm.dModel, projections, size, M.DECODER_QKV_GROUPS);
  if (status == L.STATUS_OK) status = checkMatrix(lm, record, M.DECODER_OUT, queries, lm.dModel, size, M.DECODER_OUT_GROUPS);
  if (status == L.STATUS_OK) status = checkMatrix(lm, record, M.DECODER_GATE_UP, lm.dModel, hidden << 1, size, M.DECODER_GATE_UP_GROUPS);
  if (status == L.STATUS_OK) status = checkMatrix(lm, record, M.DECODER_DOWN, hidden, lm.dModel, size, M.DECODER_DOWN_GROUPS);
  if (status != L.STATUS_OK) return status;
  const isScaled = isScale(record, M.DECODER_K_SCALE) && isScale(record, M.DECODER_V_SCALE) && isScale(record, M.DECODER_UP_SCALE);
  return isScaled ? L.STATUS_OK : L.STATUS_BAD_MULTIPLIER;
}

/** All of an image, and `lm` filled but for the arena: a status, never a trap, for any `bytes` readable bytes at `image`. */
export function checkLmImage(lm: Lm, image: usize, bytes: u32): i32 {
  let status = checkFile(image, bytes);
  if (status != L.STATUS_OK) return status;
  const model = sectionOf(image, L.SECTION_MODEL, L.MODEL_WORDS << 2, 1);
  const input = sectionOf(image, L.SECTION_INPUT, M.TOKENS_WORDS << 2, 1);
  const head = sectionOf(image, L.SECTION_HEAD, M.LANGUAGE_WORDS << 2, 1);
  if (model == 0 || input == 0 || head == 0) return L.STATUS_BAD_SECTIONS;
  lm.image = image;
  lm.input = input;
  lm.head = head;
  lm.dModel = word(model, L.MODEL_D_MODEL);
  lm.nBlocks = word(model, L.MODEL_BLOCKS);
  lm.vocabulary = word(input, M.TOKENS_VOCABULARY);
  lm.headSize = word(input, M.TOKENS_HEAD_SIZE);
  lm.residualBits = word(input, M.TOKENS_RESIDUAL_BITS);
  lm.projections = 0;
  lm.queries = 0;
  lm.hidden = 0;
  const tensors = load<usize>(ENTRIES + <usize>(L.SECTION_TENSORS << 2));
  lm.tensors = load<u32>(tensors, 4);
  lm.tensorsEnd = lm.tensors + load<u32>(tensors, 8);
  if (word(input, M.TOKENS_KIND) != L.INPUT_KIND_TOKENS || word(head, M.LANGUAGE_KIND) != L.HEAD_KIND_LANGUAGE) return L.STATUS_BAD_CONFIG;
  if (!between(lm.dModel, 8, M.LM_LIMIT_IN) || (lm.dModel & 7) != 0) return L.STATUS_BAD_CONFIG;
  if (!between(lm.nBlocks, 1, M.LM_LIMIT_BLOCKS) || !between(lm.vocabulary, 2, M.LM_LIMIT_VOCABULARY)) return L.STATUS_BAD_CONFIG;
  if (!between(lm.headSize, 8, M.LM_LIMIT_HEAD_SIZE) || (lm.headSize & 7) != 0) return L.STATUS_BAD_CONFIG;
  if (!between(lm.residualBits, M.LM_RESIDUAL_BITS_MIN, M.LM_RESIDUAL_BITS_MAX)) return L.STATUS_BAD_CONFIG;
  if (word(input, M.TOKENS_EPSILON) < 1 || !between(word(input, M.TOKENS_CONTEXT), 1, M.LM_LIMIT_CONTEXT)) return L.STATUS_BAD_CONFIG;
  if (!inTensors(lm, word(input, M.TOKENS_ROPE_STEPS), <u64>(lm.headSize << 1))) return L.STATUS_BAD_TENSOR;
  lm.blocks = sectionOf(image, L.SECTION_BLOCKS, lm.nBlocks * (L.BLOCK_WORDS << 2), lm.nBlocks);
  if (lm.blocks == 0) return L.STATUS_BAD_SECTIONS;
  status = checkMatrix(lm, input, M.TOKENS_EMBEDDING, lm.dModel, lm.vocabulary, 0, 0);
  if (status == L.STATUS_OK) status = checkGain(lm, head, M.LANGUAGE_GAIN);
  for (let b = 0; b < lm.nBlocks && status == L.STATUS_OK; b++) status = checkBlock(lm, blockAt(lm, b));
  if (status != L.STATUS_OK) return status;
  const isTied = word(head, M.LANGUAGE_HEAD + M.MATRIX_WEIGHTS) == 0 && word(head, M.LANGUAGE_HEAD + M.MATRIX_ROWS) == 0;
  if (isTied) return isScale(head, M.LANGUAGE_HEAD + M.MATRIX_SCALE) ? L.STATUS_OK : L.STATUS_BAD_MULTIPLIER;
  return checkMatrix(lm, head, M.LANGUAGE_HEAD, lm.dModel, lm.vocabulary, 0, 0);
}
