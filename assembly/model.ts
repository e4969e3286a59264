import {
  ATTENTION_D_MLP, ATTENTION_HEADS, ATTENTION_HEAD_DIM, ATTENTION_KV_HEADS, ATTENTION_WINDOW, BLOCK_KIND, BLOCK_KIND_SSM, CONFIG_BLOCKS,
  CONFIG_CHANNELS, CONFIG_CLASSES, CONFIG_CONTEXT_PATCHES, CONFIG_D_MODEL, CONFIG_EVIDENCE_MEANS, CONFIG_EXITS, CONFIG_HOP_PATCHES,
  CONFIG_PATCH_FRAMES, CONFIG_RING_PATCHES, CONFIG_TRACK_COSTS, CONFIG_WINDOW_PATCHES, DECISION_WORDS, HOPS_SINCE_ASK_MAX, SECTION_BLOCKS,
  SECTION_CONFIG, SECTION_EXITS, SECTION_FEATURES, SECTION_TABLES, SETPOINT_ASK_ALLOWED, SETPOINT_ASK_INTERVAL_HOPS, SETPOINT_HOP_PATCHES,
  SETPOINT_MAX_EXIT, SETPOINT_WORDS, SSM_D_CONV, SSM_D_INNER, SSM_D_STATE, SSM_HEADS, STATE_HEADER_BYTES, STATUS_ARENA_MISALIGNED,
  STATUS_ARENA_OVERLAPS_IMAGE, STATUS_ARENA_TOO_SMALL, STATUS_OK, TAIL_HOPS_SINCE_ASK, TAIL_WORDS,
} from "./layout";
import { CONTEXT_BYTES, Context, align16, blockRecord, setBlockState, setRing, setWord, word } from "./context";
import { checkImage, sectionOffset } from "./validate";

/** Bytes that the last prepare needed, whether it was given them or not. */
let needed: u32 = 0;

export function neededBytes(): u32 {
  return needed;
}

// The arena is laid out by counting.
let cursor: u32 = 0;

function take(bytes: u32): u32 {
  const at = cursor;
  cursor += align16(bytes);
  return at;
}

/** Bytes of block b's persistent state, header included. */
export function stateBytes(record: usize): u32 {
  if (word(record, BLOCK_KIND) == BLOCK_KIND_SSM) {
    const dInner = word(record, SSM_D_INNER);
    return STATE_HEADER_BYTES + align16((word(record, SSM_D_CONV) - 1) * dInner) + align16((dInner * word(record, SSM_D_STATE)) << 2);
  }
  return STATE_HEADER_BYTES + 2 * align16(word(record, ATTENTION_WINDOW) * word(record, ATTENTION_KV_HEADS) * word(record, ATTENTION_HEAD_DIM));
}

/** Where `prepare` lays the arena out before it knows whether it fits; copied to the arena if it does. */
const STAGING = memory.data(<i32>CONTEXT_BYTES, 16);

