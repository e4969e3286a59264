import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ThermalFigures } from "../../../host/power/board-power.ts";
import type { DegradeLevel } from "../../../host/power/degrade.ts";
import { createThermalModel } from "../../../host/power/thermal.ts";
import { createThermalGovernor } from "../../../host/power/thermal-governor.ts";

function figures(kelvinPerWatt: number, joulesPerKelvin: number, toJunction = 10): ThermalFigures {
  const figure = (value: number) => ({ value, source: "given by the test" });
  return {
    skin: { kelvinPerWatt: figure(kelvinPerWatt), joulesPerKelvin: figure(joulesPerKelvin), limitCelsius: figure(42) },
    junction: { kelvinPerWatt: figure(toJunction), limitCelsius: figure(95) },
  };
}

const resistance = fc.double({ min: 2, max: 80, noNaN: true });
const capacity = fc.double({ min: 0.5, max: 60, noNaN: true });

describe("the thermal model", () => {
  it("is the same in one step as in many, and as the differential equation in very small ones", () => {
    fc.assert(
      fc.property(
        resistance,
        capacity,
        fc.double({ min: 0, max: 3, noNaN: true }),
        fc.integer({ min: 1, max: 40 }),
        (r, c, watts, parts) => {
          const whole = createThermalModel(figures(r, c), 25);
          const cut = createThermalModel(figures(r, c), 25);
          whole.step(watts, 30, 120);
          for (let i = 0; i < parts; i++) cut.step(watts, 30, 120 / parts);
          expect(cut.skinCelsius).toBeCloseTo(whole.skinCelsius, 9);
        },
      ),
    );
    const exact = createThermalModel(figures(20, 5), 35);
    exact.step(0.85, 35, 60);
    let euler = 35;
    for (let i = 0; i < 600_000; i++) euler += ((0.85 - (euler - 35) / 20) / 5) * 0.0001;
    expect(exact.skinCelsius).toBeCloseTo(euler, 3);
  });

  it("does not blow up in a step of a year", () => {
    const model = createThermalModel(figures(20, 5), 20);
    model.step(1, 20, 3e7);
    expect(model.skinCelsius).toBeCloseTo(40, 9);
  });

  it("reaches its limit just then at the power that it allows", () => {
    const model = createThermalModel(figures(20, 5, 0), 36);
    model.step(model.allowedWatts(41, 30, 60), 30, 60);
    expect(model.skinCelsius).toBeCloseTo(41, 9);
  });
});

describe("the thermal governor", () => {
  const levels = fc.tuple(fc.double({ min: 0.05, max: 4, noNaN: true }), fc.double({ min: 0.2, max: 1, noNaN: true }));

  it("keeps the skin below its limit, works on, settles, and changes its mind at most four times an hour, for any steady load", () => {
    fc.assert(
      fc.property(
        resistance,
        capacity,
        levels,
        fc.double({ min: 15, max: 38, noNaN: true }),
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        (r, c, [work, share], ambient, otherShare) => {
          const model = createThermalModel(figures(r, c), ambient);
          const other = otherShare * model.sustainedWatts(41.5, ambient); // what is not the agent's can be borne
          const governor = createThermalGovernor(model);
          const watts = (level: DegradeLevel): number => work * share ** level;
          const changes: number[] = [];
          let level = 0;
          let least = 1;
          const duties: number[] = [];
          for (let at = 0; at < 3 * 3600; at++) {
            const verdict = governor.judge(1, ambient, watts, other);
            if (verdict.level !== level) changes.push(at);
            level = verdict.level;
            least = Math.min(least, verdict.duty);
            duties.push(verdict.duty);
            model.step(other + watts(verdict.level) * verdict.duty, ambient, 1);
          }
          const leastWatts = other + watts(3) * 0.02; // where even the least work is too much, the heat is not the governor's
          if (leastWatts <= model.sustainedWatts(41.5, ambient)) expect(model.maxSkinCelsius).toBeLessThanOrEqual(42);
          expect(least).toBeGreaterThan(0);
          for (const from of changes) expect(changes.filter((at) => at >= from && at < from + 3600).length).toBeLessThanOrEqual(4);
          expect(changes.every((at) => at < 3600)).toBe(true); // and not again once it has settled
          const late = duties.slice(-600);
          expect(Math.max(...late) - Math.min(...late)).toBeLessThan(0.02);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("gives up quality before time", () => {
    const model = createThermalModel(figures(20, 5), 35);
    const governor = createThermalGovernor(model);
    let isThrottled = false;
    for (let at = 0; at < 1200; at++) {
      const { level, duty } = governor.judge(1, 35, (one) => 0.6 * 0.8 ** one, 0.1);
      if (duty < 1 && level < 3 && model.skinCelsius < 41) isThrottled = true;
      model.step(0.1 + 0.6 * 0.8 ** level * duty, 35, 1);
    }
    expect(isThrottled).toBe(false);
  });

  it("says when what heats is not the agent's", () => {
    const governor = createThermalGovernor(createThermalModel(figures(20, 5), 41));
    expect(governor.judge(1, 41, () => 0.5, 1).isBeyondReach).toBe(true);
  });

  it("goes back up once the better level can go on for ever, and not before its dwell", () => {
    const model = createThermalModel(figures(20, 5), 38);
    const governor = createThermalGovernor(model);
    const work = (level: DegradeLevel): number => 0.4 * 0.6 ** level;
    const seen: number[] = [];
    for (let at = 0; at < 4000; at++) {
      const ambient = at < 600 ? 38 : 20;
      const { level, duty } = governor.judge(1, ambient, work, 0);
      seen.push(level);
      model.step(work(level) * duty, ambient, 1);
    }
    expect(Math.max(...seen)).toBeGreaterThan(0);
    expect(seen.at(-1)).toBe(0);
    const up = seen.findIndex((level, i) => i > 600 && level < seen[i - 1]!);
    expect(up).toBeGreaterThan(600);
  });
});
