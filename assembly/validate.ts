import * as L from "./layout";
import * as blocks from "./blocks/block";
import { checkLinear, checkScale, inTensors, linearAt } from "./check";
import { statisticsCount } from "./counts";
import { crc32 } from "./crc32";
import { Model, blockRecord, exitRecord, hasSection, readModel } from "./image";
import { between, word } from "./words";

// Every check of an image. After these, a step cannot index outside the image or the arena, divide by zero or overflow.
// What a block kind checks is in blocks/.

// Sections that an image of format 2 must have, and may have: bit k = kind k.
const NEEDED_SECTIONS: u32 = (1 << L.SECTION_FEATURES) | (1 << L.SECTION_BLOCKS) | (1 << L.SECTION_EXITS) | (1 << L.SECTION_TABLES) |
  (1 << L.SECTION_TENSORS) | (1 << L.SECTION_MANIFEST) | (1 << L.SECTION_MODEL) | (1 << L.SECTION_INPUT) | (1 << L.SECTION_HEAD);

/** Every section that a sensor model may have. */
const KNOWN_SECTIONS: u32 = ((1 << (L.SECTION_LDA + 1)) - 2) | (1 << L.SECTION_PLAUSIBILITY);

/**
 * The image as a file: header, CRC, section table, in either format. Of format 2 it may need the block kinds of `kinds`, must have the
 * sections of `needed` and may have those of `known`: bit k = kind k.
 */
export function checkFile(image: usize, bytes: u32, kinds: u32, needed: u32, known: u32): i32 {
  if (bytes < <u32>L.IMAGE_MIN_BYTES) return L.STATUS_IMAGE_TOO_SHORT;
  if (image & 15) return L.STATUS_IMAGE_MISALIGNED;
  if (load<u32>(image, L.HEADER_MAGIC) != L.IMAGE_MAGIC) return L.STATUS_BAD_MAGIC;
  const format = load<u32>(image, L.HEADER_FORMAT);
  const stated = load<u32>(image, L.HEADER_KINDS);
  if (format != L.IMAGE_FORMAT_1 && format != L.IMAGE_FORMAT_2) return L.STATUS_BAD_VERSION;
  if (format == L.IMAGE_FORMAT_1 && stated != <u32>L.FORMAT_1_MARK) return L.STATUS_OTHER_CORE;
  if (bytes > <u32>L.IMAGE_MAX_BYTES || (bytes & 15) != 0 || load<u32>(image, L.HEADER_IMAGE_BYTES) != bytes) return L.STATUS_BAD_SIZE;
  if (load<u32>(image, L.HEADER_FLAGS) != 0 || load<u32>(image, L.HEADER_RESERVED) != 0) return L.STATUS_BAD_FLAGS;
  const zero = memory.data(<i32>sizeof<u32>(), 4);
  let crc = crc32(0, image, L.HEADER_CRC32);
  crc = crc32(crc, zero, 4);
  crc = crc32(crc, image + L.HEADER_CRC32 + 4, bytes - L.HEADER_CRC32 - 4);
  if (crc != load<u32>(image, L.HEADER_CRC32)) return L.STATUS_BAD_CRC;
  if (format == L.IMAGE_FORMAT_2 && (stated & ~kinds) != 0) return L.STATUS_UNKNOWN_BLOCK_KIND;
  return checkSections(image, bytes, format, needed, known);
}

