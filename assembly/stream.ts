import * as L from "./layout";
import { Context } from "./context";
import { quantiseFrame } from "./features/imu";
import { resetStream } from "./model";
import { monitorFrame } from "./plausibility";
import { decide, isDue } from "./policy";
import { stepPatch } from "./step";
import { setWord, word } from "./words";

/** Adds one frame to the patch under way; true when that completed (and ran) it. */
function appendFrame(ctx: Context, frame: usize): bool {
  const channels = ctx.channels;
  const count = word(ctx.tail, L.TAIL_FRAMES_IN_PATCH);
  quantiseFrame(frame, ctx.features, ctx.partial + <usize>(count * channels), channels);
  const isFull = count + 1 == ctx.patchFrames;
  setWord(ctx.tail, L.TAIL_FRAMES_IN_PATCH, isFull ? 0 : count + 1);
  if (isFull) {
    // A copy, because `partial` is in the tail and readable only up to its own length rounded up to 16: so is `patch`.
    memory.copy(ctx.patch, ctx.partial, <usize>(channels * (count + 1)));
    stepPatch(ctx, ctx.patch);
  }
  return isFull;
}

/** One frame, in ctx.frame, at device tick `tick` (frame count, u32). Lost frames are held or reset, late ones ignored. Returns PUSH_ flags. */
export function pushFrame(ctx: Context, tick: u32): i32 {
  let flags = 0;
  if (word(ctx.tail, L.TAIL_HAS_TICK) != 0) {
    const gap = tick - <u32>word(ctx.tail, L.TAIL_LAST_TICK) - 1;
    if (gap >= 0x7fffffff) return L.PUSH_IGNORED;
    if (gap > <u32>ctx.gapLimitFrames) {
      resetStream(ctx);
      flags = L.PUSH_RESET;
    } else {
      for (let i: u32 = 0; i < gap; i++) {
        if (appendFrame(ctx, ctx.lastFrame)) flags |= L.PUSH_PATCH;
        flags |= L.PUSH_HELD;
      }
    }
  }
  monitorFrame(ctx);
  setWord(ctx.tail, L.TAIL_LAST_TICK, tick);
  setWord(ctx.tail, L.TAIL_HAS_TICK, 1);
  memory.copy(ctx.lastFrame, ctx.frame, <usize>(ctx.channels << 1));
  if (appendFrame(ctx, ctx.frame)) {
    flags |= L.PUSH_PATCH;
    if (isDue(ctx)) {
      decide(ctx);
      flags |= L.PUSH_DECISION;
    }
  }
  return flags;
}

/** One patch, in ctx.patch, past the features. Returns PUSH_ flags. */
export function pushPatch(ctx: Context): i32 {
  stepPatch(ctx, ctx.patch);
  if (!isDue(ctx)) return L.PUSH_PATCH;
  decide(ctx);
  return L.PUSH_PATCH | L.PUSH_DECISION;
}
