import {
  ABI_HASH, ATTENTION_DOWN, ATTENTION_D_MLP, ATTENTION_GATE_UP, ATTENTION_HEADS, ATTENTION_HEAD_DIM, ATTENTION_KV_HEADS,
  ATTENTION_MLP_EPSILON, ATTENTION_MLP_MULTIPLIER, ATTENTION_MLP_SHIFT, ATTENTION_OUT_MULTIPLIER, ATTENTION_OUT_SHIFT, ATTENTION_O_PROJ,
  ATTENTION_QKV, ATTENTION_SCORE_MULTIPLIER, ATTENTION_SCORE_SHIFT, ATTENTION_SILU, ATTENTION_WINDOW, BLOCK_EPSILON, BLOCK_KIND,
  BLOCK_KIND_ATTENTION, BLOCK_KIND_SSM, BLOCK_WORDS, CONFIG_BLOCKS, CONFIG_CHANNELS, CONFIG_CLASSES, CONFIG_CONTEXT_PATCHES, CONFIG_D_MODEL,
  CONFIG_EMBED, CONFIG_EVIDENCE_BIAS, CONFIG_EVIDENCE_LIMITS, CONFIG_EVIDENCE_MEANS, CONFIG_EVIDENCE_SHIFT, CONFIG_EVIDENCE_WEIGHTS,
  CONFIG_EXITS, CONFIG_FRAME_RATE_MILLIHERTZ, CONFIG_GAP_LIMIT_FRAMES, CONFIG_HOP_PATCHES, CONFIG_PATCH_FRAMES, CONFIG_RING_PATCHES,
  CONFIG_TRACK_COSTS, CONFIG_TRACK_SHIFT, CONFIG_WINDOW_PATCHES, CONFIG_WORDS, EXIT_AFTER_BLOCK, EXIT_EPSILON, EXIT_HEAD, EXIT_NEVER,
  EXIT_TEMPERATURE_MULTIPLIER, EXIT_TEMPERATURE_SHIFT, EXIT_THRESHOLD, EXIT_TRACKED_MULTIPLIER, EXIT_TRACKED_SHIFT, EXIT_WORDS,
  FEATURE_KNEE, FEATURE_MULTIPLIER, FEATURE_SHIFT, FEATURE_WORDS, FEATURE_ZERO_POINT, FIXED_A_MAX, FIXED_A_MIN, FIXED_SHIFT_MAX,
  FIXED_SHIFT_MIN, FIXED_SWAY_FRAMES, HEADER_ABI_HASH, HEADER_CRC32, HEADER_FLAGS, HEADER_IMAGE_BYTES, HEADER_MAGIC, HEADER_RESERVED,
  HEADER_SECTION_COUNT, HEADER_VERSION, IMAGE_HEADER_BYTES, IMAGE_MAGIC, IMAGE_MAX_BYTES, IMAGE_MIN_BYTES, IMAGE_VERSION, LIMIT_BLOCKS,
  LIMIT_CHANNELS, LIMIT_CLASSES, LIMIT_D, LIMIT_DIM, LIMIT_EVIDENCE_FRAMES, LIMIT_EVIDENCE_LIMIT, LIMIT_EVIDENCE_MEAN, LIMIT_EVIDENCE_SHIFT,
  LIMIT_EXITS, LIMIT_GAP_FRAMES, LIMIT_HEADS, LIMIT_LINEAR_OUT, LIMIT_PATCHES, LIMIT_PATCH_FRAMES, LIMIT_RING, LIMIT_STATE,
  LIMIT_TRACK_COST, LIMIT_TRACK_SHIFT, LINEAR_BIAS, LINEAR_MULTIPLIER, LINEAR_N_IN, LINEAR_N_OUT, LINEAR_SHIFT, LINEAR_WEIGHTS,
  SECTION_BLOCKS, SECTION_CONFIG, SECTION_COUNT, SECTION_ENTRY_BYTES, SECTION_EXITS, SECTION_FEATURES, SECTION_TABLES, SECTION_TENSORS,
  SILU_TABLE_BYTES, SSM_A, SSM_CONV_BIAS, SSM_CONV_MULTIPLIER, SSM_CONV_SHIFT, SSM_CONV_WEIGHTS, SSM_D, SSM_D_CONV, SSM_D_INNER,
  SSM_D_STATE, SSM_GATE_EPSILON, SSM_HEADS, SSM_HEAD_DIM, SSM_IN_PROJ, SSM_OUT_PROJ, SSM_SCAN_SHIFT, SSM_SILU_X, SSM_SILU_Z,
  SSM_Y_MULTIPLIER, SSM_Y_SHIFT, STATUS_ABI_MISMATCH, STATUS_BAD_BIAS, STATUS_BAD_BLOCK, STATUS_BAD_CONFIG, STATUS_BAD_CRC,
  STATUS_BAD_EVIDENCE, STATUS_BAD_EXIT, STATUS_BAD_FEATURES, STATUS_BAD_FLAGS, STATUS_BAD_LINEAR, STATUS_BAD_MAGIC, STATUS_BAD_MULTIPLIER,
  STATUS_BAD_PADDING, STATUS_BAD_SCAN, STATUS_BAD_SECTIONS, STATUS_BAD_SIZE, STATUS_BAD_TABLES, STATUS_BAD_TENSOR, STATUS_BAD_TRACK,
  STATUS_BAD_VERSION, STATUS_IMAGE_MISALIGNED, STATUS_IMAGE_TOO_SHORT, STATUS_OK, TABLES_CRC32, TABLE_BYTES,
} from "./layout";
import { word } from "./context";
import { statisticsCount } from "./counts";
import { crc32 } from "./crc32";

