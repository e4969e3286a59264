import { describe, expect, it } from "vitest";
import { reliability } from "../../../../host/policy/certify/reliability.ts";
import { askingCurve } from "../../../../host/train/metrics.ts";
import { askingCurveFigure } from "../../../../host/train/report/asking-curve.ts";
import { confusionMatrix } from "../../../../host/train/report/confusion-matrix.ts";
import { exitTradeOff } from "../../../../host/train/report/exit-trade-off.ts";
import { accuracyCurve, lossCurve } from "../../../../host/train/report/learning-curves.ts";
import { axisOver, escapeXml, plotArea, roundTicks, shareAxis, xOf, yOf } from "../../../../host/train/report/plot.ts";
import { reliabilityDiagram } from "../../../../host/train/report/reliability-diagram.ts";
import { paretoFigure } from "../../../../host/train/study/pareto.ts";

/** Points of the polyline of a class. */
function points(svg: string, className: string): number[][] {
  const found = new RegExp(`<polyline class="${className}" points="([^"]*)"`).exec(svg)?.[1] ?? "";
  return found === "" ? [] : found.split(" ").map((pair) => pair.split(",").map(Number));
}
const count = (svg: string, pattern: RegExp): number => svg.match(pattern)?.length ?? 0;

describe("axes", () => {
  it("have round ticks that cover the values", () => {
    expect(roundTicks(0, 1)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(roundTicks(0.83, 4.9)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(roundTicks(0, 580_032)).toEqual([0, 200_000, 400_000, 600_000]);
    expect(roundTicks(3, 3).length).toBeGreaterThan(1);
  });

  it("map their ends to the area's edges, y upwards, and pin what lies outside", () => {
    const axis = shareAxis("right", 0.57);
    expect([axis.low, axis.high]).toEqual([0.5, 1]);
    expect(xOf(plotArea, axis, 0.5)).toBe(plotArea.left);
    expect(xOf(plotArea, axis, 1)).toBe(plotArea.width - plotArea.right);
    expect(yOf(plotArea, axis, 1)).toBe(plotArea.top);
    expect(yOf(plotArea, axis, 0)).toBe(plotArea.height - plotArea.bottom);
    expect(axisOver([], "none", String).ticks.every(Number.isFinite)).toBe(true);
  });

  it("cover more values than a call takes arguments", () => {
    const axis = axisOver(
      Array.from({ length: 300_000 }, (_, i) => i / 300_000),
      "",
      String,
    );
    expect([axis.low, axis.high]).toEqual([0, 1]);
  });

  it("write text that is markup as text", () => expect(escapeXml('a<b & "c"')).toBe("a&lt;b &amp; &quot;c&quot;"));
});

describe("learning curves", () => {
  const progress = [
    { step: 50, steps: 100, loss: 4, learningRate: 0.002, seconds: 1 },
    { step: 100, steps: 100, loss: 1, learningRate: 0.004, seconds: 2, accuracy: 0.75 },
  ];

  it("fall as the loss does, and show accuracy where it was measured", () => {
    const [first, last] = points(lossCurve(progress), "line a");
    expect(last![0]).toBeGreaterThan(first![0]!);
    expect(last![1]).toBeGreaterThan(first![1]!); // SVG's y points down
    expect(lossCurve(progress)).toMatch(/rotate\(-90\)" text-anchor="middle">loss</);
    const accuracy = accuracyCurve(progress);
    expect(points(accuracy, "line b")).toHaveLength(1);
    expect(accuracy).toContain("step 100: 75.0 %");
  });

  it("stand without a single point", () => {
    for (const svg of [lossCurve([]), accuracyCurve([])]) expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });
});

it("the confusion matrix tints by the share of a row, shows counts, and leaves rows without a window out", () => {
  const svg = confusionMatrix(
    [
      [9, 1, 0],
      [0, 4, 0],
      [0, 0, 0],
    ],
    ["a & b", "walk", "never"],
  );
  expect(count(svg, /<rect class="cell"/g)).toBe(6);
  expect([...svg.matchAll(/class="count(?: on)?"[^>]*>(\d+)</g)].map(([, n]) => n)).toEqual(["9", "1", "4"]);
  expect(svg).toContain('fill-opacity="0.9"');
  expect(svg).toContain("a &amp; b");
  expect(count(svg, />never</g)).toBe(1); // a column alone
});

it("the confusion matrix keeps its heads inside, a count where its cell holds it, and says what each row has found", () => {
  const labels = Array.from({ length: 30 }, (_, i) => `a rather long label ${i}`);
  const svg = confusionMatrix(
    labels.map((_, i) => labels.map((_, j) => (i === j ? 1234 : j === 0 ? 5 : 0))),
    labels,
  );
  const width = Number(/viewBox="0 0 (\d+) /.exec(svg)![1]);
  const lastHead = Math.max(...[...svg.matchAll(/translate\(([\d.]+) /g)].map(([, x]) => Number(x)));
  expect(width - lastHead).toBeGreaterThan(labels.at(-1)!.length * 5 * Math.SQRT1_2);
  expect(svg).not.toContain(">1234</text>"); // wider than a cell
  expect(svg).toContain("<title>a rather long label 3, said a rather long label 3: 1234</title>");
  expect(count(svg, />5<\/text>/g)).toBe(29);
  expect([count(svg, />100 %</g), count(svg, />99.6 %</g)]).toEqual([1, 29]);
});

it("the reliability diagram has a bar for each bin that is not empty, as high as it is right", () => {
  const svg = reliabilityDiagram(reliability([0.95, 0.96, 0.97, 0.98, 0.1], [true, true, true, false, false]));
  const bars = [...svg.matchAll(/<rect class="bar few" x="[\d.]+" y="([\d.]+)" [^>]*height="([\d.]+)"/g)].map(([, y, height]) => [
    Number(y),
    Number(height),
  ]);
  expect(bars).toHaveLength(2);
  const full = plotArea.height - plotArea.top - plotArea.bottom;
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
    ["bar few", "0", "1"],
    ["bar", "1", "1.2k"],
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
  expect(count(svg, /<circle class="dot b"/g)).toBe(2);
  expect(svg).toContain("exit 2: 90.0 % at 1.2 M");
  expect(points(svg, "line a")).toHaveLength(2);
});

it("the exit trade-off keeps the name of an exit near the floor off the axis's texts", () => {
  const exits = [0.8, 0.805, 0.95].map((accuracy, i) => ({ macs: 1e5 * (i + 1), accuracy }));
  const svg = exitTradeOff({ exits, cascade: [] });
  const names = [...svg.matchAll(/<\/circle><text class="tick" x="[\d.]+" y="([\d.]+)"/g)].map(([, y]) => Number(y));
  expect(names).toHaveLength(3);
  for (const y of names) expect(y).toBeLessThan(plotArea.height - plotArea.bottom);
});

it("the front of a search is a staircase: level up to the next shape, then up", () => {
  const of = (key: string, instructions: number, accuracy: number) => ({ key, instructions, accuracy, arenaBytes: 100 });
  const front = [of("a", 1e6, 0.8), of("b", 2e6, 0.9), of("c", 4e6, 0.95)];
  const steps = points(paretoFigure(front, front, new Set()), "dash");
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
    expect(points(svg, "line a")).toHaveLength(20); // nothing is answered where all is asked
    expect(points(svg, "dash")).toHaveLength(21);
  });
});
