import {
  COUNTER_DECISIONS, COUNTER_FRAMES, COUNTER_HELD, COUNTER_IGNORED, COUNTER_RESETS, COUNTER_SLEPT, COUNTER_UNUSED, LINK_DEVICE, LOG_GAP,
  LOG_TICKS_RESTARTED, OPTION_HASH, OPTION_SNAPSHOT_TICKS, OPTION_TELEMETRY_TICKS, SENSOR_HEADER_BYTES, SNAPSHOT_TICKS_MIN,
} from "./layout";
import {
  DECISION_EXIT, DECISION_WHY, LIMIT_CHANNELS, PUSH_DECISION, PUSH_HELD, PUSH_IGNORED, PUSH_RESET,
  TAIL_HAS_TICK, TAIL_LAST_TICK, WHY_ASK,
} from "../layout";
import { Context } from "../context";
import { word } from "../words";
import { crc32 } from "../crc32";
import { logitStride, resetState } from "../model";
import { pushFrame } from "../stream";
import { ask, resendAsks } from "./asks";
import { save } from "./journal";
import { sendDecision, sendLog } from "./link-out";
import { feel, forgetStillness } from "./motion";
import { sendTelemetry } from "./report";
import { agentAt, agents, count, hasTick, option, setTick, tick } from "./state";

// Sensor frames to the agents, and what is due at their ticks.

let mayRestart: bool = true; // the next frame's tick may lie before the last: after a start, and on a hello that requests it
let telemetryTick: u32 = 0;
let saveTick: u32 = 0;
let framesSinceSave: i32 = 0; // since the last periodic save, at most SNAPSHOT_TICKS_MIN: ticks may leap, frames cannot

export function allowNewTicks(): void {
  mayRestart = true;
}

/** CRC-32 of the logits of exits 0 … the decision's, then of the tail. */
function hashOf(ctx: Context): u32 {
  const nClasses = ctx.nClasses;
  let crc: u32 = 0;
  for (let k = 0; k <= word(ctx.decision, DECISION_EXIT); k++) {
    crc = crc32(crc, ctx.logits + <usize>(k * logitStride(nClasses)), nClasses << 1);
  }
  return crc32(crc, ctx.tail, ctx.tailBytes);
}

/** Forgets ticks that a restarted counter can never reach again. */
function restartTicks(now: u32): void {
  mayRestart = false;
  forgetStillness();
  for (let i = 0; i < agents; i++) {
    if (agentAt(i).image == 0) continue;
    const ctx = changetype<Context>(agentAt(i).model);
    if (word(ctx.tail, TAIL_HAS_TICK) == 0 || now - <u32>word(ctx.tail, TAIL_LAST_TICK) - 1 < 0x7fffffff) continue;
    resetState(ctx);
    sendLog(LOG_TICKS_RESTARTED, i, 0);
  }
}

function pushTo(index: i32, frame: usize, channels: i32, now: u32): void {
  const ctx = changetype<Context>(agentAt(index).model);
  memory.copy(ctx.frame, frame, <usize>(channels << 1));
  const lost = now - <u32>word(ctx.tail, TAIL_LAST_TICK) - 1;
  const flags = pushFrame(ctx, now);
  if (flags & PUSH_IGNORED) count(COUNTER_IGNORED);
  if (flags & PUSH_HELD) count(COUNTER_HELD, lost);
  if (flags & PUSH_RESET) {
    count(COUNTER_RESETS);
    sendLog(LOG_GAP, index, lost);
  }
  if (!(flags & PUSH_DECISION)) return;
  count(COUNTER_DECISIONS);
  sendDecision(index, ctx.decision, option(OPTION_HASH) != 0 ? hashOf(ctx) : 0);
  if (word(ctx.decision, DECISION_WHY) == WHY_ASK) ask(index);
}

function isDue(since: u32, key: i32): bool {
  return option(key) != 0 && tick - since >= option(key);
}

function pass(frame: usize, channels: i32, to: i32, now: u32): void {
  count(COUNTER_FRAMES);
  if (mayRestart) {
    restartTicks(now);
    setTick(now);
    telemetryTick = now;
    saveTick = now;
  } else if (!hasTick || <i32>(now - tick) > 0) setTick(now);
  if (channels >= 3 && !feel(frame, now)) count(COUNTER_SLEPT);
  else {
    let isTaken = false;
    for (let i = 0; i < agents; i++) {
      if (to != LINK_DEVICE && to != i) continue;
      const agent = agentAt(i);
      if (agent.image == 0 || changetype<Context>(agent.model).channels != channels) continue;
      isTaken = true;
      pushTo(i, frame, channels, now);
    }
    if (!isTaken) count(COUNTER_UNUSED);
  }
  resendAsks(false);
  if (isDue(telemetryTick, OPTION_TELEMETRY_TICKS)) {
    telemetryTick = tick;
    sendTelemetry();
  }
  framesSinceSave = min<i32>(framesSinceSave + 1, SNAPSHOT_TICKS_MIN);
  if (framesSinceSave == SNAPSHOT_TICKS_MIN && isDue(saveTick, OPTION_SNAPSHOT_TICKS)) {
    framesSinceSave = 0;
    saveTick = tick;
    save();
  }
}

/** The payload of a sensor message. False when it is none. */
export function takeSensor(to: i32, payload: usize, bytes: i32): bool {
  if (bytes < SENSOR_HEADER_BYTES) return false;
  const frames = <i32>load<u8>(payload, 4);
  const channels = <i32>load<u8>(payload, 5);
  if (frames < 1 || channels < 1 || channels > LIMIT_CHANNELS || bytes != SENSOR_HEADER_BYTES + ((frames * channels) << 1)) return false;
  const first = load<u32>(payload);
  for (let i = 0; i < frames; i++) {
    pass(payload + SENSOR_HEADER_BYTES + <usize>((i * channels) << 1), channels, to, first + i);
  }
  return true;
}