// Every check of an image. After these, a step cannot index outside the image or the arena, divide by zero or overflow.
// Offsets are compared as u64, so that no sum of two wraps.

/** Offset of section `kind` (1 …) from the image's first byte. */
export function sectionOffset(image: usize, kind: i32): u32 {
  return load<u32>(image + IMAGE_HEADER_BYTES + <usize>((kind - 1) * SECTION_ENTRY_BYTES), 4);
}

function sectionBytes(image: usize, kind: i32): u32 {
  return load<u32>(image + IMAGE_HEADER_BYTES + <usize>((kind - 1) * SECTION_ENTRY_BYTES), 8);
}

function sectionCount(image: usize, kind: i32): u32 {
  return load<u32>(image + IMAGE_HEADER_BYTES + <usize>((kind - 1) * SECTION_ENTRY_BYTES), 12);
}

function between(value: i32, least: i32, most: i32): bool {
  return value >= least && value <= most;
}

/** The image as a file: header, CRC, section table. */
export function checkFile(image: usize, bytes: u32): i32 {
  if (bytes < <u32>IMAGE_MIN_BYTES) return STATUS_IMAGE_TOO_SHORT;
  if (image & 15) return STATUS_IMAGE_MISALIGNED;
  if (load<u32>(image, HEADER_MAGIC) != IMAGE_MAGIC) return STATUS_BAD_MAGIC;
  if (load<u32>(image, HEADER_VERSION) != IMAGE_VERSION) return STATUS_BAD_VERSION;
  if (load<u32>(image, HEADER_ABI_HASH) != <u32>ABI_HASH) return STATUS_ABI_MISMATCH;
  if (bytes > <u32>IMAGE_MAX_BYTES || (bytes & 15) != 0 || load<u32>(image, HEADER_IMAGE_BYTES) != bytes) return STATUS_BAD_SIZE;
  if (load<u32>(image, HEADER_FLAGS) != 0 || load<u32>(image, HEADER_RESERVED) != 0) return STATUS_BAD_FLAGS;
  const zero = memory.data(<i32>sizeof<u32>(), 4);
  let crc = crc32(0, image, HEADER_CRC32);
  crc = crc32(crc, zero, 4);
  crc = crc32(crc, image + HEADER_CRC32 + 4, bytes - HEADER_CRC32 - 4);
  if (crc != load<u32>(image, HEADER_CRC32)) return STATUS_BAD_CRC;
  if (load<u32>(image, HEADER_SECTION_COUNT) != SECTION_COUNT) return STATUS_BAD_SECTIONS;
  let end: u64 = IMAGE_HEADER_BYTES + SECTION_COUNT * SECTION_ENTRY_BYTES;
  for (let kind = 1; kind <= SECTION_COUNT; kind++) {
    const entry = image + IMAGE_HEADER_BYTES + <usize>((kind - 1) * SECTION_ENTRY_BYTES);
    const offset = <u64>load<u32>(entry, 4);
    if (load<i32>(entry) != kind || (offset & 15) != 0 || offset < end) return STATUS_BAD_SECTIONS;
    end = offset + <u64>load<u32>(entry, 8);
    if (end > <u64>bytes) return STATUS_BAD_SECTIONS;
  }
  return STATUS_OK;
}