/** Ascending kinds at ascending offsets, none twice, none that this core does not know. */
function checkSections(image: usize, bytes: u32, format: u32, needed: u32, known: u32): i32 {
  const count = load<u32>(image, L.HEADER_SECTION_COUNT);
  const isFirst = format == L.IMAGE_FORMAT_1;
  if (isFirst ? count != L.FORMAT_1_SECTIONS : count < 1 || count > <u32>L.SECTION_LAST) return L.STATUS_BAD_SECTIONS;
  let found: u32 = 0;
  let before = 0;
  let end = <u64>(L.IMAGE_HEADER_BYTES + count * L.SECTION_ENTRY_BYTES);
  for (let i: u32 = 0; i < count; i++) {
    const entry = image + L.IMAGE_HEADER_BYTES + <usize>(i * L.SECTION_ENTRY_BYTES);
    const kind = <i32>load<u16>(entry);
    const offset = <u64>load<u32>(entry, 4);
    if (kind <= before) return L.STATUS_BAD_SECTIONS;
    if (isFirst ? <u32>kind != i + 1 : kind == L.SECTION_CONFIG) return L.STATUS_BAD_SECTIONS;
    if (kind > L.SECTION_TEXT || ((known >> kind) & 1) == 0) return L.STATUS_UNKNOWN_SECTION;
    if (<u32>load<u16>(entry, 2) > newestVersion(kind)) return L.STATUS_UNKNOWN_SECTION_VERSION;
    if ((offset & 15) != 0 || offset < end) return L.STATUS_BAD_SECTIONS;
    end = offset + <u64>load<u32>(entry, 8);
    if (end > <u64>bytes) return L.STATUS_BAD_SECTIONS;
    found |= 1 << kind;
    before = kind;
  }
  return isFirst || (found & needed) == needed ? L.STATUS_OK : L.STATUS_BAD_SECTIONS;
}

/** The newest version of a section that this core reads. */
function newestVersion(kind: i32): u32 {
  const versions: u32 = kind < 8 ? L.SECTION_VERSIONS_LOW : L.SECTION_VERSIONS_HIGH;
  return (versions >> ((kind & 7) << 2)) & 15;
}

function checkDimensions(model: Model): i32 {
  const frames = model.patchFrames;
  const window = model.windowPatches;
  if (!between(model.dModel, 1, L.LIMIT_DIM) || !between(model.channels, 1, L.LIMIT_CHANNELS)) return L.STATUS_BAD_CONFIG;
  if (!between(frames, 1, L.LIMIT_PATCH_FRAMES)) return L.STATUS_BAD_CONFIG;
  if (!between(window, 1, L.LIMIT_PATCHES) || !between(model.hopPatches, 1, L.LIMIT_PATCHES)) return L.STATUS_BAD_CONFIG;
  if (!between(model.contextPatches, window, L.LIMIT_PATCHES)) return L.STATUS_BAD_CONFIG;
  if (!between(model.ringPatches, 1, L.LIMIT_RING)) return L.STATUS_BAD_CONFIG;
  if (!between(model.nBlocks, 1, L.LIMIT_BLOCKS) || !between(model.nExits, 1, L.LIMIT_EXITS)) return L.STATUS_BAD_CONFIG;
  if (!between(model.nClasses, 2, L.LIMIT_CLASSES)) return L.STATUS_BAD_CONFIG;
  if (!between(model.gapLimitFrames, 0, L.LIMIT_GAP_FRAMES)) return L.STATUS_BAD_CONFIG;
  if (model.frameRateMillihertz < 1) return L.STATUS_BAD_CONFIG;
  return checkLinear(model, model.embedding, model.channels * frames, model.dModel);
}

function checkFeatures(model: Model): i32 {
  const channels = model.channels;
  if (!hasSection(L.SECTION_FEATURES, channels * (L.FEATURE_WORDS << 2), channels)) return L.STATUS_BAD_SECTIONS;
  let record = model.features;
  for (let c = 0; c < channels; c++) {
    if (!between(word(record, L.FEATURE_ZERO_POINT), -32768, 32767)) return L.STATUS_BAD_FEATURES;
    if (!between(word(record, L.FEATURE_KNEE), 0, 127)) return L.STATUS_BAD_FEATURES;
    const status = checkScale(word(record, L.FEATURE_MULTIPLIER), word(record, L.FEATURE_SHIFT), 65536);
    if (status != L.STATUS_OK) return status;
    record += L.FEATURE_WORDS << 2;
  }
  return L.STATUS_OK;
}

function checkBlocks(model: Model): i32 {
  const nBlocks = model.nBlocks;
  if (!hasSection(L.SECTION_BLOCKS, nBlocks * (L.BLOCK_WORDS << 2), nBlocks)) return L.STATUS_BAD_SECTIONS;
  const isFirst = load<u32>(model.image, L.HEADER_FORMAT) == L.IMAGE_FORMAT_1;
  let found: u32 = 0;
  for (let b = 0; b < nBlocks; b++) {
    const record = blockRecord(model, b);
    const status = blocks.check(model, record);
    if (status != L.STATUS_OK) return status;
    found |= 1 << word(record, L.BLOCK_KIND);
  }
  return isFirst || found == load<u32>(model.image, L.HEADER_KINDS) ? L.STATUS_OK : L.STATUS_BAD_BLOCK;
}

