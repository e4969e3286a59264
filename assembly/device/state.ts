import {
  COUNTER_BOOTS, COUNTER_WORDS, DEVICE_AGENTS, MOTION_NOT_WORN_TICKS, MOTION_STILL_VARIANCE, MOTION_WAKE_VARIANCE, OPTION_HASH,
  OPTION_NOT_WORN_TICKS, OPTION_SNAPSHOT_TICKS, OPTION_STILL_VARIANCE, OPTION_TELEMETRY_TICKS, OPTION_WAKE_VARIANCE, OPTION_WORDS,
  PERIOD_SNAPSHOT_TICKS, PERIOD_TELEMETRY_TICKS, SNAPSHOT_TICKS_MIN,
} from "./layout";

// Device state beside the models: counters, options, time, and one record an agent.

/** Device time: the tick of the newest sensor frame. There is no other clock. */
export let tick: u32 = 0;
export let hasTick: bool = false;

export function setTick(now: u32): void {
  tick = now;
  hasTick = true;
}

export function forgetTick(): void {
  hasTick = false;
}

export const counters = memory.data(COUNTER_WORDS << 2, 16);
export const options = memory.data(OPTION_WORDS << 2, 16);

/** Adds to a counter, which stays at its largest value. Only the boots begin anew, so that two starts never number their asks alike. */
export function count(counter: i32, by: u32 = 1): void {
  const p = counters + <usize>(counter << 2);
  const sum = load<u32>(p) + by;
  store<u32>(p, sum >= by || counter == COUNTER_BOOTS ? sum : u32.MAX_VALUE);
}

export function option(key: i32): u32 {
  return load<u32>(options + <usize>(key << 2));
}

/** Sets an option, from the link or from the store. False for one that there is not, and for a value out of its range. */
export function setOption(key: u32, value: u32): bool {
  if (key > <u32>OPTION_NOT_WORN_TICKS || (key == OPTION_HASH && value > 1)) return false;
  if (key == OPTION_SNAPSHOT_TICKS && value != 0 && value < <u32>SNAPSHOT_TICKS_MIN) return false;
  store<u32>(options + <usize>(key << 2), value);
  return true;
}

export function defaultOptions(): void {
  memory.fill(options, 0, OPTION_WORDS << 2);
  setOption(OPTION_TELEMETRY_TICKS, PERIOD_TELEMETRY_TICKS);
  setOption(OPTION_SNAPSHOT_TICKS, PERIOD_SNAPSHOT_TICKS);
  setOption(OPTION_STILL_VARIANCE, MOTION_STILL_VARIANCE);
  setOption(OPTION_WAKE_VARIANCE, MOTION_WAKE_VARIANCE);
  setOption(OPTION_NOT_WORN_TICKS, MOTION_NOT_WORN_TICKS);
}

/** An agent of this device. */
@unmanaged
export class Agent {
  factory: usize; // image linked into the firmware, 0 = none: setImage
  factoryBytes: u32;
  image: usize; // the one that runs, 0 = none
  imageBytes: u32;
  model: usize; // its arena
  arenaBytes: u32;
  slot: i32; // SLOT_
  start: i32; // START_
  status: i32; // of the prepare, or of the one that was refused
  wanted: i32; // slot that the journal names
  hasSetPoint: u32;
}

const AGENT_BYTES: usize = offsetof<Agent>();
const records = memory.data(DEVICE_AGENTS * <i32>AGENT_BYTES, 16);

export function agentAt(index: i32): Agent {
  return changetype<Agent>(records + <usize>index * AGENT_BYTES);
}

/** How many agents there are: those with a factory image, and those with slots in the store. */
export let agents: i32 = 0;

export function setAgents(n: i32): void {
  agents = min<i32>(n, DEVICE_AGENTS);
}
