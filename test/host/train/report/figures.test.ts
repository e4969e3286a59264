import { describe, expect, it } from "vitest";
import { halfArea } from "../../../../host/page/plot.ts";
import { reliability } from "../../../../host/policy/certify/reliability.ts";
import { askingCurve } from "../../../../host/train/metrics.ts";
import { accuracyCurve, askingCurveFigure, exitTradeOff, lossCurve, reliabilityDiagram } from "../../../../host/train/report/figures.ts";
import { paretoFigure } from "../../../../host/train/study/pareto.ts";

/** Points of the polyline of a class. */
function points(svg: string, className: string): number[][] {
  const found = new RegExp(`<polyline class="${className}" points="([^"]*)"`).exec(svg)?.[1] ?? "";
  return found === "" ? [] : found.split(" ").map((pair) => pair.split(",").map(Number));
}
const count = (svg: string, pattern: RegExp): number => svg.match(pattern)?.length ?? 0;

describe("learning curves", () => {
  const progress = [
    { step: 50, steps: 100, loss: 4, learningRate: 0.002, seconds: 1 },
    { step: 100, steps: 100, loss: 1, learningRate: 0.004, seconds: 2, accuracy: 0.75 },
  ];

  it("fall as the loss does, and show accuracy where it was measured", () => {
    const [first, last] = points(lossCurve(progress), "line s0");
    expect(last![0]).toBeGreaterThan(first![0]!);
    expect(last![1]).toBeGreaterThan(first![1]!); // SVG's y points down
    expect(lossCurve(progress)).toMatch(/rotate\(-90\)" text-anchor="middle">loss</);
    const accuracy = accuracyCurve([...progress, { ...progress[1]!, step: 150, accuracy: 0.8 }]);
    expect(points(accuracy, "line s1")).toHaveLength(2);
    expect(accuracy).toContain("step 100: 75.0 %");
  });

  it("stand without a single point", () => {
    for (const svg of [lossCurve([]), accuracyCurve([])]) expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });
});

it("the reliability diagram has a bar for each bin that is not empty, as high as it is right", () => {
  const svg = reliabilityDiagram(reliability([0.95, 0.96, 0.97, 0.98, 0.1], [true, true, true, false, false]));
  const bars = [...svg.matchAll(/<rect class="bar fill s0 few" x="[\d.]+" y="([\d.]+)" [^>]*height="([\d.]+)"/g)].map(([, y, height]) => [
    Number(y),
    Number(height),
  ]);
  expect(bars).toHaveLength(2);
  const full = halfArea.height - halfArea.top - halfArea.bottom;
  expect(bars[0]![1]).toBe(1); // 0 % right: a hair
  expect(bars[1]![1]).toBeCloseTo(0.75 * full, 1);
  expect(svg).toMatch(/ECE \d+\.\d\d %/);
});

it("the reliability diagram prints the windows of each bin, and leaves the bars of a few hollow", () => {
  const sure = new Array<number>(1200).fill(0.99);
  const svg = reliabilityDiagram(reliability([0.5, ...sure], [true, ...sure.map(() => true)]));
  const bars = [...svg.matchAll(/<rect class="([^"]*)"[^>]*fill-opacity="([\d.]+)".*?<\/rect><text[^>]*>([^<]+)</g)].map((bar) =>
    bar.slice(1),
  );
  expect(bars).toEqual([
    ["bar fill s0 few", "0", "1"],
    ["bar fill s0", "1", "1.2k"],
  ]);
});

it("the exit trade-off names every exit and draws the cascade between them", () => {
  const svg = exitTradeOff({
    exits: [
      { macs: 100_000, accuracy: 0.8 },
      { macs: 1_200_000, accuracy: 0.9 },
    ],
    cascade: [
      { threshold: 0.5, macs: 150_000, accuracy: 0.82 },
      { threshold: 0.9, macs: 900_000, accuracy: 0.9 },
    ],
  });
  expect(count(svg, /<circle class="fill s1"/g)).toBe(2);
  expect(svg).toContain("exit 2: 90.0 % at 1.2 M");
  expect(points(svg, "line s0")).toHaveLength(2);
});

it("the exit trade-off keeps the name of an exit near the floor off the axis's texts", () => {
  const exits = [0.8, 0.805, 0.95].map((accuracy, i) => ({ macs: 1e5 * (i + 1), accuracy }));
  const svg = exitTradeOff({ exits, cascade: [] });
  const names = [...svg.matchAll(/<\/circle><text class="tick" x="[\d.]+" y="([\d.]+)"/g)].map(([, y]) => Number(y));
  expect(names).toHaveLength(3);
  for (const y of names) expect(y).toBeLessThan(halfArea.height - halfArea.bottom);
});

it("the front of a search is a staircase: level up to the next shape, then up", () => {
  const of = (key: string, instructions: number, accuracy: number) => ({ key, instructions, accuracy, arenaBytes: 100 });
  const front = [of("a", 1e6, 0.8), of("b", 2e6, 0.9), of("c", 4e6, 0.95)];
  const steps = points(paretoFigure(front, front, new Set()), "line soft dash");
  expect(steps).toHaveLength(5);
  for (let i = 1; i < steps.length; i++) expect(steps[i]![i % 2]).toBe(steps[i - 1]![i % 2]); // level, then upright
});

describe("asking", () => {
  const curve = askingCurve([0.9, 0.2, 0.8, 0.4], [true, false, true, false]);

  it("the least sure first raises both what is right here and what is right in all", () => {
    expect(curve[0]).toEqual({ asked: 0, answeredAccuracy: 0.5, accuracyAtBest: 0.5 });
    expect(curve[10]).toEqual({ asked: 0.5, answeredAccuracy: 1, accuracyAtBest: 1 });
    expect(curve.at(-1)).toEqual({ asked: 1, answeredAccuracy: 1, accuracyAtBest: 1 });
  });

  it("is drawn as a line of what is answered here and a dashed one of all", () => {
    const svg = askingCurveFigure(curve);
    expect(points(svg, "line s0")).toHaveLength(20); // nothing is answered where all is asked
    expect(points(svg, "line soft dash")).toHaveLength(21);
  });
});