function checkExits(model: Model): i32 {
  const nExits = model.nExits;
  if (!hasSection(L.SECTION_EXITS, nExits * (L.EXIT_WORDS << 2), nExits)) return L.STATUS_BAD_SECTIONS;
  const isSmoothed = model.smoothing != 0;
  let after = -1;
  for (let k = 0; k < nExits; k++) {
    const record = exitRecord(model, k);
    const block = word(record, L.EXIT_AFTER_BLOCK);
    if (!between(block, after + 1, model.nBlocks - 1) || word(record, L.EXIT_EPSILON) < 1) return L.STATUS_BAD_EXIT;
    after = block;
    if (!between(word(record, L.EXIT_THRESHOLD), 0, L.EXIT_NEVER)) return L.STATUS_BAD_EXIT;
    let status = checkScale(word(record, L.EXIT_TEMPERATURE_MULTIPLIER), word(record, L.EXIT_TEMPERATURE_SHIFT), 65535);
    if (status != L.STATUS_OK) return status;
    if (((word(record, L.EXIT_SMOOTHED_MULTIPLIER) | word(record, L.EXIT_SMOOTHED_SHIFT)) != 0) != isSmoothed) return L.STATUS_BAD_SMOOTHING;
    status = checkScale(word(record, L.EXIT_SMOOTHED_MULTIPLIER), word(record, L.EXIT_SMOOTHED_SHIFT), 65535 + L.LIMIT_TRANSITION_COST);
    if (status != L.STATUS_OK) return status;
    status = checkLinear(model, linearAt(record, L.EXIT_HEAD), model.dModel, model.nClasses);
    if (status != L.STATUS_OK) return status;
  }
  return after == model.nBlocks - 1 ? L.STATUS_OK : L.STATUS_BAD_EXIT;
}

/** Costs of going from one label to another: none of staying. */
function checkSmoothing(model: Model): i32 {
  const record = model.smoothing;
  if (record == 0) return L.STATUS_OK;
  const costs = <u32>word(record, L.SMOOTHING_COSTS);
  const n = model.nClasses;
  if (!between(word(record, L.SMOOTHING_SHIFT), 0, L.LIMIT_SMOOTHING_SHIFT)) return L.STATUS_BAD_SMOOTHING;
  if (!inTensors(model, costs, (n * n) << 2)) return L.STATUS_BAD_TENSOR;
  for (let i = 0; i < n * n; i++) {
    const most = i % (n + 1) == 0 ? 0 : L.LIMIT_TRANSITION_COST;
    if (!between(load<i32>(model.image + costs + <usize>(i << 2)), 0, most)) return L.STATUS_BAD_SMOOTHING;
  }
  return L.STATUS_OK;
}

/** Weights of the window's statistics: bounds, so that no sum wraps. `isInImage`: its arrays must lie in TENSORS. */
export function checkLda(model: Model, record: usize, isInImage: bool): i32 {
  const means = <u32>word(record, L.LDA_MEANS);
  const limits = <u32>word(record, L.LDA_LIMITS);
  const frames = model.windowPatches * model.patchFrames;
  if (!between(word(record, L.LDA_SHIFT), 0, L.LIMIT_LDA_SHIFT)) return L.STATUS_BAD_LDA;
  if (!between(frames, 2 * L.FIXED_SWAY_FRAMES, L.LIMIT_LDA_FRAMES)) return L.STATUS_BAD_LDA;
  const nClasses = model.nClasses;
  const n = statisticsCount(model.channels);
  if (isInImage) {
    if (!inTensors(model, means, n << 2) || !inTensors(model, limits, n << 2)) return L.STATUS_BAD_TENSOR;
    if (!inTensors(model, word(record, L.LDA_WEIGHTS), (n * nClasses) << 1)) return L.STATUS_BAD_TENSOR;
    if (!inTensors(model, word(record, L.LDA_BIAS), nClasses << 2)) return L.STATUS_BAD_TENSOR;
  }
  for (let f: usize = 0; f < <usize>n; f++) {
    if (!between(load<i32>(model.image + means + (f << 2)), -L.LIMIT_LDA_MEAN, L.LIMIT_LDA_MEAN)) return L.STATUS_BAD_LDA;
    if (!between(load<i32>(model.image + limits + (f << 2)), 0, L.LIMIT_LDA_LIMIT)) return L.STATUS_BAD_LDA;
  }
  return L.STATUS_OK;
}

