import * as L from "../layout";
import { align16, word } from "../words";
import * as M from "./layout";

/** A session: what its image says, pointers to its scratch, and its state, in one arena. The image is read in place. */
@unmanaged
export class Lm {
  image: usize;
  input: usize; // TOKENS record
  blocks: usize; // (nBlocks, BLOCK_WORDS)
  head: usize; // LANGUAGE record
  tensors: u32; // offsets of the tensors and of their end
  tensorsEnd: u32;
  dModel: i32;
  nBlocks: i32;
  vocabulary: i32;
  headSize: i32;
  residualBits: i32;
  window: i32;
  projections: i32; // most rows of the blocks: of q, k and v together,
  queries: i32; // of q,
  hidden: i32; // of the gate
  residual: usize; // s32 (dModel)
  norm: usize; // s8 (widest input), padded to 16
  acc: usize; // s32 (widest output)
  wide: usize; // s16 (widest output)
  cosines: usize; // s16 (headSize)
  sines: usize;
  scores: usize; // s32 (window)
  weights: usize; // s16 (window)
  logits: usize; // s32 (vocabulary)
  logitScale: i32; // Scale
  exponents: usize; // u16 (vocabulary), of sampling
  mask: usize; // bits, one a token
  tokens: usize; // u32 (LM_CHUNK)
  state: usize; // LM_STATE_WORDS u32, then the rings
  stateBytes: u32;
  arenaBytes: u32;
  isMasked: i32;
  ring: usize; // (nBlocks) pointers to each block's keys; values, key scales and value scales follow
}

// @ts-ignore: decorator
@inline
export function blockAt(lm: Lm, block: i32): usize {
  return lm.blocks + <usize>(block * (L.BLOCK_WORDS << 2));
}

/** Address of an array whose offset is at a word of a record. */
// @ts-ignore: decorator
@inline
export function arrayAt(lm: Lm, record: usize, index: i32): usize {
  return lm.image + <usize>word(record, index);
}

// @ts-ignore: decorator
@inline
export function ringOf(lm: Lm, block: i32): usize {
  return load<usize>(lm.ring + <usize>(block << 2));
}

/** Bytes of a block's keys, values and scales. */
export function ringBytes(lm: Lm, record: usize): u32 {
  const heads = word(record, M.DECODER_KV_HEADS);
  return heads * lm.window * (2 * lm.headSize + 4);
}

/** Lays the arena of a checked image out from `base`; pointers behind `lm` are written if `isReal`. Fills arenaBytes and stateBytes. */
export function layOut(lm: Lm, base: usize, isReal: bool): void {
  const widest = max<i32>(max<i32>(lm.dModel, lm.projections), lm.hidden << 1);
  let at = align16(<u32>offsetof<Lm>());
  lm.ring = base + at;
  at = align16(at + (lm.nBlocks << 2));
  lm.residual = base + at;
  at = align16(at + (lm.dModel << 2));
  lm.norm = base + at;
  at = align16(at + max<i32>(max<i32>(lm.dModel, lm.queries), lm.hidden));
  lm.acc = base + at;
  at = align16(at + (widest << 2));
  lm.wide = base + at;
  at = align16(at + (widest << 1));
  lm.cosines = base + at;
  at = align16(at + (lm.headSize << 1));
  lm.sines = base + at;
  at = align16(at + (lm.headSize << 1));
  lm.scores = base + at;
  at = align16(at + (lm.window << 2));
  lm.weights = base + at;
  at = align16(at + (lm.window << 1));
  lm.logits = base + at;
  at = align16(at + (lm.vocabulary << 2));
  lm.exponents = base + at;
  at = align16(at + (lm.vocabulary << 1));
  lm.mask = base + at;
  at = align16(at + ((lm.vocabulary + 7) >> 3));
  lm.tokens = base + at;
  at = align16(at + (M.LM_CHUNK << 2));
  const stateStart = at;
  lm.state = base + at;
  at += M.LM_STATE_WORDS << 2;
  for (let b = 0; b < lm.nBlocks; b++) {
    if (isReal) store<usize>(lm.ring + <usize>(b << 2), base + at);
    at = align16(at + ringBytes(lm, blockAt(lm, b)));
  }
  lm.stateBytes = at - stateStart;
  lm.arenaBytes = at;
}

/** As after prepare: position 0 and nothing seen. The mask stays. */
export function reset(lm: Lm): void {
  memory.fill(lm.state, 0, lm.stateBytes);
}
