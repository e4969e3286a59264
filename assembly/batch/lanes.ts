import { LdaModel } from "../context";

// A batch is LANES sequences side by side: element i of every array is LANES values, one a sequence. What differs from row to row
// (a multiplier, a shift, a weight) is then the same for a whole vector, so that requantisation, convolution, scan and norm run in
// SIMD, which a single sequence's rows do not allow. Activations of 8 and 16 bits both lie as s16: (n, LANES).

/** Sequences in a batch: one v128 of s16. */
export const LANES = 8;
/** Bytes of one element: LANES s16, or LANES s32. */
export const ROW16: usize = 16;
export const ROW32: usize = 32;
/** Patches that a block runs over before the next block takes them on: its weights and state stay in the nearest cache meanwhile. */
export const CHUNK = 32;

/** What `prepare` finds out once: the first bytes of the arena, followed by a pointer to each block's state and weights. */
@unmanaged
export class Batch extends LdaModel {
  maxPatches: i32; // longest sequence that `patches` has room for
  arenaBytes: u32;
  lengths: usize; // s32 (LANES): patches of each sequence; 0 = an empty lane
  patches: usize; // s8 (LANES, maxPatches, patchBytes): the host writes them here
  logits: usize; // s16 (LANES, classes rounded up to 8): of the last exit at each sequence's end
  wideEmbedding: usize; // wide weights of the embedding, and of the last exit's head
  wideHead: usize;
  residual: usize; // s16 (CHUNK, dModel, LANES)
  present: usize; // s16 (dModel, LANES): the last block's residual at one patch
  x: usize; // s16 (pairs, LANES, 2): input of a linear
  projection: usize; // s16 (rows, LANES): z x B C Δ, or q k v, or g u
  inner: usize; // s16 (n, LANES): u and then g of a scan, output of an attention
  small: usize; // s32 (n, LANES): Δ·B, or scores
  row: usize; // s16 (classes, LANES)
  states: usize; // where the blocks' states begin
  stateBytes: u32;
}

/** A block's words after the Batch: its state, then the wide weights of its linears, at most BLOCK_LINEARS. */
export const BLOCK_LINEARS = 4;
const BLOCK_POINTERS = 1 + BLOCK_LINEARS;
export const STATE = 0;
export const WIDE = 1;

export function batchBytes(nBlocks: i32): u32 {
  return <u32>offsetof<Batch>() + ((nBlocks * BLOCK_POINTERS) << 2);
}

// @ts-ignore: decorator
@inline
export function pointerOf(batch: Batch, block: i32, which: i32): usize {
  return load<usize>(changetype<usize>(batch) + <usize>((block * BLOCK_POINTERS + which) << 2), offsetof<Batch>());
}

// @ts-ignore: decorator
@inline
export function setPointerOf(batch: Batch, block: i32, which: i32, pointer: usize): void {
  store<usize>(changetype<usize>(batch) + <usize>((block * BLOCK_POINTERS + which) << 2), pointer, offsetof<Batch>());
}

// Scratch buffers that all blocks share, in rows.
export const LANES_X = 0;
export const LANES_PROJECTION = 1;
export const LANES_INNER = 2;
export const LANES_SMALL = 3;
