import { describe, expect, it } from "vitest";
import { axisOver, bareAxis, clockAxis, elapsedAxis, roundTicks, shareAxis } from "../../../host/page/axis.ts";
import { bands, bar, dot, level, line, ribbon, stackedBars } from "../../../host/page/marks.ts";
import { escapeXml } from "../../../host/page/markup.ts";
import { halfArea, plot, scale } from "../../../host/page/plot.ts";

const count = (svg: string, pattern: RegExp): number => svg.match(pattern)?.length ?? 0;

describe("axes", () => {
  it("round ticks cover the values", () => {
    expect(roundTicks(0, 1)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(roundTicks(0.83, 4.9)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(roundTicks(0, 580_032)).toEqual([0, 200_000, 400_000, 600_000]);
    expect(roundTicks(3, 3).length).toBeGreaterThan(1);
  });

  it("the ends of an axis lie on the area's edges; y points up; values outside are pinned", () => {
    const axis = shareAxis("accuracy", 0.57);
    expect([axis.low, axis.high]).toEqual([0.5, 1]);
    const at = scale(halfArea, axis, axis);
    expect(at.x(0.5)).toBe(halfArea.left);
    expect(at.x(1)).toBe(halfArea.width - halfArea.right);
    expect(at.y(1)).toBe(halfArea.top);
    expect(at.y(0)).toBe(halfArea.height - halfArea.bottom);
    expect(axisOver([], "none", String).ticks.every(Number.isFinite)).toBe(true);
  });

  it("an axis takes more values than a call takes arguments", () => {
    const axis = axisOver(
      Array.from({ length: 300_000 }, (_, i) => i / 300_000),
      "",
      String,
    );
    expect([axis.low, axis.high]).toEqual([0, 1]);
  });

  it.each([0.1, 1, 4, 24, 48, 100, 168, 2000])("a time axis of %d hours has at most nine ticks", (hours) => {
    for (const axis of [clockAxis(hours), elapsedAxis(hours)]) {
      expect(axis.ticks.length).toBeLessThanOrEqual(9);
      expect(new Set(axis.ticks.map(axis.text)).size).toBe(axis.ticks.length);
    }
  });

  it("a clock axis counts from midnight, and in days beyond two of them", () => {
    const texts = (hours: number) => clockAxis(hours).ticks.map(clockAxis(hours).text);
    expect(texts(24).slice(0, 3)).toEqual(["00:00", "03:00", "06:00"]);
    expect(texts(168).slice(0, 2)).toEqual(["day 0", "day 1"]);
  });
});

describe("marks", () => {
  const axis = bareAxis(0, 10);
  const drawn = (...marks: Parameters<typeof plot>[0]["marks"]) => plot({ title: "t", x: axis, y: axis, marks });

  it("markup in a text is escaped", () => {
    expect(escapeXml('a<b & "c"')).toBe("a&lt;b &amp; &quot;c&quot;");
    const svg = plot({ title: "<t>", x: { ...axis, label: "<x>" }, y: axis, marks: [dot([1, 1], "s0", "<d>")] });
    expect(svg).not.toMatch(/<[txd]>/);
  });

  it("a line without points is left out", () => expect(drawn(line([], "s0"))).not.toContain("polyline"));

  it("stacked bars stand on each other, a gap of one unit between them, and empty ones are left out", () => {
    const svg = drawn(stackedBars([{ range: [0, 5], values: [4, 0, 6] }], ["s0", "s1", "s2"], (i, value) => `${i}: ${value}`));
    const boxes = [...svg.matchAll(/y="([\d.]+)" width="[\d.]+" height="([\d.]+)"/g)].map(([, y, height]) => [Number(y), Number(height)]);
    expect(boxes).toHaveLength(2);
    expect(boxes[0]![0]! - (boxes[1]![0]! + boxes[1]![1]!)).toBeCloseTo(1, 1);
    expect(svg).not.toContain("1: 0");
  });

  it("bands and ribbons name their stretches on hovering", () => {
    const svg = drawn(
      bands([[1, 2]], "tint", "no coverage"),
      ribbon([{ range: [0, 4], name: "walk" }], [0, 1], () => "s3"),
    );
    expect(svg).toContain("<title>no coverage</title>");
    expect(svg).toMatch(/class="fill s3"[^>]*><title>walk/);
  });

  it("a bar of opacity 0 is drawn hollow", () => expect(drawn(bar([0, 1], 5, "s0", "few", 0))).toContain('class="bar fill s0 few"'));

  it("a level line crosses the whole axis", () => {
    const [, from, to] = /points="([\d.]+),[\d.]+ ([\d.]+),/.exec(drawn(level(5)))!;
    expect([Number(from), Number(to)]).toEqual([halfArea.left, halfArea.width - halfArea.right]);
    expect(count(drawn(level(5)), /class="line limit dash"/g)).toBe(1);
  });
});
