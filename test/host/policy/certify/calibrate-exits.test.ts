import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EXIT_NEVER } from "../../../../assembly/layout.ts";
import { createRandom } from "../../../../host/core/system/random.ts";
import { calibrateExits, windowGroup } from "../../../../host/policy/certify/calibrate-exits.ts";
import { apart } from "../../../../host/policy/certify/decision-group.ts";
import { exitDecisions, type GradedDecisions, type LabelledLogits } from "../../../../host/policy/certify/exit-decisions.ts";
import { certifyThresholds, leastAnswered } from "../../../../host/policy/certify/learn-then-test.ts";
import { computeTemperature, fitTemperature, temperatureScale } from "../../../../host/policy/certify/temperature.ts";

/** n decisions over three classes whose logits, divided by `temperature`, are the log odds that the labels are drawn from. */
function drawn(n: number, temperature: number, seed: number): LabelledLogits {
  const random = createRandom(seed);
  const labels = new Uint8Array(n);
  const logits = new Float32Array(n * 3);
  for (let i = 0; i < n; i++) {
    const odds = [2 * random.normal(), 2 * random.normal(), 2 * random.normal()];
    const powers = odds.map(Math.exp);
    const [first = 0, second = 0, third = 0] = powers;
    const at = random.uniform() * (first + second + third);
    labels[i] = at < first ? 0 : at < first + second ? 1 : 2;
    logits.set(
      odds.map((value) => value * temperature),
      i * 3,
    );
  }
  return { labels, logits: [logits] };
}

describe("the temperature", () => {
  it.each([0.5, 1, 2.5])("is found again where labels follow logits at %d", (temperature) => {
    expect(Math.abs(fitTemperature([drawn(8000, temperature, 3)], 0) / temperature - 1)).toBeLessThan(0.05);
  });

  it("is read back from the scale that the core applies", () => {
    for (const temperature of [0.3, 0.61, 1, 4]) expect(computeTemperature(temperatureScale(temperature))).toBeCloseTo(temperature, 8);
  });
});

/** One exit: `sure` decisions at confidence 0.98, `unsure` at 0.7, and how many of each are wrong. */
function oneExit(sure: number, sureWrong: number, unsure: number, unsureWrong: number): GradedDecisions {
  const right = new Uint8Array(sure + unsure).fill(1);
  right.fill(0, 0, sureWrong);
  right.fill(0, sure, sure + unsureWrong);
  const confidence = new Float64Array(sure + unsure).fill(0.98 * 32768, 0, sure);
  return { right: [right], gateProbabilityQ15: [confidence.fill(0.7 * 32768, sure)] };
}

const options = { alpha: 0.01, delta: 0.1, minAnswered: 300 };

