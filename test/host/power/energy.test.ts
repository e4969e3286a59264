import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EXIT_NEVER } from "../../../assembly/layout.ts";
import { writeImage } from "../../../host/core/image/image-write.ts";
import { Model } from "../../../host/core/session/model.ts";
import { encodeSetPoint } from "../../../host/link/decision.ts";
import { createBattery } from "../../../host/power/battery.ts";
import { loadBoards } from "../../../host/power/board.ts";
import { onCurve } from "../../../host/power/board-power.ts";
import { type DegradeLevel, degraded, degradeLevels } from "../../../host/power/degrade.ts";
import { createEnergyModel } from "../../../host/power/energy.ts";
import { createOpsMeter } from "../../../host/power/ops-meter.ts";
import { activityShaped } from "../../golden/random-image.ts";
import { randomPatches, seeded } from "../../support/random.ts";

const shaped = activityShaped(3);
const image = { ...shaped, exits: shaped.exits.map((exit) => ({ ...exit, threshold: 0 })) };
const model = Model.load(writeImage(image), { engine: "scalar" });
const boards = loadBoards().filter(({ power }) => power !== undefined);

describe("operations of a decision", () => {
  it("are counted as the core counts them, for any set-points, catch-ups, rebuilds and resets", () => {
    const last = image.exits.length - 1;
    const step = fc.record({
      maxExit: fc.nat(last),
      threshold: fc.constantFrom(0, 20000, EXIT_NEVER),
      hopPatches: fc.integer({ min: 1, max: 70 }),
      isReset: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), fc.nat(1000), (steps, seed) => {
        const session = model.createSession();
        const meter = createOpsMeter(image);
        const random = seeded(seed);
        for (const { maxExit, threshold, hopPatches, isReset } of steps) {
          session.setPoint({
            maxExit,
            hopPatches,
            askAllowed: false,
            limitReason: "none",
            askIntervalHops: 1,
            thresholds: image.exits.map(() => threshold),
          });
          if (isReset) {
            session.reset();
            meter.reset();
          }
          for (const patch of randomPatches(random, image.channels * image.patchFrames, hopPatches)) {
            const { decision } = session.pushPatch(patch);
            if (decision !== undefined) expect(meter.read(decision).macs).toBe(decision.macs);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it("cost joules on every board, more for every deeper exit", () => {
    const meter = createOpsMeter(image);
    for (const board of boards) {
      const energy = createEnergyModel(board.power!, 50);
      const joules = image.exits.map((_, k) => energy.computeJoules(meter.steady(k, image.hopPatches)));
      for (let k = 1; k < joules.length; k++) expect(joules[k]!).toBeGreaterThan(joules[k - 1]!);
      expect(energy.computeSeconds(meter.steady(0, image.hopPatches))).toBeGreaterThan(0);
      expect(energy.sensorWatts).toBeGreaterThan(0);
    }
  });
});

describe("the boards that are worn", () => {
  it("name a source for every figure", () => {
    expect(boards.length).toBeGreaterThanOrEqual(5);
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== "object" || value === null) return;
      if ("value" in value) expect((value as { source?: string }).source ?? "", path).toMatch(/\S{3,}.*\s/);
      for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`);
    };
    for (const { id, power, battery, thermal } of boards) visit({ power, battery, thermal }, id);
  });
});

describe("the levels of degradation", () => {
  it("ask no more, go no deeper and decide no more often from level to level", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 70_000 }),
        fc.integer({ min: 1, max: 1024 }),
        fc.array(fc.constantFrom(0, 30000, EXIT_NEVER), { minLength: 1, maxLength: 8 }),
        (interval, hopPatches, thresholds) => {
          const shape = { hopPatches, exits: thresholds.map((threshold, k) => ({ ...image.exits[0]!, afterBlock: k, threshold })) };
          let before = degraded(shape, 0, interval);
          for (let level = 1; level < degradeLevels.length; level++) {
            const now = degraded(shape, level as DegradeLevel, interval);
            expect(now.maxExit).toBeLessThanOrEqual(before.maxExit);
            expect(now.hopPatches).toBeGreaterThanOrEqual(before.hopPatches);
            expect(now.askIntervalHops).toBeGreaterThanOrEqual(before.askIntervalHops);
            expect(now.askPriceFactor).toBeGreaterThanOrEqual(before.askPriceFactor);
            expect(Number(now.isDeciding)).toBeLessThanOrEqual(Number(before.isDeciding));
            before = now;
          }
        },
      ),
    );
  });
});

describe("a battery", () => {
  const figures = boards[0]!.battery!;

  it("gives its capacity and no more, less in the cold, and loses some on the shelf", () => {
    const battery = createBattery(figures);
    expect(battery.usableJoules(25)).toBeCloseTo(battery.capacityJoules, 6);
    expect(battery.usableJoules(-20)).toBeLessThan(0.6 * battery.capacityJoules);
    battery.drain(battery.capacityJoules / 2, 0);
    expect(battery.stateOfCharge).toBeCloseTo(0.5, 9);
    battery.drain(1e9, 10);
    expect(battery.stateOfCharge).toBe(0);
    expect(battery.usableJoules(25)).toBe(0);
    const shelf = createBattery(figures);
    shelf.drain(0, 30 * 86_400);
    expect(shelf.stateOfCharge).toBeCloseTo(Math.exp(-figures.selfDischargePercentPerMonth.value / 100), 9);
  });

  it("falls in volts with its charge", () => {
    const { points } = figures.volts;
    expect(onCurve(points, -1)).toBe(points[0]![1]);
    expect(onCurve(points, 2)).toBe(points.at(-1)![1]);
    for (let charge = 0.05; charge <= 1; charge += 0.05) expect(onCurve(points, charge)).toBeGreaterThan(onCurve(points, charge - 0.05));
  });
});

describe("the bytes of a set-point", () => {
  it("are the words that the core takes, little-endian", () => {
    const bytes = encodeSetPoint({
      maxExit: 2,
      hopPatches: 32,
      askAllowed: true,
      limitReason: "thermal",
      askIntervalHops: 300,
      thresholds: [1, 2, 32769, 4],
    });
    const view = new DataView(bytes.buffer);
    expect(Array.from({ length: bytes.length / 4 }, (_, i) => view.getInt32(4 * i, true))).toEqual([
      2, 32, 1, 4, 300, 0, 0, 0, 1, 2, 32769, 4, 0, 0, 0, 0,
    ]);
  });
});
