import { describe, expect, it } from "vitest";
import { sigmoid } from "../../../../host/cloud/confirm/confirmation.ts";
import { forestFlaw, sumOfLeaves } from "../../../../host/cloud/confirm/forest.ts";
import { linearLogit } from "../../../../host/cloud/confirm/linear.ts";
import { readMotion } from "../../../../host/cloud/confirm/motion.ts";
import { createRandom } from "../../../../host/core/system/random.ts";
import { trainBoosting } from "../../../../host/train/confirm/boosting.ts";
import { trainExtraTrees } from "../../../../host/train/confirm/extra-trees.ts";
import { trainLogistic } from "../../../../host/train/confirm/logistic.ts";
import { samplesOf } from "../../../../host/train/confirm/samples.ts";
import type { TreeTable } from "../../../../host/train/confirm/tree-table.ts";

const STATISTICS = 6;

/** Rows of noise; what is to be told is whether one statistic is high, and (not linear) whether two others have the same sign. */
function rowsOf(seed: number, n: number, isEvent: (row: Float64Array) => boolean): TreeTable {
  const random = createRandom(seed);
  const rows = Array.from({ length: n }, () => Float64Array.from({ length: STATISTICS }, () => random.normal()));
  return { rows, targets: Uint8Array.from(rows, (row) => (isEvent(row) ? 1 : 0)), weights: new Float64Array(n).fill(1) };
}

const crossed = (row: Float64Array): boolean => row[1]! > 0 === row[4]! > 0;
const boosting = { trees: 60, depth: 3, rate: 0.2, bins: 32, leafWeight: 5, ridge: 1, statisticShare: 1, rowShare: 0.8, seed: 1 };
const extraTrees = { trees: 60, depth: 10, leafRows: 2, tries: 6, seed: 1 };

function shareRight({ rows, targets }: TreeTable, probability: (row: Float64Array) => number): number {
  return rows.filter((row, i) => probability(row) >= 0.5 === (targets[i] === 1)).length / rows.length;
}

describe("trees", () => {
  const fit = rowsOf(1, 1500, crossed);
  const test = rowsOf(2, 1500, crossed);

  it("learn what no linear model can tell: whether two statistics have the same sign", () => {
    const boosted = trainBoosting(fit, boosting);
    const extra = trainExtraTrees(fit, extraTrees);
    const linear = trainLogistic(fit, 1);
    expect(shareRight(test, (row) => sigmoid(sumOfLeaves(boosted, row)))).toBeGreaterThan(0.93);
    expect(shareRight(test, (row) => sumOfLeaves(extra, row))).toBeGreaterThan(0.85);
    expect(shareRight(test, (row) => sigmoid(linearLogit(linear, row)))).toBeLessThan(0.6);
    for (const forest of [boosted, extra]) expect(forestFlaw(forest, STATISTICS)).toBeUndefined();
  });

  it("are the same for the same seed, and others for another", () => {
    for (const [train, options] of [
      [(seed: number) => trainBoosting(fit, { ...boosting, trees: 5, seed }), boosting],
      [(seed: number) => trainExtraTrees(fit, { ...extraTrees, trees: 5, seed }), extraTrees],
    ] as const) {
      expect(train(options.seed)).toEqual(train(options.seed));
      expect(train(options.seed)).not.toEqual(train(options.seed + 1));
    }
  });

  it("give a leaf's share of the weight, so that a heavy class counts for more", () => {
    const table = { ...fit, targets: new Uint8Array(1500).map((_, i) => (i % 4 === 0 ? 1 : 0)) };
    const weights = Float64Array.from(table.targets, (target) => (target === 1 ? 3 : 1));
    const leaf = trainExtraTrees({ ...table, weights }, { ...extraTrees, trees: 1, depth: 0 });
    expect(sumOfLeaves(leaf, fit.rows[0]!)).toBeCloseTo(0.5, 6);
  });
});

describe("a logistic regression", () => {
  it("tells a linear rule, and finds its log odds", () => {
    const random = createRandom(5);
    const table = rowsOf(3, 6000, (row) => random.uniform() < sigmoid(2 * row[0]! - 1));
    const linear = trainLogistic(table, 1e-3);
    const logitAt = (x: number): number => linearLogit(linear, Float64Array.of(x, 0, 0, 0, 0, 0));
    expect(logitAt(0)).toBeCloseTo(-1, 0.7);
    expect(logitAt(1) - logitAt(0)).toBeGreaterThan(1.8);
    expect(logitAt(1) - logitAt(0)).toBeLessThan(2.2);
  });
});

describe("samples of a recording", () => {
  const scale = { step: Array(6).fill(1), zero: Array(6).fill(0) };
  /** 20 s of shaking, 50 Hz. */
  const shaking = readMotion(
    Int8Array.from({ length: 6000 }, (_, i) => ((i / 6) % 2 < 1 ? 3 : 0)),
    scale,
  );
  const options = { contextFrames: 512, afterFrames: 100, hopFrames: 16 };

  it("call hops about the impact falls, those well away from it daily, and the rest nothing", () => {
    const samples = samplesOf(shaking, 500, options);
    const seconds = (isFall: boolean): number[] => samples.filter((one) => one.isFall === isFall).map(({ frame }) => (frame - 500) / 50);
    expect([Math.min(...seconds(true)), Math.max(...seconds(true))]).toEqual([-0.4, 1.84]);
    const daily = seconds(false);
    expect(Math.max(...daily.filter((at) => at < 0))).toBeLessThan(-2.5); // its context ends before the impact
    expect(Math.min(...daily.filter((at) => at > 0))).toBeGreaterThan(4.4);
    expect(Math.max(...samples.map(({ frame }) => frame))).toBeLessThanOrEqual(900); // whole contexts alone
  });

  it("leave out stillness, and take one daily hop in so many", () => {
    expect(samplesOf(readMotion(new Int8Array(6000).fill(4), scale), undefined, options)).toEqual([]);
    const all = samplesOf(shaking, undefined, options);
    expect(samplesOf(shaking, undefined, options, 2)).toHaveLength(all.filter(({ frame }) => (frame / 16) % 2 === 0).length);
  });
});