function checkScale(multiplier: i32, shift: i32, accBound: u64): i32 {
  if (multiplier == 0) return shift == 0 ? STATUS_OK : STATUS_BAD_MULTIPLIER;
  if (multiplier < 0x40000000 || !between(shift, FIXED_SHIFT_MIN, FIXED_SHIFT_MAX)) return STATUS_BAD_MULTIPLIER;
  if (shift > 0 && accBound << (<u64>shift) >= 0x80000000) return STATUS_BAD_MULTIPLIER;
  return STATUS_OK;
}

/** `bytes` bytes at `offset` lie in TENSORS, aligned. */
function inTensors(image: usize, offset: u32, bytes: u32): bool {
  const start = sectionOffset(image, SECTION_TENSORS);
  return (offset & 15) == 0 && offset >= start && <u64>offset + <u64>bytes <= <u64>start + <u64>sectionBytes(image, SECTION_TENSORS);
}

/** Bias, multiplier and shift of `n` rows whose products sum to at most `products` in magnitude. */
function checkRows(image: usize, bias: u32, multiplier: u32, shift: u32, n: i32, products: u64): i32 {
  if (!inTensors(image, bias, n << 2) || !inTensors(image, multiplier, n << 2) || !inTensors(image, shift, n)) return STATUS_BAD_TENSOR;
  for (let i: usize = 0; i < <usize>n; i++) {
    const b = <i64>load<i32>(image + bias + (i << 2));
    const magnitude = <u64>(b < 0 ? -b : b);
    if (magnitude > 0x40000000) return STATUS_BAD_BIAS;
    const status = checkScale(load<i32>(image + multiplier + (i << 2)), <i32>load<i8>(image + shift + i), products + magnitude);
    if (status != STATUS_OK) return status;
  }
  return STATUS_OK;
}

function checkLinear(image: usize, record: usize, nIn: i32, nOut: i32): i32 {
  if (word(record, LINEAR_N_IN) != nIn || word(record, LINEAR_N_OUT) != nOut) return STATUS_BAD_LINEAR;
  if (!between(nIn, 1, LIMIT_DIM) || !between(nOut, 1, LIMIT_LINEAR_OUT)) return STATUS_BAD_LINEAR;
  const stride = (nIn + 15) & ~15;
  const weights = <u32>word(record, LINEAR_WEIGHTS);
  if (!inTensors(image, weights, stride * nOut)) return STATUS_BAD_TENSOR;
  for (let row = 0; row < nOut; row++) {
    for (let i = nIn; i < stride; i++) if (load<i8>(image + weights + <usize>(row * stride + i)) != 0) return STATUS_BAD_PADDING;
  }
  const products = <u64>nIn << 14;
  return checkRows(image, word(record, LINEAR_BIAS), word(record, LINEAR_MULTIPLIER), word(record, LINEAR_SHIFT), nOut, products);
}

