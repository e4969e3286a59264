import { align16, word } from "../context";
import {
  ATTENTION_DOWN, ATTENTION_D_MLP, ATTENTION_GATE_UP, ATTENTION_HEADS, ATTENTION_HEAD_DIM, ATTENTION_KV_HEADS, ATTENTION_O_PROJ, ATTENTION_QKV,
  ATTENTION_WINDOW, BLOCK_WORDS, CONFIG_BLOCKS, CONFIG_CHANNELS, CONFIG_CLASSES, CONFIG_D_MODEL, CONFIG_EMBED, CONFIG_EXITS, CONFIG_PATCH_FRAMES,
  EXIT_HEAD, EXIT_WORDS, LIMIT_PATCHES, SECTION_BLOCKS, SECTION_CONFIG, SECTION_EXITS, SECTION_TABLES, SSM_D_INNER, SSM_D_STATE, SSM_HEADS,
  SSM_IN_PROJ, SSM_OUT_PROJ, STATUS_ARENA_MISALIGNED, STATUS_ARENA_OVERLAPS_IMAGE, STATUS_ARENA_TOO_SMALL, STATUS_BAD_SIZE, STATUS_OK,
} from "../layout";
import { checkImage, sectionOffset } from "../validate";
import { attentionStateBytes } from "./attention-lanes";
import { BATCH_HEAD_BYTES, Batch, CHUNK, LANES, ROW16, ROW32, STATE, WIDE, batchBytes, isSsm, setPointerOf } from "./lanes";
import { widenWeights, wideBytes } from "./linear-lanes";
import { ssmStateBytes } from "./ssm-lanes";

let needed: u32 = 0;
let cursor: u32 = 0;

/** Bytes that the last prepare needed, whether it was given them or not. */
export function neededBytes(): u32 {
  return needed;
}

function take(bytes: u32): u32 {
  const at = cursor;
  cursor += align16(bytes);
  return at;
}

// A first pass counts (isReal false: `batch` is STAGING and blocks' pointers go nowhere), a second one, once it fits, writes.
const STAGING = memory.data(<i32>BATCH_HEAD_BYTES, 16);

function weights(batch: Batch, base: usize, record: usize, isReal: bool): usize {
  const wide = base + take(wideBytes(record));
  if (isReal) widenWeights(batch.image, record, wide);
  return wide;
}

