import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Decision, SetPoint } from "../../../../host/core/session/session-types.ts";
import type { AskInputOptions } from "../../../../host/policy/govern/ask-inputs.ts";
import { createDriftMonitor } from "../../../../host/policy/govern/drift-monitor.ts";
import type { CostTable } from "../../../../host/policy/govern/expected-cost.ts";
import { createAgentGovernor } from "../../../../host/policy/govern/governed.ts";
import { DEFAULT_PRICES } from "../../../../host/policy/govern/policy-file.ts";
import { createPrivacyBudget } from "../../../../host/policy/govern/privacy-budget.ts";
import { createBattery } from "../../../../host/power/battery.ts";
import { loadBoard, loadRadio } from "../../../../host/power/board.ts";
import { type PowerFigures, type RadioKind, radioKinds } from "../../../../host/power/board-power.ts";
import { type Budget, createBudget, discretionaryWatts } from "../../../../host/power/budget.ts";
import { DEEPEST_WORKING } from "../../../../host/power/degrade.ts";
import { createPoweredDevice } from "../../../../host/power/device.ts";
import { createEnergyModel } from "../../../../host/power/energy.ts";
import { poweredBoard } from "../../../../host/power/powered-board.ts";
import { createRadio } from "../../../../host/power/radio.ts";
import { createThermalModel } from "../../../../host/power/thermal.ts";
import { activityShaped } from "../../../golden/random-image.ts";

const image = activityShaped(3);
const RATE_HZ = 50;
const rows = image.exits.map((_, k) => ({
  unsure: 0.5 / (k + 1),
  wrong: 0.2 / (k + 1),
  wrongUnsure: 0.4,
  macs: 1e5 * (k + 1),
  mostLoss: 0,
}));
const table: CostTable = { sure: rows, unsure: rows, asked: { decisions: 100, wrongBefore: 60, wrongAfter: 1, leastGain: 0.5 } };

interface RigOptions {
  readonly board: string;
  readonly radioKind: RadioKind;
  readonly ambientCelsius?: number;
  readonly budget?: Budget;
  readonly reportSeconds: number;
  /** Whether decisions in doubt may ask, where it is worth it; audits ask in any case. Default false. */
  readonly canAsk?: boolean;
  readonly power?: Partial<PowerFigures>;
  /** Bytes of sensor data that may leave per day. Default: more than any day needs. */
  readonly privacyBytes?: number;
  readonly asks?: AskInputOptions;
  /** The board's battery, full, which shall last so long. Default: none. */
  readonly targetSeconds?: number;
}

/** A governor on a device, given frames and decisions in the order that the loop gives them; a decision that may ask does. */
function rig(options: RigOptions) {
  const {
    board,
    radioKind,
    ambientCelsius = 22,
    budget,
    reportSeconds,
    canAsk = false,
    power,
    privacyBytes = 4e9,
    targetSeconds,
  } = options;
  const powered = poweredBoard(loadBoard(board));
  const thermal = createThermalModel(powered.thermal, ambientCelsius);
  const battery = targetSeconds === undefined ? undefined : createBattery(powered.battery);
  const energy = createEnergyModel({ ...powered.power, ...power }, RATE_HZ);
  const device = createPoweredDevice({
    energy,
    battery,
    budget: budget ?? createBudget({ rateWatts: 10, capacityJoules: 1000 }),
    radio: createRadio(loadRadio(powered, radioKind)),
    thermal,
    ambientCelsius: () => ambientCelsius,
  });
  const privacy = createPrivacyBudget({ bytesPerDay: privacyBytes });
  const onAsk = (bytes: number): void => {
    privacy.send(governor.seconds, bytes); // as the loop does
    governor.onAsk(bytes);
  };
  const governor = createAgentGovernor({
    ...{ image, device, rateHz: RATE_HZ, table, prices: DEFAULT_PRICES, reportSeconds, carries: true },
    drift: createDriftMonitor({ usualDisagreement: image.manifest.labels.map(() => 0.1) }),
    privacy,
    asks: { intervalHops: 1, deadlineSeconds: 60, holdSeconds: 60, ...options.asks },
    roundTripSeconds: () => 0.1,
    ...(targetSeconds !== undefined && { targetSeconds }),
  });
  /** Time passes second by second, and nothing is decided. */
  const idle = (fromSeconds: number, toSeconds: number): void => {
    for (let second = fromSeconds; second < toSeconds; second++) governor.admits(second * RATE_HZ + 1);
  };
  const run = (seconds: number, onHop: () => void = () => {}): void => {
    let setPoint = governor.setPoint({ canAsk, link: "online" }) as SetPoint;
    let patch = 0;
    for (let tick = 1, frame = 0; tick <= seconds * RATE_HZ; tick++) {
      if (tick % (image.hopPatches * image.patchFrames) === 0) onHop();
      if (!governor.admits(tick) || ++frame % image.patchFrames !== 0 || ++patch % setPoint.hopPatches !== 0) continue;
      const why = setPoint.askAllowed ? "ask" : "deferred";
      const decision: Decision = { label: 0, exit: setPoint.maxExit, confidenceQ15: 0, why, tick, patch, macs: 0, rebuilds: 0, steps: 0 };
      governor.onDecision(decision);
      const isSent = why === "ask" || governor.isAudit(decision);
      const patches = isSent ? governor.askPatches() : 0;
      if (patches > 0) onAsk(patches * image.channels * image.patchFrames);
      setPoint = governor.setPoint({ canAsk, link: "online" }) as SetPoint;
    }
  };
  return { governor, device, thermal, battery, energy, run, idle, onAsk };
}