/** Rules of the plausibility monitor: of an IMU alone. Each weighs features that there are, by weights that there are. */
function checkPlausibility(model: Model): i32 {
  const record = model.plausibility;
  if (record == 0) return L.STATUS_OK;
  const rules = word(record, L.PLAUSIBILITY_RULES);
  let left = word(record, L.PLAUSIBILITY_WEIGHT_COUNT);
  if (model.channels != L.MONITOR_CHANNELS || !between(rules, 1, L.LIMIT_RULES)) return L.STATUS_BAD_PLAUSIBILITY;
  if (!between(left, 1, L.LIMIT_RULES * L.MONITOR_FEATURES)) return L.STATUS_BAD_PLAUSIBILITY;
  const table = <u32>word(record, L.PLAUSIBILITY_TABLE);
  if (!inTensors(model, table, rules * (L.RULE_WORDS << 2)) || !inTensors(model, word(record, L.PLAUSIBILITY_WEIGHTS), left << 1)) return L.STATUS_BAD_TENSOR;
  for (let r = 0; r < rules; r++) {
    const rule = model.image + table + <usize>(r * (L.RULE_WORDS << 2));
    const first = word(rule, L.RULE_FIRST);
    const count = word(rule, L.RULE_COUNT);
    if (<u32>word(rule, L.RULE_FAULT) > <u32>L.FAULTS_ALL || <u32>word(rule, L.RULE_MODE) > <u32>L.RULE_MODE_GATE) return L.STATUS_BAD_PLAUSIBILITY;
    if (!between(word(rule, L.RULE_ON), 1, L.LIMIT_RULE_ON) || !between(first, 0, L.MONITOR_FEATURES - 1)) return L.STATUS_BAD_PLAUSIBILITY;
    if (!between(count, 1, min<i32>(left, L.MONITOR_FEATURES - first))) return L.STATUS_BAD_PLAUSIBILITY;
    left -= count;
  }
  return left == 0 ? L.STATUS_OK : L.STATUS_BAD_PLAUSIBILITY;
}

/** CONFIG without SMOOTHING or LDA has zeros in their fields. */
function isCleanConfig(model: Model): bool {
  if (load<u32>(model.image, L.HEADER_FORMAT) != L.IMAGE_FORMAT_1) return true;
  const config = model.embedding - (L.CONFIG_EMBED << 2);
  let rest = model.smoothing == 0 ? word(config, L.CONFIG_SMOOTHING + L.SMOOTHING_SHIFT) : 0;
  if (model.lda == 0) for (let i = 1; i < L.LDA_WORDS; i++) rest |= word(config, L.CONFIG_LDA + i);
  return rest == 0;
}

/** All of it, and `model` filled: a status, never a trap, for any `bytes` readable bytes at `image`. */
export function checkImage(model: Model, image: usize, bytes: u32): i32 {
  let status = checkFile(image, bytes, blocks.BLOCK_KINDS, NEEDED_SECTIONS, KNOWN_SECTIONS);
  if (status != L.STATUS_OK) return status;
  if (!readModel(model, image)) return L.STATUS_BAD_SECTIONS;
  status = checkDimensions(model);
  if (status != L.STATUS_OK) return status;
  if (!hasSection(L.SECTION_TABLES, L.TABLE_BYTES, 1)) return L.STATUS_BAD_SECTIONS;
  if (crc32(0, model.tables, L.TABLE_BYTES) != <u32>L.TABLES_CRC32) return L.STATUS_BAD_TABLES;
  status = checkFeatures(model);
  if (status != L.STATUS_OK) return status;
  if (!isCleanConfig(model)) return L.STATUS_BAD_CONFIG;
  status = checkSmoothing(model);
  if (status != L.STATUS_OK) return status;
  if (model.lda != 0) {
    status = checkLda(model, model.lda, true);
    if (status != L.STATUS_OK) return status;
  }
  status = checkPlausibility(model);
  if (status != L.STATUS_OK) return status;
  status = checkBlocks(model);
  if (status != L.STATUS_OK) return status;
  return checkExits(model);
}
