import {
  ASK_HEADER_BYTES, ASK_LIFE_TICKS, ASK_RETRY_TICKS, COUNTER_ASKS, COUNTER_ASKS_DROPPED, COUNTER_ASKS_EXPIRED, COUNTER_ASKS_TAKEN,
  COUNTER_BOOTS, COUNTER_RESENT, DEVICE_ASKS, LINK_ASK, LOG_ASK_DROPPED, LOG_ASK_EXPIRED,
} from "./layout";
import {
  DECISION_CONFIDENCE, DECISION_EXIT, DECISION_LABEL, DECISION_TICK, HEADER_CRC32,
  TAIL_CONTEXT_COUNT, TAIL_CONTEXT_HEAD,
} from "../layout";
import { Context } from "../context";
import { word } from "../words";
import { sendLog, sendMessage } from "./link-out";
import { claim } from "./room";
import { agentAt, agents, count, counters, tick } from "./state";

// Asks wait here, whole, until the gateway acknowledges that they are in its durable outbox. At most DEVICE_ASKS; what is dropped is counted.

@unmanaged
class Ask {
  isKept: u32;
  agent: i32;
  retries: i32; // MAX_RETRIES = that many, or more
  nextTick: u32; // when it goes out again
}

const KEPT_BYTES: u32 = (<u32>offsetof<Ask>() + 15) & ~15; // an Ask; then the message
const MAX_RETRIES = 3;
let slots: usize = 0;
let slotSize: u32 = 0;
let room: i32 = 0; // asks that there is memory for
let nextNumber: u32 = 0;

function askAt(index: i32): Ask {
  return changetype<Ask>(slots + <usize>(<u32>index * slotSize));
}

function message(ask: Ask): usize {
  return changetype<usize>(ask) + KEPT_BYTES;
}

function patchBytes(ctx: Context): i32 {
  return ctx.channels * ctx.patchFrames;
}

/** As many asks as memory has room for, once every arena is laid out. Numbers differ from one start to the next. */
export function startAsks(): void {
  let longest: u32 = 0;
  for (let i = 0; i < agents; i++) {
    if (agentAt(i).image == 0) continue;
    const ctx = changetype<Context>(agentAt(i).model);
    longest = max<u32>(longest, patchBytes(ctx) * ctx.contextPatches);
  }
  slotSize = (KEPT_BYTES + ASK_HEADER_BYTES + longest + 15) & ~15;
  room = longest == 0 ? 0 : DEVICE_ASKS;
  while (room > 0) {
    slots = claim(<u32>room * slotSize);
    if (slots != 0) break;
    room--;
  }
  for (let i = 0; i < room; i++) askAt(i).isKept = 0;
  nextNumber = load<u32>(counters + (COUNTER_BOOTS << 2)) << 16;
}

/** The context, oldest patch first. */
function copyContext(ctx: Context, to: usize): void {
  const bytes = <usize>patchBytes(ctx);
  const size = ctx.contextPatches;
  const n = word(ctx.tail, TAIL_CONTEXT_COUNT);
  let slot = word(ctx.tail, TAIL_CONTEXT_HEAD) - n;
  if (slot < 0) slot += size;
  for (let i = 0; i < n; i++) {
    memory.copy(to + <usize>i * bytes, ctx.context + <usize>slot * bytes, bytes);
    slot = slot + 1 == size ? 0 : slot + 1;
  }
}

function transmit(ask: Ask): void {
  const p = message(ask);
  const bytes = ASK_HEADER_BYTES + <i32>load<u16>(p, 16) * <i32>load<u16>(p, 18);
  sendMessage(LINK_ASK, ask.agent, p, bytes);
  ask.nextTick = tick + ((<u32>ASK_RETRY_TICKS) << ask.retries);
  ask.retries = min<i32>(ask.retries + 1, MAX_RETRIES);
}

function drop(ask: Ask, counter: i32, code: i32): void {
  ask.isKept = 0;
  count(counter);
  sendLog(code, ask.agent, load<u32>(message(ask)));
}

/** Sends what the last decision asks, and keeps it. The oldest gives way. */
export function ask(agent: i32): void {
  count(COUNTER_ASKS);
  if (room == 0) {
    count(COUNTER_ASKS_DROPPED);
    sendLog(LOG_ASK_DROPPED, agent, nextNumber++);
    return;
  }
  let chosen = 0;
  for (let i = 0; i < room; i++) {
    const one = askAt(i);
    if (one.isKept == 0) {
      chosen = i;
      break;
    }
    if (<i32>(load<u32>(message(one)) - load<u32>(message(askAt(chosen)))) < 0) chosen = i;
  }
  const kept = askAt(chosen);
  if (kept.isKept != 0) drop(kept, COUNTER_ASKS_DROPPED, LOG_ASK_DROPPED);
  const ctx = changetype<Context>(agentAt(agent).model);
  const p = message(kept);
  store<u32>(p, nextNumber++);
  store<u32>(p, word(ctx.decision, DECISION_TICK), 4);
  store<u32>(p, load<u32>(ctx.image, HEADER_CRC32), 8);
  store<u16>(p, <u16>word(ctx.decision, DECISION_CONFIDENCE), 12);
  store<u8>(p, <u8>word(ctx.decision, DECISION_LABEL), 14);
  store<u8>(p, <u8>word(ctx.decision, DECISION_EXIT), 15);
  store<u16>(p, <u16>word(ctx.tail, TAIL_CONTEXT_COUNT), 16);
  store<u16>(p, <u16>patchBytes(ctx), 18);
  copyContext(ctx, p + ASK_HEADER_BYTES);
  kept.isKept = 1;
  kept.agent = agent;
  kept.retries = 0;
  transmit(kept);
}

/** The gateway has it. False when no such ask is kept. */
export function askTaken(number: u32): bool {
  for (let i = 0; i < room; i++) {
    const one = askAt(i);
    if (one.isKept == 0 || load<u32>(message(one)) != number) continue;
    one.isKept = 0;
    count(COUNTER_ASKS_TAKEN);
    return true;
  }
  return false;
}

/** Whether an ask of this number has left since the start. */
export function wasAsked(number: u32): bool {
  const first = load<u32>(counters + (COUNTER_BOOTS << 2)) << 16;
  return number - first < nextNumber - first;
}

/** Resends unacknowledged asks when due, or all of them now; drops expired ones. */
export function resendAsks(isNow: bool): void {
  for (let i = 0; i < room; i++) {
    const one = askAt(i);
    if (one.isKept == 0) continue;
    if (tick - load<u32>(message(one), 4) >= <u32>ASK_LIFE_TICKS) {
      drop(one, COUNTER_ASKS_EXPIRED, LOG_ASK_EXPIRED);
    } else if (isNow || <i32>(tick - one.nextTick) >= 0) {
      count(COUNTER_RESENT);
      transmit(one);
    }
  }
}

/** The device starts anew: what it still keeps is lost, and counted before the counters are saved. */
export function dropAsks(): void {
  for (let i = 0; i < room; i++) {
    const one = askAt(i);
    if (one.isKept != 0) drop(one, COUNTER_ASKS_DROPPED, LOG_ASK_DROPPED);
  }
}

export function asksKept(): i32 {
  let n = 0;
  for (let i = 0; i < room; i++) if (askAt(i).isKept != 0) n++;
  return n;
}

export function nextAsk(): u32 {
  return nextNumber;
}