describe("certified thresholds", () => {
  it("go as far down as the exact bound stays within alpha, and no farther", () => {
    const [exit] = certifyThresholds([apart(oneExit(1000, 2, 500, 100))], options);
    expect(exit!.thresholdQ15).toBeLessThanOrEqual(0.98 * 32768);
    expect(exit!.thresholdQ15).toBeGreaterThan(0.7 * 32768);
    expect(exit).toMatchObject({ answered: 1000, wrong: 2, coverage: expect.closeTo(2 / 3, 12) });
    expect(exit!.errorBound).toBeLessThanOrEqual(0.01);
  });

  it("need so many answers without an error, and one fewer certifies nothing", () => {
    const loose = { alpha: 0.02, delta: 0.1, minAnswered: 200 };
    const least = leastAnswered(loose, 1);
    expect([least, leastAnswered(loose, 4), leastAnswered({ ...loose, minAnswered: 500 }, 1)]).toEqual([200, 263, 500]);
    for (const minAnswered of [1, 200]) {
      const n = leastAnswered({ ...loose, minAnswered }, 1);
      const canAnswer = (sure: number) => certifyThresholds([apart(oneExit(sure, 0, 0, 0))], { ...loose, minAnswered })[0]!.answered;
      expect([canAnswer(n), canAnswer(n - 1)]).toEqual([n, 0]);
    }
  });

  it("certify nothing where the sure ones are wrong too often, or too few to say", () => {
    expect(certifyThresholds([apart(oneExit(1000, 20, 0, 0))], options)[0]!.thresholdQ15).toBe(EXIT_NEVER);
    expect(certifyThresholds([apart(oneExit(200, 0, 0, 0))], options)[0]!.thresholdQ15).toBe(EXIT_NEVER);
  });

  it("need every group to agree", () => {
    const good = oneExit(1000, 0, 0, 0);
    const bad = oneExit(1000, 30, 0, 0);
    expect(certifyThresholds([apart(good), apart(good)], options)[0]!.thresholdQ15).toBeLessThan(EXIT_NEVER);
    expect(certifyThresholds([apart(good), apart(bad)], options)[0]!.thresholdQ15).toBe(EXIT_NEVER);
  });

  it("count what an exit before has answered against the exit after it", () => {
    const first = oneExit(600, 0, 600, 0);
    const later = {
      right: [first.right[0]!, first.right[0]!],
      gateProbabilityQ15: [first.gateProbabilityQ15[0]!, first.gateProbabilityQ15[0]!],
    };
    const exits = certifyThresholds([apart(later)], options);
    expect(exits[0]!.answered + exits[1]!.answered).toBe(1200);
    expect(exits[1]!.errorBound).toBeLessThanOrEqual(exits[0]!.errorBound);
  });

  it("keep alpha for most draws of the calibration set", () => {
    const fresh = drawn(6000, 1, 12_345);
    let broken = 0;
    for (let seed = 0; seed < 40; seed++) {
      const [exit] = calibrateExits([windowGroup(drawn(800, 1, seed))], { alpha: 0.1, delta: 0.1, minAnswered: 100 });
      if (trueError(fresh, exit!.thresholdQ15, exit!.temperature) > 0.1) broken++;
    }
    expect(broken).toBeLessThanOrEqual(8); // delta 0.1 of 40 is 4; 9 or more would have probability 0.02
  });
});

/** n decisions of two exits: confidences uniform in 0.9…1, each exit's answer wrong with probability `wrong(confidence)`. */
function twoExits(n: number, seed: number, wrong: (confidence: number) => number): GradedDecisions {
  const random = createRandom(seed);
  const draw = () => Float64Array.from({ length: n }, () => 32768 * (0.9 + 0.1 * random.uniform()));
  const gateProbabilityQ15 = [draw(), draw()];
  return {
    gateProbabilityQ15,
    right: gateProbabilityQ15.map((own) => Uint8Array.from(own, (q15) => (random.uniform() < wrong(q15 / 32768) ? 0 : 1))),
  };
}

/** Largest share wrong among what exits 0 … k answer, over k; 0 where nothing is answered. */
function worstError({ right, gateProbabilityQ15 }: GradedDecisions, thresholds: readonly number[]): number {
  const answeredAt = Array.from(right[0]!, (_, i) => thresholds.findIndex((threshold, k) => gateProbabilityQ15[k]![i]! >= threshold));
  return Math.max(
    ...thresholds.map((_, k) => {
      const answered = answeredAt.flatMap((exit, i) => (exit >= 0 && exit <= k ? [right[exit]![i]!] : []));
      return answered.length === 0 ? 0 : 1 - answered.reduce((sum, isRight) => sum + isRight, 0) / answered.length;
    }),
  );
}