function linearAt(record: usize, index: i32): usize {
  return record + <usize>(index << 2);
}

function checkConfig(image: usize, config: usize): i32 {
  if (sectionBytes(image, SECTION_CONFIG) != CONFIG_WORDS << 2 || sectionCount(image, SECTION_CONFIG) != 1) return STATUS_BAD_SECTIONS;
  const dModel = word(config, CONFIG_D_MODEL);
  const channels = word(config, CONFIG_CHANNELS);
  const frames = word(config, CONFIG_PATCH_FRAMES);
  const window = word(config, CONFIG_WINDOW_PATCHES);
  if (!between(dModel, 1, LIMIT_DIM) || !between(channels, 1, LIMIT_CHANNELS) || !between(frames, 1, LIMIT_PATCH_FRAMES)) return STATUS_BAD_CONFIG;
  if (!between(window, 1, LIMIT_PATCHES) || !between(word(config, CONFIG_HOP_PATCHES), 1, LIMIT_PATCHES)) return STATUS_BAD_CONFIG;
  if (!between(word(config, CONFIG_CONTEXT_PATCHES), window, LIMIT_PATCHES)) return STATUS_BAD_CONFIG;
  if (!between(word(config, CONFIG_RING_PATCHES), 1, LIMIT_RING)) return STATUS_BAD_CONFIG;
  if (!between(word(config, CONFIG_BLOCKS), 1, LIMIT_BLOCKS) || !between(word(config, CONFIG_EXITS), 1, LIMIT_EXITS)) return STATUS_BAD_CONFIG;
  if (!between(word(config, CONFIG_CLASSES), 2, LIMIT_CLASSES)) return STATUS_BAD_CONFIG;
  if (!between(word(config, CONFIG_GAP_LIMIT_FRAMES), 0, LIMIT_GAP_FRAMES)) return STATUS_BAD_CONFIG;
  if (word(config, CONFIG_FRAME_RATE_MILLIHERTZ) < 1) return STATUS_BAD_CONFIG;
  return checkLinear(image, linearAt(config, CONFIG_EMBED), channels * frames, dModel);
}

function checkFeatures(image: usize, channels: i32): i32 {
  const bytes = <u32>(channels * (FEATURE_WORDS << 2));
  if (sectionBytes(image, SECTION_FEATURES) != bytes || sectionCount(image, SECTION_FEATURES) != <u32>channels) return STATUS_BAD_SECTIONS;
  let record = image + sectionOffset(image, SECTION_FEATURES);
  for (let c = 0; c < channels; c++) {
    if (!between(word(record, FEATURE_ZERO_POINT), -32768, 32767)) return STATUS_BAD_FEATURES;
    if (!between(word(record, FEATURE_KNEE), 0, 127)) return STATUS_BAD_FEATURES;
    const status = checkScale(word(record, FEATURE_MULTIPLIER), word(record, FEATURE_SHIFT), 65536);
    if (status != STATUS_OK) return status;
    record += FEATURE_WORDS << 2;
  }
  return STATUS_OK;
}

