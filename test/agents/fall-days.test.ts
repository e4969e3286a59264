import { describe, expect, it } from "vitest";
import { trialSegments, wearerDays } from "../../agents/fall/days.ts";
import type { Recording } from "../../host/data/recording.ts";
import { SISFALL_DAILY, SISFALL_FALL } from "../../host/data/sisfall.ts";
import { impactFrame } from "../../host/data/sisfall-impact.ts";

/** A wearer at rest for `n` frames, but for `peaks`: frame → g. */
function trial(name: string, n: number, peaks: Record<number, number> = {}): Recording {
  const label = name.startsWith("F") ? SISFALL_FALL : SISFALL_DAILY;
  const frames = new Int16Array(6 * n);
  for (let i = 0; i < n; i++) frames[6 * i] = 2048 * (peaks[i] ?? 1);
  return {
    name,
    subject: name.slice(4, 8),
    channels: 6,
    frames,
    labels: new Uint8Array(n).fill(label),
    segments: [{ label, start: 0, end: n }],
  };
}

describe("the impact of a fall", () => {
  it("is where the acceleration is largest", () => {
    expect(impactFrame(trial("F01_SA01_R01", 750, { 300: 3, 400: 8, 420: 4 }).frames)).toBe(400);
  });

  it("is the last of several that are nearly as large: who trips while jogging is shaken before the fall", () => {
    expect(impactFrame(trial("F05_SA01_R01", 750, { 100: 5, 140: 5.2, 300: 4 }).frames)).toBe(300);
  });

  it("is the largest of a bounce", () => {
    expect(impactFrame(trial("F05_SA01_R01", 750, { 300: 5, 310: 4.5 }).frames)).toBe(300);
  });
});

describe("a trial's labels", () => {
  it("are daily throughout for a daily trial", () => {
    expect(trialSegments(trial("D19_SA01_R01", 600, { 300: 6 }))).toEqual([{ label: SISFALL_DAILY, start: 0, end: 600 }]);
  });

  it("are fall after the impact, nothing around that, and daily else", () => {
    const segments = trialSegments(trial("F01_SA01_R01", 750, { 400: 8 }));
    expect(segments.map(({ label }) => label)).toEqual([SISFALL_DAILY, SISFALL_FALL, SISFALL_DAILY]);
    const [before, fall, after] = segments;
    expect(before!.start).toBe(0);
    expect(before!.end).toBeLessThan(400);
    expect(fall!.start).toBeGreaterThanOrEqual(before!.end);
    expect(fall!.end - fall!.start).toBeGreaterThanOrEqual(128); // a window for the trainer to score
    expect(after!.start).toBeGreaterThan(fall!.end);
    expect(after!.end).toBe(750);
  });

  it("stay within a trial that ends with its fall", () => {
    const segments = trialSegments(trial("F01_SA01_R01", 420, { 400: 8 }));
    for (const { start, end } of segments) {
      expect(start).toBeGreaterThanOrEqual(0);
      expect(end).toBeLessThanOrEqual(420);
      expect(end).toBeGreaterThan(start);
    }
  });
});

describe("a wearer's days", () => {
  const trials = [
    ...Array.from({ length: 40 }, (_, i) => trial(`D0${1 + (i % 9)}_SA01_R01`, 600)),
    ...Array.from({ length: 20 }, (_, i) => trial(`F0${1 + (i % 9)}_SA01_R01`, 750, { 400: 8 })),
    trial("D01_SE01_R01", 4999),
  ];
  const { recordings } = wearerDays({ recordings: trials });

  it("hold every frame of every trial, wearer by wearer, in pieces that the trainer takes at once", () => {
    expect(recordings.map(({ subject }) => subject)).toEqual(["SA01", "SA01", "SE01"]);
    expect(recordings.reduce((sum, { labels }) => sum + labels.length, 0)).toBe(40 * 600 + 20 * 750 + 4999);
    for (const { labels, frames } of recordings) {
      expect(labels.length).toBeLessThanOrEqual(21_504);
      expect(frames).toHaveLength(6 * labels.length);
    }
  });

  it("have labels and segments that agree, and falls in every piece", () => {
    for (const { labels, segments, subject } of recordings) {
      const drawn = new Uint8Array(labels.length);
      for (const { label, start, end } of segments) drawn.fill(label, start, end);
      expect(drawn).toEqual(labels);
      expect(segments.filter(({ label }) => label === SISFALL_FALL).length > 5).toBe(subject === "SA01");
    }
  });

  it("say nothing for a second after each seam", () => {
    const { labels } = wearerDays({ recordings: trials.slice(0, 2) }).recordings[0]!;
    expect([...labels.subarray(595, 605)]).toEqual([1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
    expect([labels[649], labels[650]]).toEqual([0, 1]);
  });
});
