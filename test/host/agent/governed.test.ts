import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadBoard, loadRadio } from "../../../host/agent/board.ts";
import { createAgentGovernor } from "../../../host/agent/governed.ts";
import type { Decision, SetPoint } from "../../../host/core/session-types.ts";
import { createDriftMonitor } from "../../../host/policy/drift-monitor.ts";
import type { CostTable } from "../../../host/policy/expected-cost.ts";
import { createPrivacyBudget } from "../../../host/policy/privacy-budget.ts";
import { type PowerFigures, type RadioKind, radioKinds } from "../../../host/power/board-power.ts";
import { type Budget, createBudget } from "../../../host/power/budget.ts";
import { DEEPEST_WORKING } from "../../../host/power/degrade.ts";
import { createPoweredDevice } from "../../../host/power/device.ts";
import { createEnergyModel } from "../../../host/power/energy.ts";
import { createRadio } from "../../../host/power/radio.ts";
import { createThermalModel } from "../../../host/power/thermal.ts";
import { DEFAULT_PRICES } from "../../../host/simulate/policy-file.ts";
import { poweredBoard } from "../../../host/simulate/setting.ts";
import { activityShaped } from "../../golden/random-image.ts";

const image = activityShaped(3);
const RATE_HZ = 50;
const rows = image.exits.map((_, k) => ({ unsure: 0.5 / (k + 1), wrong: 0.2 / (k + 1), wrongUnsure: 0.4, macs: 1e5 * (k + 1) }));
const table: CostTable = { sure: rows, doubt: rows, asked: { decisions: 100, wrongBefore: 60, wrongAfter: 1 } };

interface RigOptions {
  readonly board: string;
  readonly radioKind: RadioKind;
  readonly ambientCelsius?: number;
  readonly budget?: Budget;
  readonly reportSeconds: number;
  /** Whether decisions in doubt may ask, where it is worth it; audits ask in any case. Default false. */
  readonly canAsk?: boolean;
  readonly power?: Partial<PowerFigures>;
}

/** A governor on a device, given frames and decisions in the order that the loop gives them; a decision that may ask does. */
function rig({ board, radioKind, ambientCelsius = 22, budget, reportSeconds, canAsk = false, power }: RigOptions) {
  const powered = poweredBoard(loadBoard(board));
  const thermal = createThermalModel(powered.thermal, ambientCelsius);
  const device = createPoweredDevice({
    energy: createEnergyModel({ ...powered.power, ...power }, RATE_HZ),
    budget: budget ?? createBudget({ rateWatts: 10, capacityJoules: 1000 }),
    radio: createRadio(loadRadio(powered, radioKind)),
    thermal,
    ambientCelsius: () => ambientCelsius,
  });
  const governor = createAgentGovernor({
    ...{ image, device, rateHz: RATE_HZ, table, prices: DEFAULT_PRICES, reportSeconds, carries: true },
    drift: createDriftMonitor({ usualDoubt: image.manifest.labels.map(() => 0.1) }),
    privacy: createPrivacyBudget(4e9),
    asks: { intervalHops: 1, deadlineSeconds: 60, holdSeconds: 60 },
    roundTripSeconds: () => 0.1,
  });
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
      if (patches > 0) governor.onAsk(patches * image.channels * image.patchFrames);
      setPoint = governor.setPoint({ canAsk, link: "online" }) as SetPoint;
    }
  };
  return { governor, device, thermal, run };
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
