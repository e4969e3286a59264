import { Model } from "./image";

/** A model with what its LDA head needs of the arena. `lda` may be pointed at another record. */
@unmanaged
export class LdaModel extends Model {
  ldaSums: usize; // s64 (classes); 0 if the image has no LDA
  linear: usize; // s16 (channels, frames of a window)
  sizes: usize; // of each channel the root of its power u32, its largest value s16 and its mean s16, Q3
  acc: usize; // s32, at least the frames of a window; in a session also the output of a linear, y and g of a scan, scores of an attention
}

/**
 * What `prepare` finds out once and every step uses: the first bytes of the arena. Pointers into the image (flash on a
 * microcontroller) and into the arena; nothing here changes after `prepare` but the active set-point behind its pointer, and `lda`,
 * which may be pointed at another record. Followed by a state pointer per block and a ring pointer per exit.
 */
@unmanaged
export class Context extends LdaModel {
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
  projection: usize; // s8: z x B C, or q k v, or g u
  inner: usize; // s8: conv output, attention output
  small: usize; // s16 Δ (nHeads) and s32 Δ·B (dState)
  partial: usize; // s8 (patchFrames · channels), tail
  lastFrame: usize; // s16 (channels), tail
  context: usize; // s8 (contextPatches, patchFrames · channels), tail
  finalResidual: usize; // s16 (dModel), tail
  ownLda: usize; // the image's own LDA record, or 0
  pathScores: usize; // s32 (classes), tail; 0 if decisions are not smoothed
  monitor: usize; // MONITOR_WORDS, the tail's end; 0 if the image has no plausibility limits
}

/** Bytes of a context with its pointers. */
export function contextBytes(model: Model): u32 {
  return <u32>offsetof<Context>() + ((model.nBlocks + model.nExits) << 2);
}

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
  return load<usize>(changetype<usize>(ctx) + <usize>((ctx.nBlocks + exit) << 2), offsetof<Context>());
}

// @ts-ignore: decorator
@inline
export function setRing(ctx: Context, exit: i32, pointer: usize): void {
  store<usize>(changetype<usize>(ctx) + <usize>((ctx.nBlocks + exit) << 2), pointer, offsetof<Context>());
}
