import { describe, expect, it } from "vitest";
import { drawResults, readScalingFile, type ScalingResults } from "./results.ts";

describe("the scaling pictures", () => {
  const results = JSON.parse(readScalingFile()) as ScalingResults;

  it("are what the saved results draw: npm run bench -- scaling --draw", () => {
    for (const [name, drawn] of Object.entries(drawResults(results))) expect(readScalingFile(name)).toBe(drawn);
  });

  it("show every size that was measured, and nothing above its roof", () => {
    const { panels, roofline } = results;
    for (const { lines } of panels) for (const { points } of lines) expect(points.length).toBeGreaterThan(3);
    expect(panels.map(({ x }) => x)).toEqual(["dModel", "blocks", "dState", "patches so far", "windows in a batch", "sessions", "devices"]);
    const highest = Math.max(...roofline.peaks.map(({ macsPerSecond }) => macsPerSecond));
    const widest = Math.max(...roofline.bandwidths.map(({ bytesPerSecond }) => bytesPerSecond));
    for (const { macsPerByte, macsPerSecond } of roofline.points)
      expect(macsPerSecond).toBeLessThanOrEqual(1.1 * Math.min(highest, widest * macsPerByte));
  });
});