function checkSsm(image: usize, record: usize, dModel: i32): i32 {
  const dInner = word(record, SSM_D_INNER);
  const nHeads = word(record, SSM_HEADS);
  const headDim = word(record, SSM_HEAD_DIM);
  const dState = word(record, SSM_D_STATE);
  const taps = word(record, SSM_D_CONV);
  if (!between(dInner, 1, LIMIT_DIM) || !between(nHeads, 1, LIMIT_HEADS) || !between(headDim, 1, LIMIT_DIM)) return STATUS_BAD_BLOCK;
  if (!between(dState, 1, LIMIT_STATE) || !between(taps, 1, 8) || nHeads * headDim != dInner) return STATUS_BAD_BLOCK;
  if (word(record, SSM_GATE_EPSILON) < 1) return STATUS_BAD_BLOCK;
  const log2State = 32 - clz<i32>(dState - 1);
  if (!between(word(record, SSM_SCAN_SHIFT), 7 + log2State, 20)) return STATUS_BAD_SCAN;
  let status = checkLinear(image, linearAt(record, SSM_IN_PROJ), dModel, 2 * dInner + 2 * dState + nHeads);
  if (status != STATUS_OK) return status;
  status = checkLinear(image, linearAt(record, SSM_OUT_PROJ), dInner, dModel);
  if (status != STATUS_OK) return status;
  if (!inTensors(image, word(record, SSM_CONV_WEIGHTS), taps * dInner)) return STATUS_BAD_TENSOR;
  const products = <u64>taps << 14;
  status = checkRows(image, word(record, SSM_CONV_BIAS), word(record, SSM_CONV_MULTIPLIER), word(record, SSM_CONV_SHIFT), dInner, products);
  if (status != STATUS_OK) return status;
  if (!inTensors(image, word(record, SSM_SILU_X), SILU_TABLE_BYTES) || !inTensors(image, word(record, SSM_SILU_Z), SILU_TABLE_BYTES)) return STATUS_BAD_TENSOR;
  const a = <u32>word(record, SSM_A);
  const d = <u32>word(record, SSM_D);
  if (!inTensors(image, a, nHeads << 2) || !inTensors(image, d, nHeads << 2)) return STATUS_BAD_TENSOR;
  for (let h: usize = 0; h < <usize>nHeads; h++) {
    if (!between(load<i32>(image + a + (h << 2)), FIXED_A_MIN, FIXED_A_MAX)) return STATUS_BAD_SCAN;
    if (!between(load<i32>(image + d + (h << 2)), -LIMIT_D, LIMIT_D)) return STATUS_BAD_SCAN;
  }
  return checkScale(word(record, SSM_Y_MULTIPLIER), word(record, SSM_Y_SHIFT), 0x7fffffff);
}

function checkAttention(image: usize, record: usize, dModel: i32): i32 {
  const nHeads = word(record, ATTENTION_HEADS);
  const nKvHeads = word(record, ATTENTION_KV_HEADS);
  const headDim = word(record, ATTENTION_HEAD_DIM);
  const dMlp = word(record, ATTENTION_D_MLP);
  if (!between(nHeads, 1, LIMIT_HEADS) || !between(nKvHeads, 1, nHeads) || nHeads % nKvHeads != 0) return STATUS_BAD_BLOCK;
  if (!between(headDim, 1, LIMIT_DIM) || nHeads * headDim > LIMIT_DIM) return STATUS_BAD_BLOCK;
  if (!between(word(record, ATTENTION_WINDOW), 1, LIMIT_RING) || !between(dMlp, 1, LIMIT_DIM)) return STATUS_BAD_BLOCK;
  if (word(record, ATTENTION_MLP_EPSILON) < 1) return STATUS_BAD_BLOCK;
  let status = checkScale(word(record, ATTENTION_SCORE_MULTIPLIER), word(record, ATTENTION_SCORE_SHIFT), <u64>headDim << 15);
  if (status != STATUS_OK) return status;
  // Σp ≤ 32768 + W/2 after rounding, |v| ≤ 128
  status = checkScale(word(record, ATTENTION_OUT_MULTIPLIER), word(record, ATTENTION_OUT_SHIFT), (32768 + LIMIT_RING) << 7);
  if (status != STATUS_OK) return status;
  status = checkScale(word(record, ATTENTION_MLP_MULTIPLIER), word(record, ATTENTION_MLP_SHIFT), 16384);
  if (status != STATUS_OK) return status;
  status = checkLinear(image, linearAt(record, ATTENTION_QKV), dModel, (nHeads + 2 * nKvHeads) * headDim);
  if (status != STATUS_OK) return status;
  status = checkLinear(image, linearAt(record, ATTENTION_O_PROJ), nHeads * headDim, dModel);
  if (status != STATUS_OK) return status;
  status = checkLinear(image, linearAt(record, ATTENTION_GATE_UP), dModel, 2 * dMlp);
  if (status != STATUS_OK) return status;
  status = checkLinear(image, linearAt(record, ATTENTION_DOWN), dMlp, dModel);
  if (status != STATUS_OK) return status;
  return inTensors(image, word(record, ATTENTION_SILU), SILU_TABLE_BYTES) ? STATUS_OK : STATUS_BAD_TENSOR;
}

