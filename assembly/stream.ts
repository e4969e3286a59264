import {
  CONFIG_CHANNELS, CONFIG_GAP_LIMIT_FRAMES, CONFIG_PATCH_FRAMES, PUSH_DECISION, PUSH_HELD, PUSH_IGNORED, PUSH_PATCH, PUSH_RESET,
  TAIL_FRAMES_IN_PATCH, TAIL_HAS_TICK, TAIL_LAST_TICK,
} from "./layout";
import { Context, setWord, word } from "./context";
import { quantiseFrame } from "./features/imu";
import { resetState } from "./model";
import { decide, isDue } from "./policy";
import { stepPatch } from "./step";

/** Adds one frame to the patch under way; true when that completed (and ran) it. */
function appendFrame(ctx: Context, frame: usize): bool {
  const channels = word(ctx.config, CONFIG_CHANNELS);
  const count = word(ctx.tail, TAIL_FRAMES_IN_PATCH);
  quantiseFrame(frame, ctx.features, ctx.partial + <usize>(count * channels), channels);
  const isFull = count + 1 == word(ctx.config, CONFIG_PATCH_FRAMES);
  setWord(ctx.tail, TAIL_FRAMES_IN_PATCH, isFull ? 0 : count + 1);
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
  if (word(ctx.tail, TAIL_HAS_TICK) != 0) {
    const gap = tick - <u32>word(ctx.tail, TAIL_LAST_TICK) - 1;
    if (gap >= 0x7fffffff) return PUSH_IGNORED;
    if (gap > <u32>word(ctx.config, CONFIG_GAP_LIMIT_FRAMES)) {
      resetState(ctx);
      flags = PUSH_RESET;
    } else {
      for (let i: u32 = 0; i < gap; i++) {
        if (appendFrame(ctx, ctx.lastFrame)) flags |= PUSH_PATCH;
        flags |= PUSH_HELD;
      }
    }
  }
  setWord(ctx.tail, TAIL_LAST_TICK, tick);
  setWord(ctx.tail, TAIL_HAS_TICK, 1);
  memory.copy(ctx.lastFrame, ctx.frame, <usize>(word(ctx.config, CONFIG_CHANNELS) << 1));
  if (appendFrame(ctx, ctx.frame)) {
    flags |= PUSH_PATCH;
    if (isDue(ctx)) {
      decide(ctx);
      flags |= PUSH_DECISION;
    }
  }
  return flags;
}

/** One patch, in ctx.patch, past the features. Returns PUSH_ flags. */
export function pushPatch(ctx: Context): i32 {
  stepPatch(ctx, ctx.patch);
  if (!isDue(ctx)) return PUSH_PATCH;
  decide(ctx);
  return PUSH_PATCH | PUSH_DECISION;
}
