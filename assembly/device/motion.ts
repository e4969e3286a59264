import {
  COUNTER_SLEEPS, LINK_DEVICE, LOG_NOT_WORN, LOG_WORN, MOTION_BLOCK_FRAMES, OPTION_NOT_WORN_TICKS, OPTION_STILL_VARIANCE,
  OPTION_WAKE_VARIANCE,
} from "./layout";
import { sendLog } from "./link-out";
import { count, option } from "./state";

// Worn or not, from the accelerometer alone: the variance of its first three channels over blocks of 16 frames, summed, in counts².
// A wearer, even asleep, breathes and shifts; a device on a table does not. While it is not worn, frames reach no model. Only frames that
// came count as still: where more than one is lost, or the tick does not advance, what passed is unknown, and stillness begins anew. A
// block goes on with the frames that come, so that motion wakes over the worst of links.

const SUMS_BYTES = 16;
const sums = memory.data(SUMS_BYTES, 16); // s32 Σx of three axes
let squares: i64 = 0; // Σx² of the three together
let filled: i32 = 0;
let stillFrames: u32 = 0; // of the still blocks in a row
let lastTick: u32 = 0;
let asleep: bool = false;

function clearBlock(): void {
  memory.fill(sums, 0, SUMS_BYTES);
  squares = 0;
  filled = 0;
}

/** How long it has been still is not known any more. */
export function forgetStillness(): void {
  stillFrames = 0;
}

export function startMotion(): void {
  clearBlock();
  forgetStillness();
  asleep = false;
}

export function isNotWorn(): bool {
  return asleep;
}

/** The board's motion interrupt, or a command. */
export function wake(byCommand: i32): void {
  clearBlock();
  forgetStillness();
  if (!asleep) return;
  asleep = false;
  sendLog(LOG_WORN, LINK_DEVICE, byCommand);
}

/** Takes a frame of ≥ 3 channels into account. True when the models should see it. */
export function feel(frame: usize, tick: u32): bool {
  const still = option(OPTION_STILL_VARIANCE);
  if (still == 0) {
    wake(0);
    return true;
  }
  if (tick - lastTick - 1 > 1) forgetStillness();
  lastTick = tick;
  for (let axis: usize = 0; axis < 3; axis++) {
    const x = <i32>load<i16>(frame + (axis << 1));
    const p = sums + (axis << 2);
    store<i32>(p, load<i32>(p) + x);
    squares += <i64>x * <i64>x;
  }
  if (++filled < MOTION_BLOCK_FRAMES) return !asleep;
  // n²·variance = n·Σx² − (Σx)²
  let spread = <i64>MOTION_BLOCK_FRAMES * squares;
  for (let axis: usize = 0; axis < 3; axis++) {
    const sum = <i64>load<i32>(sums + (axis << 2));
    spread -= sum * sum;
  }
  clearBlock();
  const scale = <i64>(MOTION_BLOCK_FRAMES * MOTION_BLOCK_FRAMES);
  if (asleep) {
    if (spread >= <i64>option(OPTION_WAKE_VARIANCE) * scale) wake(0);
  } else if (spread >= <i64>still * scale) {
    stillFrames = 0;
  } else {
    if (stillFrames <= u32.MAX_VALUE - MOTION_BLOCK_FRAMES) stillFrames += MOTION_BLOCK_FRAMES;
    if (stillFrames >= option(OPTION_NOT_WORN_TICKS)) {
      asleep = true;
      count(COUNTER_SLEEPS);
      sendLog(LOG_NOT_WORN, LINK_DEVICE, stillFrames);
    }
  }
  return !asleep;
}
