import { BLOCK_WORDS, EXIT_WORDS, LIMIT_BLOCKS, LIMIT_EXITS } from "./layout";

/**
 * What `prepare` finds out once and every step uses: the first bytes of the arena. Pointers into the image (flash on a
 * microcontroller) and into the arena; nothing here changes after `prepare` except the active set-point behind its pointer.
 * Followed by LIMIT_BLOCKS state pointers and LIMIT_EXITS ring pointers.
 */
@unmanaged
export class Context {
  image: usize;
  config: usize; // CONFIG_WORDS s32
  features: usize;
  blocks: usize;
  exits: usize;
  tables: usize;
  tail: usize;
  tailBytes: u32;
  arenaBytes: u32;
  frame: usize; // s16 (channels): the host writes a frame here
  patch: usize; // s8 (patchFrames · channels): and a patch here
  staged: usize; // SETPOINT_WORDS: written by the host, taken over by applySetPoint
  active: usize; // SETPOINT_WORDS
  decision: usize; // DECISION_WORDS
  logits: usize; // s16 (nExits, classes rounded up to 8)
  residual: usize; // s16 (dModel), shared by all blocks
  norm: usize; // s8, input of a linear
  acc: usize; // s32, output of a linear; then y and g of a scan, scores of an attention
  projection: usize; // s8: z x B C, or q k v, or g u
  inner: usize; // s8: conv output, attention output
  small: usize; // s16 Δ (nHeads) and s32 Δ·B (dState)
  partial: usize; // s8 (patchFrames · channels), tail
  lastFrame: usize; // s16 (channels), tail
  context: usize; // s8 (contextPatches, patchFrames · channels), tail
  finalResidual: usize; // s16 (dModel), tail
  evidence: usize; // s64 (classes); 0 where the image has none
  linear: usize; // s16 (channels, frames of a window), of evidence
  sizes: usize; // of each channel the root of its power u32, its largest value s16 and its mean s16, Q3
  track: usize; // s32 (classes), tail; 0 where decisions are not tracked
}

export const CONTEXT_BYTES: usize = offsetof<Context>() + <usize>((LIMIT_BLOCKS + LIMIT_EXITS) << 2);

// @ts-ignore: decorator
@inline
export function blockState(ctx: Context, block: i32): usize {
  return load<usize>(changetype<usize>(ctx) + <usize>(block << 2), offsetof<Context>());
}

// @ts-ignore: decorator
@inline
export function setBlockState(ctx: Context, block: i32, pointer: usize): void {
  store<usize>(changetype<usize>(ctx) + <usize>(block << 2), pointer, offsetof<Context>());
}

// @ts-ignore: decorator
@inline
export function ring(ctx: Context, exit: i32): usize {
  return load<usize>(changetype<usize>(ctx) + <usize>((LIMIT_BLOCKS + exit) << 2), offsetof<Context>());
}

// @ts-ignore: decorator
@inline
export function setRing(ctx: Context, exit: i32, pointer: usize): void {
  store<usize>(changetype<usize>(ctx) + <usize>((LIMIT_BLOCKS + exit) << 2), pointer, offsetof<Context>());
}

// @ts-ignore: decorator
@inline
export function word(record: usize, index: i32): i32 {
  return load<i32>(record + <usize>(index << 2));
}

// @ts-ignore: decorator
@inline
export function setWord(record: usize, index: i32, value: i32): void {
  store<i32>(record + <usize>(index << 2), value);
}

// @ts-ignore: decorator
@inline
export function blockRecord(ctx: Context, block: i32): usize {
  return ctx.blocks + <usize>(block * (BLOCK_WORDS << 2));
}

// @ts-ignore: decorator
@inline
export function exitRecord(ctx: Context, exit: i32): usize {
  return ctx.exits + <usize>(exit * (EXIT_WORDS << 2));
}

/** Rounds up to the arena's alignment. */
// @ts-ignore: decorator
@inline
export function align16(bytes: u32): u32 {
  return (bytes + 15) & ~15;
}
