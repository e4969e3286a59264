import type { Loop, LoopCounters, LoopStep } from "../../../host/agent/loop-types.ts";
import type { ViewInfo } from "../../../host/agent/run-view.ts";
import type { Sensor } from "../../../host/agent/sensors/sensor.ts";
import type { Model } from "../../../host/core/session/model.ts";
import type { GovernorStatus } from "../../../host/policy/govern/governor-types.ts";
import type { DashboardRun } from "../../../host/web/dashboard.ts";

const HOP_TICKS = 64;

export const LABELS = ["walking", "upstairs", "downstairs", "sitting", "standing", "laying", "transition"];

export const INFO: ViewInfo = {
  ...{ agent: "activity", sensor: "synthetic:1", speed: 10, rateHz: 50, labels: LABELS, nExits: 4, hopSeconds: 1.28, hopMacs: 1000 },
  ...{ arenaBytes: 17_408, imageBytes: 55_168, hasBroker: true, board: "nrf52840-dk" },
};

export const COUNTERS: LoopCounters = {
  ...{ decisions: 40, events: 3, exits: [20, 10, 5, 5], meanMacs: 300, frames: 2560, gaps: 0, resets: 0, ignored: 0, applied: 2 },
  ...{ anomalies: 0, withheld: 0, sensorFaults: [], asked: 4, answered: 3, expired: 0, refused: 0, evicted: 0, pending: 1 },
  truth: { decisions: 39, localRight: 30, deviceRight: 31, shownRight: 36 },
};

export const POWER: GovernorStatus = {
  ...{ stateOfCharge: 0.98, batteryVolts: 4.1, skinCelsius: 30, limitCelsius: 42, forecastCelsius: 31, budgetFill: 1, budgetJoules: 8 },
  ...{ budgetWatts: 0.0024, watts: 0.001, level: 0 as const, duty: 1, driftStep: 0 },
  joules: { compute: 1, radio: 0.5, sensor: 2, sleep: 0.1, load: 0 },
};

/** A recording of six channels whose frames are given by hand. */
export function handSensor(frames: readonly number[] = []): Sensor {
  return {
    ...{ name: "hand", rateHz: 50, channels: 6 },
    async *[Symbol.asyncIterator]() {
      for (const tick of frames) yield { tick, frame: Int16Array.of(tick % 100, 0, 4096, 0, 0, 0) };
    },
  };
}

/** A run whose steps the test writes. */
export function scriptedRun(over: Partial<DashboardRun> = {}): DashboardRun {
  const channels = ["ax", "ay", "az", "gx", "gy", "gz"].map((name) => ({ name, unit: "g", countsPerUnit: 4096 }));
  return {
    info: INFO,
    node: "wrist-1",
    model: { image: { manifest: { channels } } } as unknown as Model,
    sensor: handSensor(),
    loop: () => ({ counters: () => COUNTERS }) as unknown as Loop,
    power: () => POWER,
    ...over,
  };
}

/** The i-th decision. */
export function decision(i: number, over: Partial<(LoopStep & { kind: "decision" })["record"]> = {}): LoopStep {
  return {
    kind: "decision",
    record: {
      ...{ tick: i * HOP_TICKS, label: "walking", confidence: 0.9, exit: 1, why: "exit", macs: 300, rebuilds: 0, shown: "walking" },
      ...{ source: "local", truth: "walking", reason: "sure enough at exit 2 of 4" },
      ...over,
    },
  };
}

export function ask(id: string, i: number): LoopStep {
  return { kind: "ask", id, tick: i * HOP_TICKS, label: "sitting", confidence: 0.6 };
}

export function outcome(id: string, i: number): LoopStep {
  return {
    ...{ kind: "outcome", local: "sitting", answer: "standing", use: "applied" },
    outcome: {
      ...{ id, state: "answered", agent: "activity", tick: i * HOP_TICKS, latencyMillis: 40 },
      local: { label: 3, confidenceQ15: 19_660, exit: 3 },
      answer: { label: 4, confidence: 0.93, model: "teacher" },
    },
  };
}