function layOut(batch: Batch, image: usize, base: usize, maxPatches: i32, isReal: bool): void {
  const config = image + sectionOffset(image, SECTION_CONFIG);
  const nBlocks = word(config, CONFIG_BLOCKS);
  const dModel = word(config, CONFIG_D_MODEL);
  const nClasses = word(config, CONFIG_CLASSES);
  const patchBytes = word(config, CONFIG_CHANNELS) * word(config, CONFIG_PATCH_FRAMES);
  batch.image = image;
  batch.config = config;
  batch.blocks = image + sectionOffset(image, SECTION_BLOCKS);
  batch.exits = image + sectionOffset(image, SECTION_EXITS);
  batch.tables = image + sectionOffset(image, SECTION_TABLES);
  batch.maxPatches = maxPatches;
  cursor = align16(batchBytes(nBlocks));
  batch.lengths = base + take(LANES << 2);
  batch.patches = base + take(LANES * maxPatches * patchBytes);
  batch.logits = base + take(LANES * align16(nClasses << 1));
  batch.embed = weights(batch, base, config + (CONFIG_EMBED << 2), isReal);
  batch.head = weights(batch, base, batch.exits + <usize>((word(config, CONFIG_EXITS) - 1) * (EXIT_WORDS << 2)) + (EXIT_HEAD << 2), isReal);

  // The widest use of each scratch buffer over the blocks, in rows.
  let x = max<i32>(dModel, patchBytes);
  let projection = 0;
  let inner = 0;
  let small = 0;
  for (let b = 0; b < nBlocks; b++) {
    const record = batch.blocks + <usize>(b * (BLOCK_WORDS << 2));
    if (isSsm(record)) {
      const dInner = word(record, SSM_D_INNER);
      const dState = word(record, SSM_D_STATE);
      projection = max<i32>(projection, 2 * (dInner + dState) + word(record, SSM_HEADS));
      inner = max<i32>(inner, dInner);
      small = max<i32>(small, dState);
      x = max<i32>(x, dInner);
      const inProj = weights(batch, base, record + (SSM_IN_PROJ << 2), isReal);
      const outProj = weights(batch, base, record + (SSM_OUT_PROJ << 2), isReal);
      if (isReal) {
        setPointerOf(batch, b, WIDE, inProj);
        setPointerOf(batch, b, WIDE + 1, outProj);
      }
    } else {
      const heads = word(record, ATTENTION_HEADS) * word(record, ATTENTION_HEAD_DIM);
      const dMlp = word(record, ATTENTION_D_MLP);
      projection = max<i32>(projection, max<i32>(heads + 2 * word(record, ATTENTION_KV_HEADS) * word(record, ATTENTION_HEAD_DIM), 2 * dMlp));
      inner = max<i32>(inner, heads);
      small = max<i32>(small, word(record, ATTENTION_WINDOW));
      x = max<i32>(x, max<i32>(heads, dMlp));
      const qkv = weights(batch, base, record + (ATTENTION_QKV << 2), isReal);
      const oProj = weights(batch, base, record + (ATTENTION_O_PROJ << 2), isReal);
      const gateUp = weights(batch, base, record + (ATTENTION_GATE_UP << 2), isReal);
      const down = weights(batch, base, record + (ATTENTION_DOWN << 2), isReal);
      if (isReal) {
        setPointerOf(batch, b, WIDE, qkv);
        setPointerOf(batch, b, WIDE + 1, oProj);
        setPointerOf(batch, b, WIDE + 2, gateUp);
        setPointerOf(batch, b, WIDE + 3, down);
      }
    }
  }
  batch.residual = base + take(CHUNK * dModel * <u32>ROW16);
  batch.present = base + take(dModel * <u32>ROW16);
  batch.x = base + take((x + 1) * <u32>ROW16);
  batch.projection = base + take(projection * <u32>ROW16);
  batch.inner = base + take(inner * <u32>ROW16);
  batch.small = base + take(small * <u32>ROW32);
  batch.row = base + take(nClasses * <u32>ROW16);
  const first = cursor;
  batch.states = base + first;
  for (let b = 0; b < nBlocks; b++) {
    const record = batch.blocks + <usize>(b * (BLOCK_WORDS << 2));
    const state = base + take(isSsm(record) ? ssmStateBytes(record) : attentionStateBytes(record));
    if (isReal) setPointerOf(batch, b, STATE, state);
  }
  batch.stateBytes = cursor - first;
  batch.arenaBytes = cursor;
}

/** Validates the image and lays out the arena for LANES sequences of at most `maxPatches` patches. Returns a STATUS_ code. */
export function prepareBatch(image: usize, imageBytes: u32, arena: usize, arenaBytes: u32, maxPatches: i32): i32 {
  needed = 0;
  const status = checkImage(image, imageBytes);
  if (status != STATUS_OK) return status;
  if (maxPatches < 1 || maxPatches > LIMIT_PATCHES) return STATUS_BAD_SIZE;
  if (arena & 15) return STATUS_ARENA_MISALIGNED;
  layOut(changetype<Batch>(STAGING), image, arena, maxPatches, false);
  needed = cursor;
  if (needed > arenaBytes) return STATUS_ARENA_TOO_SMALL;
  if (<u32>(arena - image) < imageBytes || <u32>(image - arena) < needed) return STATUS_ARENA_OVERLAPS_IMAGE;
  memory.fill(arena, 0, needed);
  layOut(changetype<Batch>(arena), image, arena, maxPatches, true);
  return STATUS_OK;
}
