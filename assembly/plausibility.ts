import * as L from "./layout";
import { Context } from "./context";
import { setWord, word } from "./words";

// Whether an IMU's frames can be those of a worn sensor as the model was trained with. Sums and products of MONITOR_BLOCK patches give the
// block's features; each rule of the image is a linear function of them, whose sign is a vote. The state is the tail's end, and holds no
// index: any bits of it are sound. Oracle: host/core/arithmetic/plausibility.ts, bit-exact.

const CHANNELS = L.MONITOR_CHANNELS;
const ROW = 2 * CHANNELS; // of products: with the values now, then with those of the patch before

// @ts-ignore: decorator
@inline
function add(state: usize, index: i32, value: i32): void {
  setWord(state, index, word(state, index) + value);
}

/** Takes ctx.frame if it is its patch's last; ctx.lastFrame is the frame before. Nothing without rules in the image. */
export function monitorFrame(ctx: Context): void {
  const state = ctx.monitor;
  if (state == 0 || word(ctx.tail, L.TAIL_FRAMES_IN_PATCH) + 1 != ctx.patchFrames) return;
  const values = state + (L.MONITOR_VALUES << 2);
  memory.copy(values + (CHANNELS << 2), values, CHANNELS << 2);
  let changed = word(state, L.MONITOR_CHANGED);
  for (let c = 0; c < CHANNELS; c++) {
    const value = <i32>load<i16>(ctx.frame + <usize>(c << 1));
    if (value != <i32>load<i16>(ctx.lastFrame + <usize>(c << 1))) changed |= 1 << c;
    setWord(values, c, value >> L.MONITOR_STEP_SHIFT);
  }
  setWord(state, L.MONITOR_CHANGED, changed);
  let product = L.MONITOR_PRODUCTS;
  for (let a = 0; a < CHANNELS; a++) {
    const value = word(values, a);
    add(state, L.MONITOR_SUMS + a, value);
    for (let b = 0; b < ROW; b++) add(state, product++, value * word(values, b));
  }
  add(state, L.MONITOR_PATCHES, 1);
  if (word(state, L.MONITOR_PATCHES) < L.MONITOR_BLOCK) return;
  measure(state);
  judge(ctx, state);
  memory.fill(state, 0, L.MONITOR_VALUES << 2);
}

/** The features of the block that is whole: its products become covariances, times the square of its patches. */
function measure(state: usize): void {
  let product = L.MONITOR_PRODUCTS;
  for (let a = 0; a < CHANNELS; a++) {
    const triad = a < 3 ? 0 : 1;
    const diagonal = product + a;
    add(state, L.MONITOR_STRENGTH + triad, word(state, diagonal));
    for (let b = 0; b < ROW; b++, product++) {
      const sums = word(state, L.MONITOR_SUMS + a) * word(state, L.MONITOR_SUMS + (b < CHANNELS ? b : b - CHANNELS));
      setWord(state, product, word(state, product) * L.MONITOR_BLOCK - sums);
    }
    add(state, L.MONITOR_POWER + triad, word(state, diagonal));
    add(state, L.MONITOR_UNCHANGED + triad, ((word(state, L.MONITOR_CHANGED) >> a) & 1) ^ 1);
  }
}

/** Each rule votes. RULE_ON votes for its fault more than against raise it, as many the other way clear it. */
function judge(ctx: Context, state: usize): void {
  let rule = ctx.image + <usize>word(ctx.plausibility, L.PLAUSIBILITY_TABLE);
  let weight = ctx.image + <usize>word(ctx.plausibility, L.PLAUSIBILITY_WEIGHTS);
  let isMoving = true;
  let faults = 0;
  for (let r = 0; r < word(ctx.plausibility, L.PLAUSIBILITY_RULES); r++, rule += L.RULE_WORDS << 2) {
    let score = <i64>word(rule, L.RULE_BIAS);
    let feature = state + <usize>(word(rule, L.RULE_FIRST) << 2);
    for (let left = word(rule, L.RULE_COUNT); left > 0; left--, feature += 4, weight += 2) score += <i64>word(feature, 0) * <i64>load<i16>(weight);
    let isFault = score > 0;
    const on = word(rule, L.RULE_ON);
    let votes = word(state, L.MONITOR_VOTES + r);
    const mode = word(rule, L.RULE_MODE);
    if (mode == L.RULE_MODE_GATE) isMoving = isFault;
    else {
      const isResting = !isMoving && mode != L.RULE_MODE_ALWAYS;
      if (isResting) isFault = false;
      // Above `on` the fault stands. Its votes begin at the other end then, so that a rule's few last votes do not toggle it.
      if (!isResting || (mode == L.RULE_MODE_RESTED && votes <= on)) {
        votes = max<i32>(0, min<i32>(2 * on, votes + (isFault ? 1 : -1)));
        if (votes == on) votes = isFault ? 2 * on : 0;
        setWord(state, L.MONITOR_VOTES + r, votes);
      }
      if (votes > on) faults |= word(rule, L.RULE_FAULT);
    }
  }
  setWord(state, L.MONITOR_FAULTS, faults);
}

/** FAULT_ bits that stand; none without rules in the image. */
export function readFaults(ctx: Context): i32 {
  return ctx.monitor == 0 ? 0 : word(ctx.monitor, L.MONITOR_FAULTS) & L.FAULTS_ALL;
}
