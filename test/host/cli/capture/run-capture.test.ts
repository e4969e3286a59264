import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { captureLines } from "../../../../host/cli/capture/capture-screen.ts";
import type { CaptureSource } from "../../../../host/cli/capture/capture-source.ts";
import { type CaptureRun, runCapture } from "../../../../host/cli/capture/run-capture.ts";
import { readKeys } from "../../../../host/cli/view/keys.ts";
import { createOutput } from "../../../../host/core/system/output.ts";
import { parseCsvFile } from "../../../../host/data/csv/csv-file.ts";
import { readCsvFolder } from "../../../../host/data/csv/csv-folder.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { fakeIo } from "../fake-io.ts";
import { tempFolder } from "../temp-agent.ts";

const CHANNELS = [
  { name: "ax", unit: "g", countsPerUnit: 2048 },
  { name: "gx", unit: "dps", countsPerUnit: 16 },
];

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

/** Captures a sensor that sends `frames` at `hz`; at some counts a key is pressed first. */
async function capture(frames: number, hz: number, keys: Readonly<Record<number, string>>, over: Partial<CaptureRun> = {}) {
  const clock = new ManualClock();
  const pressed = new PassThrough();
  const stop = new AbortController();
  const source: CaptureSource = {
    name: "serial:/dev/ttyACM0",
    channels: CHANNELS,
    isMeasured: true,
    samples: {
      async *[Symbol.asyncIterator]() {
        for (let count = 0; count < frames; count++) {
          clock.advance(1000 / hz);
          const key = keys[count];
          if (key !== undefined) {
            pressed.write(key);
            for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve)); // the key is read
          }
          if (stop.signal.aborted) return;
          yield { count, values: [1 + 0.1 * Math.sin(count), -12.5] };
        }
      },
    },
  };
  const { io, output } = fakeIo({ clock, keys: (signal) => readKeys(pressed, signal) });
  const run = {
    title: "gestures, wearer 3",
    source,
    rateHz: 50,
    folder: folder.path,
    wearer: 3,
    labels: ["walk", "sit"],
    seconds: undefined,
    stop,
  };
  const ended = runCapture(io, createOutput(io, false), { ...run, countdownSeconds: 1, remark: () => "", ...over });
  return { summary: await ended, stderr: output().stderr };
}

describe("a capture", () => {
  it("is a CSV file as train reads it: channels with units, times of the beat, labels by key", async () => {
    const { summary, stderr } = await capture(1000, 50, { 150: "1", 500: "2", 700: " ", 800: "1" });
    expect(summary.file).toBe(join(folder.path, "s03-1.csv"));
    expect(summary.measured!.hz).toBeCloseTo(50, 6);
    expect(summary.measured!.jitterMillis).toBeCloseTo(0, 6);
    const file = parseCsvFile(new Uint8Array(readFileSync(summary.file)), summary.file)[0]!;
    expect(file.channels).toEqual(CHANNELS.map(({ name, unit }) => ({ name, unit: unit === "dps" ? "°/s" : unit })));
    expect(file.subject).toBe("3");
    const read = readCsvFolder(folder.path);
    expect(read).toMatchObject({ rateHz: 50, labels: ["sit", "walk"], files: 1 });
    expect(read.parts).toHaveLength(1); // no gap
    const seconds = (label: string): number => file.labels.filter((one) => one === label).length / 50;
    expect(summary.secondsByLabel).toEqual({ walk: seconds("walk"), sit: seconds("sit") });
    expect(seconds("sit")).toBeCloseTo(3, 1); // from 500 on, a second of countdown, to 700
    expect(statSync(summary.file).mode & 0o077).toBe(0);
    expect(stderr).toContain("walk begins after the countdown (50.0 frames per second, arrivals ± 0.0 ms)");
    expect(stderr).toContain("recording sit");
    expect((await capture(400, 50, { 150: "1" })).summary.file).toBe(join(folder.path, "s03-2.csv"));
  });

  it("writes times as measured where a sensor is off its declared rate by more than 2 %, and says so", async () => {
    const { summary, stderr } = await capture(1200, 52.5, { 200: "1" });
    expect(summary.rateHz).toBeCloseTo(52.5, 6);
    expect(stderr).toContain(
      "the sensor sends 52.5 frames per second, agent.ts says 50: times are written as measured; train with --rate 50",
    );
    const near = await capture(800, 50.6, { 200: "1" });
    expect(near.summary.rateHz).toBe(50);
  });

  it("keeps no file where nothing was labelled, and says how to label", async () => {
    const unlabelled = {
      code: "CAPTURE_EMPTY",
      message: expect.stringMatching(/^nothing was labelled, so no file is kept\. Press a label's key \(1 to 2\)/),
    };
    await expect(capture(300, 50, {})).rejects.toMatchObject(unlabelled);
    await expect(capture(300, 50, { 150: "1", 210: "u" }, { countdownSeconds: 0 })).rejects.toMatchObject({ code: "CAPTURE_EMPTY" });
    await expect(capture(0, 50, {})).rejects.toMatchObject({ message: expect.stringContaining("no frames came from serial:/dev/ttyACM0") });
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it("ends at q and after --seconds; what is held for an undo is written", async () => {
    const { summary } = await capture(5000, 50, { 150: "1", 400: "q" }, { countdownSeconds: 0 });
    expect(summary.samples).toBe(400 - 200); // from the second on in which the rate was confirmed
    expect((await capture(5000, 50, { 150: "1" }, { seconds: 10 })).summary.secondsByLabel.walk).toBeLessThan(10);
    expect(existsSync(join(folder.path, "s03-2.csv"))).toBe(true);
  });
});

describe("the screen of a capture", () => {
  const state = {
    title: "gestures, wearer 3 · serial:/dev/ttyACM0",
    path: "gestures/recordings/s03-1.csv",
    session: {
      phase: "countdown" as const,
      label: "sit",
      countdown: 2.2,
      samples: () =>
        new Map([
          ["walk", 1250],
          ["sit", 0],
        ]),
    },
    rate: { hz: 49.98, jitterMillis: 1.2, seconds: 10 },
    rateHz: 50,
    values: ["ax 0.98 g", "ay -0.05 g"],
    banner: [],
    remark: "",
  };

  it("shows label, countdown, seconds per label, rate and jitter, values and keys", () => {
    expect(captureLines(state, { columns: 80, rows: 24 }, false)).toEqual([
      "",
      "  dormouse capture gestures, wearer 3 · serial:/dev/ttyACM0",
      "",
      "  sit in 3 …",
      "",
      "  1    walk  25 s",
      "  2  ▸ sit  0 s",
      "",
      "  rate    50.0 frames per second, arrivals ± 1.2 ms",
      "  values  ax 0.98 g  ay -0.05 g",
      "  file    gestures/recordings/s03-1.csv",
      "",
      "  1–9 label · space pause · u undo 5 s · q end",
    ]);
  });

  it.each([
    [20, 6],
    [80, 24],
    [200, 60],
  ])("never leaves a terminal of %i × %i", (columns, rows) => {
    const lines = captureLines({ ...state, remark: "x".repeat(300) }, { columns, rows }, false);
    expect(lines.length).toBeLessThan(rows);
    for (const line of lines) expect([...line].length).toBeLessThanOrEqual(columns);
  });
});