function checkBlocks(image: usize, nBlocks: i32, dModel: i32): i32 {
  const bytes = <u32>(nBlocks * (BLOCK_WORDS << 2));
  if (sectionBytes(image, SECTION_BLOCKS) != bytes || sectionCount(image, SECTION_BLOCKS) != <u32>nBlocks) return STATUS_BAD_SECTIONS;
  let record = image + sectionOffset(image, SECTION_BLOCKS);
  for (let b = 0; b < nBlocks; b++) {
    const kind = word(record, BLOCK_KIND);
    if (word(record, BLOCK_EPSILON) < 1) return STATUS_BAD_BLOCK;
    let status = STATUS_BAD_BLOCK;
    if (kind == BLOCK_KIND_SSM) status = checkSsm(image, record, dModel);
    if (kind == BLOCK_KIND_ATTENTION) status = checkAttention(image, record, dModel);
    if (status != STATUS_OK) return status;
    record += BLOCK_WORDS << 2;
  }
  return STATUS_OK;
}

function checkExits(image: usize, nExits: i32, nBlocks: i32, dModel: i32, nClasses: i32, isTracked: bool): i32 {
  const bytes = <u32>(nExits * (EXIT_WORDS << 2));
  if (sectionBytes(image, SECTION_EXITS) != bytes || sectionCount(image, SECTION_EXITS) != <u32>nExits) return STATUS_BAD_SECTIONS;
  let record = image + sectionOffset(image, SECTION_EXITS);
  let after = -1;
  for (let k = 0; k < nExits; k++) {
    const block = word(record, EXIT_AFTER_BLOCK);
    if (!between(block, after + 1, nBlocks - 1) || word(record, EXIT_EPSILON) < 1) return STATUS_BAD_EXIT;
    after = block;
    if (!between(word(record, EXIT_THRESHOLD), 0, EXIT_NEVER)) return STATUS_BAD_EXIT;
    let status = checkScale(word(record, EXIT_TEMPERATURE_MULTIPLIER), word(record, EXIT_TEMPERATURE_SHIFT), 65535);
    if (status != STATUS_OK) return status;
    if (((word(record, EXIT_TRACKED_MULTIPLIER) | word(record, EXIT_TRACKED_SHIFT)) != 0) != isTracked) return STATUS_BAD_TRACK;
    status = checkScale(word(record, EXIT_TRACKED_MULTIPLIER), word(record, EXIT_TRACKED_SHIFT), 65535 + LIMIT_TRACK_COST);
    if (status != STATUS_OK) return status;
    status = checkLinear(image, linearAt(record, EXIT_HEAD), dModel, nClasses);
    if (status != STATUS_OK) return status;
    record += EXIT_WORDS << 2;
  }
  return after == nBlocks - 1 ? STATUS_OK : STATUS_BAD_EXIT;
}

