import * as L from "./layout";
import { setWord, word } from "./words";

// Where things lie in an image: the only file that distinguishes the two formats. Format 1 has one CONFIG record where format 2 has
// MODEL, INPUT, HEAD and, if it uses them, SMOOTHING and LDA; all else is the same.

/** A model as its image describes it: pointers to its records, and the numbers that every step needs. */
@unmanaged
export class Model {
  image: usize;
  features: usize; // (channels, FEATURE_WORDS) s32
  blocks: usize; // (nBlocks, BLOCK_WORDS) s32
  exits: usize; // (nExits, EXIT_WORDS) s32
  tables: usize;
  embedding: usize; // LINEAR
  smoothing: usize; // SMOOTHING, or 0
  lda: usize; // LDA, or 0; its offsets count from `image` modulo 2^32, so that it may lie outside of the image
  tensors: u32; // offsets of the tensors and of their end
  tensorsEnd: u32;
  dModel: i32; // MODEL, INPUT and HEAD, word by word
  nBlocks: i32;
  channels: i32;
  patchFrames: i32;
  frameRateMillihertz: i32;
  gapLimitFrames: i32;
  windowPatches: i32;
  contextPatches: i32;
  nExits: i32;
  nClasses: i32;
  hopPatches: i32;
  ringPatches: i32;
  plausibility: usize; // PLAUSIBILITY, or 0
  lanes: bool; // whether every row keeps to what kernels/lanes.ts needs: checked by `prepare` where there is SIMD
}

// Words of CONFIG in the order of the twelve fields from dModel on.
const CONFIG_ORDER = memory.data<i32>([
  L.CONFIG_D_MODEL, L.CONFIG_BLOCKS, L.CONFIG_CHANNELS, L.CONFIG_PATCH_FRAMES, L.CONFIG_FRAME_RATE_MILLIHERTZ, L.CONFIG_GAP_LIMIT_FRAMES,
  L.CONFIG_WINDOW_PATCHES, L.CONFIG_CONTEXT_PATCHES, L.CONFIG_EXITS, L.CONFIG_CLASSES, L.CONFIG_HOP_PATCHES, L.CONFIG_RING_PATCHES,
]);
const DIMENSIONS = 12;

const ENTRIES_BYTES = 4 * (L.SECTION_LAST + 1);
/** The section table's entry of each kind, of the image that was read last; 0 if it has none. */
const ENTRIES = memory.data(ENTRIES_BYTES, 4);
/** Bytes of the sections from MODEL on, which are one record each. */
const RECORD_BYTES = memory.data<i32>([4 * L.MODEL_WORDS, 4 * L.INPUT_WORDS, 4 * L.HEAD_WORDS, 4 * L.SMOOTHING_WORDS, 4 * L.LDA_WORDS,
  0, 4 * L.PLAUSIBILITY_WORDS,
]);

// @ts-ignore: decorator
@inline
function entryOf(kind: i32): usize {
  return load<usize>(ENTRIES + <usize>(kind << 2));
}

/** Address of a section that the image has. */
// @ts-ignore: decorator
@inline
function startOf(image: usize, kind: i32): usize {
  return image + load<u32>(entryOf(kind), 4);
}

/** The section table's entry of a kind, in an image whose table is sound; 0 if it has none. */
export function sectionEntry(image: usize, kind: i32): usize {
  let entry = image + L.IMAGE_HEADER_BYTES;
  for (let left = load<i32>(image, L.HEADER_SECTION_COUNT); left > 0; left--) {
    if (<i32>load<u16>(entry) == kind) return entry;
    entry += L.SECTION_ENTRY_BYTES;
  }
  return 0;
}

/** Of the image that was read last: whether a section has `count` records in `bytes` bytes. */
export function hasSection(kind: i32, bytes: u32, count: u32): bool {
  const entry = entryOf(kind);
  return entry != 0 && load<u32>(entry, 8) == bytes && load<u32>(entry, 12) == count;
}

/** Fills `model` from an image whose section table is sound. False if a record is missing or of another size or kind. */
export function readModel(model: Model, image: usize): bool {
  memory.fill(ENTRIES, 0, ENTRIES_BYTES);
  let entry = image + L.IMAGE_HEADER_BYTES;
  for (let left = load<i32>(image, L.HEADER_SECTION_COUNT); left > 0; left--) {
    const kind = <i32>load<u16>(entry);
    store<usize>(ENTRIES + <usize>(kind << 2), entry);
    if (kind >= L.SECTION_MODEL && !hasSection(kind, word(RECORD_BYTES, kind - L.SECTION_MODEL), 1)) return false;
    entry += L.SECTION_ENTRY_BYTES;
  }
  model.image = image;
  model.lanes = true;
  model.features = startOf(image, L.SECTION_FEATURES);
  model.blocks = startOf(image, L.SECTION_BLOCKS);
  model.exits = startOf(image, L.SECTION_EXITS);
  model.tables = startOf(image, L.SECTION_TABLES);
  model.tensors = load<u32>(entryOf(L.SECTION_TENSORS), 4);
  model.tensorsEnd = model.tensors + load<u32>(entryOf(L.SECTION_TENSORS), 8);
  const dimensions = changetype<usize>(model) + offsetof<Model>("dModel");
  if (entryOf(L.SECTION_CONFIG) != 0) {
    if (!hasSection(L.SECTION_CONFIG, L.CONFIG_WORDS << 2, 1)) return false;
    const config = startOf(image, L.SECTION_CONFIG);
    for (let i = 0; i < DIMENSIONS; i++) setWord(dimensions, i, word(config, word(CONFIG_ORDER, i)));
    model.embedding = config + (L.CONFIG_EMBED << 2);
    model.smoothing = word(config, L.CONFIG_SMOOTHING) == 0 ? 0 : config + (L.CONFIG_SMOOTHING << 2);
    model.plausibility = 0;
    model.lda = word(config, L.CONFIG_LDA) == 0 ? 0 : config + (L.CONFIG_LDA << 2);
    return true;
  }
  const input = startOf(image, L.SECTION_INPUT);
  const head = startOf(image, L.SECTION_HEAD);
  memory.copy(dimensions, startOf(image, L.SECTION_MODEL), L.MODEL_WORDS << 2);
  memory.copy(dimensions + (L.MODEL_WORDS << 2), input, L.INPUT_KIND << 2);
  memory.copy(dimensions + ((L.MODEL_WORDS + L.INPUT_KIND) << 2), head, L.HEAD_KIND << 2);
  model.embedding = input + (L.INPUT_EMBED << 2);
  model.smoothing = entryOf(L.SECTION_SMOOTHING) == 0 ? 0 : startOf(image, L.SECTION_SMOOTHING);
  model.plausibility = entryOf(L.SECTION_PLAUSIBILITY) == 0 ? 0 : startOf(image, L.SECTION_PLAUSIBILITY);
  model.lda = entryOf(L.SECTION_LDA) == 0 ? 0 : startOf(image, L.SECTION_LDA);
  return word(input, L.INPUT_KIND) == L.INPUT_KIND_PATCHES && word(head, L.HEAD_KIND) == L.HEAD_KIND_EXITS;
}

// @ts-ignore: decorator
@inline
export function blockRecord(model: Model, block: i32): usize {
  return model.blocks + <usize>(block * (L.BLOCK_WORDS << 2));
}

// @ts-ignore: decorator
@inline
export function exitRecord(model: Model, exit: i32): usize {
  return model.exits + <usize>(exit * (L.EXIT_WORDS << 2));
}