describe("the governor of an agent, on heat", () => {
  it.each(["lte-m", "wifi"] as const)("gives up nothing for a report over %s every ten minutes that the skin hardly feels", (radioKind) => {
    const { governor, thermal, run } = rig({ board: "smart-glasses", radioKind, ambientCelsius: 38, reportSeconds: 600 });
    run(2 * 3600);
    expect(thermal.maxSkinCelsius).toBeLessThan(thermal.limitCelsius - 0.5);
    expect(governor.levelChanges).toBe(0);
  });

  it("degrades for reports so frequent that their mean is too much", () => {
    const { governor, run } = rig({ board: "smart-glasses", radioKind: "lte-m", ambientCelsius: 38, reportSeconds: 10 });
    run(1800);
    expect(governor.status().level).toBeGreaterThan(0);
  });

  it("sees the load that draws on while the work rests, and settles", () => {
    const figure = (value: number) => ({ value, source: "given by the test" });
    const power = { clockHz: figure(1e6), activeMilliamps: figure(500) }; // a decision's work alone would heat too much
    const { governor, thermal, run } = rig({ board: "smart-glasses", radioKind: "ble", ambientCelsius: 35, reportSeconds: 600, power });
    const duties: number[] = [];
    run(2400, () => duties.push(governor.status().duty));
    const late = duties.slice(duties.length / 2);
    expect(thermal.maxSkinCelsius).toBeLessThanOrEqual(thermal.limitCelsius);
    expect(governor.status().level).toBe(DEEPEST_WORKING);
    expect(Math.max(...late)).toBeLessThan(1);
    expect(Math.max(...late) - Math.min(...late)).toBeLessThan(0.05);
  });
});