describe("the certificate", () => {
  const level = { alpha: 0.1, delta: 0.2, minAnswered: 40 };

  it.each([
    ["wherever the sure ones err a little too often", true, (): number => 0.104],
    ["where only the lax thresholds do", true, (confidence: number): number => (confidence > 0.97 ? 0.07 : 0.16)],
    ["where only the strict thresholds do", false, (confidence: number): number => (confidence > 0.985 ? 0.13 : 0.09)],
  ])("fails in at most delta of 400 calibrations, %s", (_, isHard, wrong) => {
    const population = twoExits(60_000, 99, wrong);
    const trueError = new Map<string, number>();
    const isBroken = (thresholds: readonly number[]): boolean => {
      const key = thresholds.join();
      if (!trueError.has(key)) trueError.set(key, worstError(population, thresholds));
      return trueError.get(key)! > level.alpha;
    };
    let failed = 0;
    let untested = 0; // as often as the laxest threshold whose own error is at most alpha is believed
    for (let seed = 1; seed <= 400; seed++) {
      const drawn = twoExits(500, seed, wrong);
      if (isBroken(certifyThresholds([apart(drawn)], level).map(({ thresholdQ15 }) => thresholdQ15))) failed++;
      const believed = [0.91, 0.95, 0.97, 0.99].find((lax) => worstError(drawn, [lax * 32768, lax * 32768]) <= level.alpha);
      if (believed && isBroken([believed * 32768, believed * 32768])) untested++;
    }
    expect(failed).toBeLessThanOrEqual(80); // 0.2 of 400
    if (isHard) expect(untested).toBeGreaterThan(100);
  });

  it("has a bound of at most alpha at every exit that may answer, one threshold for all of them, whatever the decisions", () => {
    const exit = fc.array(fc.tuple(fc.integer({ min: 14_000, max: 32_768 }), fc.boolean(), fc.nat(3)), { minLength: 150, maxLength: 150 });
    fc.assert(
      fc.property(fc.array(exit, { minLength: 1, maxLength: 3 }), (drawn) => {
        const group: GradedDecisions = {
          gateProbabilityQ15: drawn.map((own) => Float64Array.from(own, ([q15]) => q15)),
          right: drawn.map((own) => Uint8Array.from(own, ([, isRight, luck]) => (isRight || luck > 0 ? 1 : 0))),
        };
        const exits = certifyThresholds([apart(group)], { alpha: 0.25, delta: 0.5, minAnswered: 20 });
        const thresholds = exits.map(({ thresholdQ15 }) => thresholdQ15);
        const first = thresholds.findIndex((threshold) => threshold < EXIT_NEVER);
        if (first < 0) return;
        expect(new Set(thresholds.slice(first)).size).toBe(1);
        expect(worstError(group, thresholds)).toBeLessThanOrEqual(0.25);
        for (const { errorBound } of exits.slice(first)) expect(errorBound).toBeLessThanOrEqual(0.25);
      }),
      { numRuns: 60 },
    );
  });

  it("skips an exit that errs and keeps those after it", () => {
    const good = oneExit(1200, 1, 0, 0);
    const bad = oneExit(1200, 300, 0, 0);
    const group = { right: [bad.right[0]!, good.right[0]!], gateProbabilityQ15: [bad.gateProbabilityQ15[0]!, good.gateProbabilityQ15[0]!] };
    const exits = certifyThresholds([apart(group)], options);
    expect(exits[0]).toEqual({ thresholdQ15: EXIT_NEVER, coverage: 0, errorBound: 1, answered: 0, wrong: 0 });
    expect(exits[1]).toMatchObject({ answered: 1200, wrong: 1, coverage: 1 });
  });
});

/** Share wrong among what a threshold answers. */
function trueError(group: LabelledLogits, thresholdQ15: number, temperature: number): number {
  const { right, gateProbabilityQ15 } = exitDecisions(group, [{ alone: temperature, smoothed: temperature }]);
  const answered = [...right[0]!].filter((_, i) => gateProbabilityQ15[0]![i]! >= thresholdQ15);
  return answered.length === 0 ? 0 : 1 - answered.reduce((sum, isRight) => sum + isRight, 0) / answered.length;
}