/** Costs of going from one label to another: none of staying. */
function checkTrack(image: usize, config: usize): i32 {
  const costs = <u32>word(config, CONFIG_TRACK_COSTS);
  const shift = word(config, CONFIG_TRACK_SHIFT);
  if (costs == 0) return shift == 0 ? STATUS_OK : STATUS_BAD_TRACK;
  const n = word(config, CONFIG_CLASSES);
  if (!between(shift, 0, LIMIT_TRACK_SHIFT)) return STATUS_BAD_TRACK;
  if (!inTensors(image, costs, (n * n) << 2)) return STATUS_BAD_TENSOR;
  for (let i = 0; i < n * n; i++) {
    const most = i % (n + 1) == 0 ? 0 : LIMIT_TRACK_COST;
    if (!between(load<i32>(image + costs + <usize>(i << 2)), 0, most)) return STATUS_BAD_TRACK;
  }
  return STATUS_OK;
}

/** What the statistics of a window weigh: bounds, so that no sum wraps. */
function checkEvidence(image: usize, config: usize): i32 {
  const means = <u32>word(config, CONFIG_EVIDENCE_MEANS);
  const limits = <u32>word(config, CONFIG_EVIDENCE_LIMITS);
  const weights = <u32>word(config, CONFIG_EVIDENCE_WEIGHTS);
  const bias = <u32>word(config, CONFIG_EVIDENCE_BIAS);
  const shift = word(config, CONFIG_EVIDENCE_SHIFT);
  if (means == 0) return limits == 0 && weights == 0 && bias == 0 && shift == 0 ? STATUS_OK : STATUS_BAD_EVIDENCE;
  const frames = word(config, CONFIG_WINDOW_PATCHES) * word(config, CONFIG_PATCH_FRAMES);
  if (!between(shift, 0, LIMIT_EVIDENCE_SHIFT) || !between(frames, 2 * FIXED_SWAY_FRAMES, LIMIT_EVIDENCE_FRAMES)) return STATUS_BAD_EVIDENCE;
  const nClasses = word(config, CONFIG_CLASSES);
  const n = statisticsCount(word(config, CONFIG_CHANNELS));
  if (!inTensors(image, means, n << 2) || !inTensors(image, limits, n << 2)) return STATUS_BAD_TENSOR;
  if (!inTensors(image, weights, (n * nClasses) << 1) || !inTensors(image, bias, nClasses << 2)) return STATUS_BAD_TENSOR;
  for (let f: usize = 0; f < <usize>n; f++) {
    if (!between(load<i32>(image + means + (f << 2)), -LIMIT_EVIDENCE_MEAN, LIMIT_EVIDENCE_MEAN)) return STATUS_BAD_EVIDENCE;
    if (!between(load<i32>(image + limits + (f << 2)), 0, LIMIT_EVIDENCE_LIMIT)) return STATUS_BAD_EVIDENCE;
  }
  return STATUS_OK;
}

/** All of it: a status, never a trap, for any `bytes` readable bytes at `image`. */
export function checkImage(image: usize, bytes: u32): i32 {
  let status = checkFile(image, bytes);
  if (status != STATUS_OK) return status;
  const config = image + sectionOffset(image, SECTION_CONFIG);
  status = checkConfig(image, config);
  if (status != STATUS_OK) return status;
  if (sectionBytes(image, SECTION_TABLES) != TABLE_BYTES) return STATUS_BAD_SECTIONS;
  if (crc32(0, image + sectionOffset(image, SECTION_TABLES), TABLE_BYTES) != <u32>TABLES_CRC32) return STATUS_BAD_TABLES;
  status = checkFeatures(image, word(config, CONFIG_CHANNELS));
  if (status != STATUS_OK) return status;
  status = checkTrack(image, config);
  if (status != STATUS_OK) return status;
  status = checkEvidence(image, config);
  if (status != STATUS_OK) return status;
  const dModel = word(config, CONFIG_D_MODEL);
  const nBlocks = word(config, CONFIG_BLOCKS);
  status = checkBlocks(image, nBlocks, dModel);
  if (status != STATUS_OK) return status;
  const isTracked = word(config, CONFIG_TRACK_COSTS) != 0;
  return checkExits(image, word(config, CONFIG_EXITS), nBlocks, dModel, word(config, CONFIG_CLASSES), isTracked);
}