describe("the governor of an agent, on its budget", () => {
  it("begins no operation in a closed bucket, so that the debt is at most one, for any bucket, radio and pace of reports", () => {
    fc.assert(
      fc.property(
        fc.record({
          radioKind: fc.constantFrom(...radioKinds),
          rateWatts: fc.double({ min: 0, max: 5e-3, noNaN: true }),
          initialJoules: fc.double({ min: 0, max: 0.1, noNaN: true }),
          reportSeconds: fc.integer({ min: 10, max: 300 }),
          canAsk: fc.boolean(),
        }),
        ({ rateWatts, initialJoules, ...setting }) => {
          const bucket = createBudget({ rateWatts, capacityJoules: 1, initialJoules });
          let begunClosed = 0;
          const spend: Budget["spend"] = (joules, beforeJoules) => {
            if (beforeJoules === undefined && !bucket.isOpen) begunClosed++;
            bucket.spend(joules, beforeJoules);
          };
          const budget: Budget = Object.defineProperties({} as Budget, {
            ...Object.getOwnPropertyDescriptors(bucket),
            spend: { value: spend },
          });
          rig({ board: "nrf52840-dk", ...setting, budget }).run(900);
          expect(begunClosed).toBe(0);
          expect(bucket.overspendJoules).toBeLessThanOrEqual(1e-12);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("the governor of an agent, on its audits", () => {
  it.each([
    ["ble", 18], // an audit costs little: one every ten minutes
    ["lte-m", 3], // with a report alone
    ["wifi", 3],
  ] as const)("audits over %s %i times in three hours of hourly reports", (radioKind, audits) => {
    const { governor, run } = rig({ board: "nrf52840-dk", radioKind, reportSeconds: 3600 });
    run(3 * 3600 + 10);
    expect(governor.audits).toBe(audits);
  });

  it("audits once more on a radio that is up anyway", () => {
    const { governor, device, run } = rig({ board: "nrf52840-dk", radioKind: "lte-m", reportSeconds: 3600 });
    let isAlarm = true;
    run(1200, () => {
      if (governor.seconds < 900 || !isAlarm) return;
      device.radio!.carry(governor.seconds, 200, 0);
      isAlarm = false;
    });
    expect(governor.audits).toBe(1);
  });
});

describe("the governor of an agent, on its battery", () => {
  it("takes a new rate from what the battery holds every 900 s, and none in between", () => {
    const DAY = 86_400;
    const { governor, battery, energy, idle } = rig({ board: "nrf52840-dk", radioKind: "ble", reportSeconds: 1e9, targetSeconds: DAY });
    idle(0, 890);
    const first = governor.status().budgetWatts;
    battery!.drain(battery!.capacityJoules / 2, 0);
    idle(890, 899);
    expect(governor.status().budgetWatts).toBe(first);
    idle(899, 903);
    const floor = energy.sleepWatts + energy.sensorWatts + energy.loadWatts;
    const left = discretionaryWatts(battery!.usableJoules(22), DAY - 900, floor);
    expect(left).toBeGreaterThan(0);
    expect(governor.status().budgetWatts).toBeCloseTo(left, 3);
    expect(governor.status().budgetWatts).toBeLessThan(0.6 * first);
  });
});

describe("the governor of an agent, on its privacy budget", () => {
  it("leaves a quarter of the day's bytes to audits alone", () => {
    const contextBytes = image.contextPatches * image.channels * image.patchFrames;
    const { governor, idle, onAsk } = rig({
      board: "nrf52840-dk",
      radioKind: "ble",
      reportSeconds: 65_000,
      privacyBytes: 20 * contextBytes,
    });
    idle(0, 70_000); // late in the day: its pace allows 17 contexts; a report at 65,000 s makes an audit due
    const unsure: Decision = { label: 0, exit: 3, confidenceQ15: 0, why: "deferred", tick: 0, patch: 0, macs: 0, rebuilds: 0, steps: 0 };
    governor.onDecision(unsure);
    const mayAsk = () => governor.setPoint({ canAsk: true, link: "online" }).askAllowed;
    for (let sent = 0; sent < 15; sent++) {
      expect([sent, mayAsk(), governor.isAllowanceSpent]).toEqual([sent, true, false]);
      onAsk(contextBytes);
    }
    expect([mayAsk(), governor.isAllowanceSpent]).toEqual([false, true]);
    expect([governor.isAudit(unsure), governor.askPatches()]).toEqual([true, image.contextPatches]);
  });

  it.each([
    ["features", image.windowPatches * image.channels * image.patchFrames],
    ["raw", 2 * image.windowPatches * image.channels * image.patchFrames],
    ["activations", image.windowPatches * image.dModel],
  ] as const)("weighs asks of %s by their own size", (form, windowBytes) => {
    const may = (privacyBytes: number) =>
      rig({
        board: "nrf52840-dk",
        radioKind: "ble",
        reportSeconds: 600,
        privacyBytes,
        asks: { inputs: [{ form, worth: 1 }] },
      }).governor.askPatches();
    expect([may(windowBytes - 1), may(windowBytes)]).toEqual([0, image.windowPatches]);
  });
});