/** Finds every pointer of `ctx` for an arena at `base`; leaves the bytes it takes in `cursor`. The image is valid. */
function layOut(ctx: Context, image: usize, base: usize): void {
  const config = image + sectionOffset(image, SECTION_CONFIG);
  ctx.image = image;
  ctx.config = config;
  ctx.features = image + sectionOffset(image, SECTION_FEATURES);
  ctx.blocks = image + sectionOffset(image, SECTION_BLOCKS);
  ctx.exits = image + sectionOffset(image, SECTION_EXITS);
  ctx.tables = image + sectionOffset(image, SECTION_TABLES);
  const dModel = word(config, CONFIG_D_MODEL);
  const channels = word(config, CONFIG_CHANNELS);
  const patchBytes = channels * word(config, CONFIG_PATCH_FRAMES);
  const nBlocks = word(config, CONFIG_BLOCKS);
  const nExits = word(config, CONFIG_EXITS);
  const nClasses = word(config, CONFIG_CLASSES);

  // The widest use of each scratch buffer over the blocks.
  let norm = dModel;
  const hasEvidence = word(config, CONFIG_EVIDENCE_MEANS) != 0;
  const frames = word(config, CONFIG_WINDOW_PATCHES) * word(config, CONFIG_PATCH_FRAMES);
  let acc = max<i32>(max<i32>(dModel, nClasses), hasEvidence ? frames : 0);
  let projection = 0;
  let inner = 0;
  let small = 0;
  for (let b = 0; b < nBlocks; b++) {
    const record = blockRecord(ctx, b);
    let wide: i32;
    if (word(record, BLOCK_KIND) == BLOCK_KIND_SSM) {
      const dInner = word(record, SSM_D_INNER);
      const dState = word(record, SSM_D_STATE);
      const nHeads = word(record, SSM_HEADS);
      wide = 2 * dInner + 2 * dState;
      acc = max<i32>(acc, wide + nHeads);
      norm = max<i32>(norm, dInner);
      inner = max<i32>(inner, dInner);
      small = max<i32>(small, <i32>align16(nHeads << 1) + (dState << 2));
    } else {
      const heads = word(record, ATTENTION_HEADS) * word(record, ATTENTION_HEAD_DIM);
      const kv = word(record, ATTENTION_KV_HEADS) * word(record, ATTENTION_HEAD_DIM);
      wide = max<i32>(heads + 2 * kv, 2 * word(record, ATTENTION_D_MLP));
      acc = max<i32>(acc, max<i32>(wide, word(record, ATTENTION_WINDOW)));
      norm = max<i32>(norm, heads);
      inner = max<i32>(inner, heads);
    }
    projection = max<i32>(projection, wide);
  }

  cursor = align16(<u32>CONTEXT_BYTES);
  ctx.frame = base + take(channels << 1);
  ctx.patch = base + take(patchBytes);
  ctx.staged = base + take(SETPOINT_WORDS << 2);
  ctx.active = base + take(SETPOINT_WORDS << 2);
  ctx.decision = base + take(DECISION_WORDS << 2);
  ctx.logits = base + take(nExits * logitStride(nClasses));
  ctx.residual = base + take(dModel << 1);
  ctx.norm = base + take(norm);
  ctx.acc = base + take(acc << 2);
  ctx.projection = base + take(projection);
  ctx.inner = base + take(inner);
  ctx.small = base + take(small);
  ctx.evidence = hasEvidence ? base + take(nClasses << 3) : 0;
  ctx.linear = hasEvidence ? base + take((channels * frames) << 1) : 0;
  ctx.sizes = hasEvidence ? base + take(channels << 3) : 0;

  const tailStart = cursor;
  ctx.tail = base + take(TAIL_WORDS << 2);
  ctx.partial = base + take(patchBytes);
  ctx.lastFrame = base + take(channels << 1);
  ctx.context = base + take(word(config, CONFIG_CONTEXT_PATCHES) * patchBytes);
  ctx.finalResidual = base + take(dModel << 1);
  ctx.track = word(config, CONFIG_TRACK_COSTS) == 0 ? 0 : base + take(nClasses << 2);
  for (let k = 0; k < nExits - 1; k++) setRing(ctx, k, base + take(word(config, CONFIG_RING_PATCHES) * (dModel << 1)));
  for (let b = 0; b < nBlocks; b++) setBlockState(ctx, b, base + take(stateBytes(blockRecord(ctx, b))));
  ctx.tailBytes = cursor - tailStart;
  ctx.arenaBytes = cursor;
}

/** Bytes between two exits' logits (s16). */
export function logitStride(nClasses: i32): i32 {
  return <i32>align16(nClasses << 1);
}

/** Every exit, the image's hop, asking allowed, certified thresholds only. */
function defaultSetPoint(ctx: Context): void {
  memory.fill(ctx.staged, 0, SETPOINT_WORDS << 2);
  setWord(ctx.staged, SETPOINT_MAX_EXIT, word(ctx.config, CONFIG_EXITS) - 1);
  setWord(ctx.staged, SETPOINT_HOP_PATCHES, word(ctx.config, CONFIG_HOP_PATCHES));
  setWord(ctx.staged, SETPOINT_ASK_ALLOWED, 1);
  setWord(ctx.staged, SETPOINT_ASK_INTERVAL_HOPS, 1);
  memory.copy(ctx.active, ctx.staged, SETPOINT_WORDS << 2);
}

/** Zeroes the state: as after power-on, but for the set-point. */
export function resetState(ctx: Context): void {
  memory.fill(ctx.tail, 0, ctx.tailBytes);
  setWord(ctx.tail, TAIL_HOPS_SINCE_ASK, HOPS_SINCE_ASK_MAX);
}

/** Validates the image and lays out the arena; nothing is allocated, nothing fails after it. Returns a STATUS_ code. */
export function prepareModel(image: usize, imageBytes: u32, arena: usize, arenaBytes: u32): i32 {
  needed = 0;
  const status = checkImage(image, imageBytes);
  if (status != STATUS_OK) return status;
  if (arena & 15) return STATUS_ARENA_MISALIGNED;
  const staging = changetype<Context>(STAGING);
  layOut(staging, image, arena);
  needed = cursor;
  if (needed > arenaBytes) return STATUS_ARENA_TOO_SMALL;
  // Distances modulo 2^32: flash that is mapped below the memory's base is an address near its top.
  if (<u32>(arena - image) < imageBytes || <u32>(image - arena) < needed) return STATUS_ARENA_OVERLAPS_IMAGE;
  memory.fill(arena, 0, needed);
  memory.copy(arena, STAGING, CONTEXT_BYTES);
  const ctx = changetype<Context>(arena);
  defaultSetPoint(ctx);
  resetState(ctx);
  return STATUS_OK;
}
