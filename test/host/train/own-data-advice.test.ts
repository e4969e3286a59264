import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { seeded } from "../../support/random.ts";
import { cli } from "../cli/fake-io.ts";
import { tempFolder } from "../cli/temp-agent.ts";

// What people bring, the sentence that they get, and that what it says works.

let folder: ReturnType<typeof tempFolder>;
let data: string;
beforeEach(() => {
  folder = tempFolder();
  data = join(folder.path, "data");
  mkdirSync(data);
});
afterEach(() => folder.remove());

/** Recordings as CSV: `label(frame)` and `time(frame)` as they are written; two channels. */
interface Shape {
  readonly header?: string;
  readonly frames?: number;
  readonly between?: string; // fields
  readonly time?: (frame: number) => string;
  readonly label?: (frame: number) => string;
}

function write(name: string, shape: Shape = {}): void {
  const { header = "time,x,y,label", frames = 1200, between = ",", time = (i) => (i / 50).toFixed(2) } = shape;
  const { label = (i) => (i < frames / 2 ? "still" : "shaken") } = shape;
  const random = seeded(name.length + frames);
  const lines = [header.replaceAll(",", between)];
  for (let i = 0; i < frames; i++) {
    const level = label(i).length * Math.sin(i) + random();
    lines.push([time(i), level.toFixed(3), (random() - 0.5).toFixed(3), label(i)].join(between));
  }
  writeFileSync(join(data, `${name}.csv`), `${lines.join("\n")}\n`);
}

const wearers = (shape?: Shape, count = 5): void => {
  for (let s = 1; s <= count; s++) write(`s${s}_day`, shape);
};

/** What --dry-run says: text and notes in one. */
async function understood(...args: string[]): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await cli(["train", "--name", "own", "--data", data, "--dry-run", ...args]);
  const text = `${stdout}\n${stderr}`;
  expect(text).not.toMatch(/NaN|undefined|Infinity/);
  return { code, text };
}

const refused = async (message: RegExp, ...args: string[]): Promise<void> => {
  const { code, text } = await understood(...args);
  expect(code, text).toBe(1);
  expect(text).toMatch(message);
};
const taken = async (message: RegExp, ...args: string[]): Promise<void> => {
  const { code, text } = await understood(...args);
  expect(code, text).toBe(0);
  expect(text).toMatch(message);
};

it("12 kHz: bands at a lower rate, or less of the signal", async () => {
  wearers({ frames: 4800, time: (i) => (i / 12000).toFixed(9) });
  await refused(
    /12000 samples a second by the time columns, at most 1000.*every 10 ms \(time,low\[dB\].*--rate 1000 keeps only what lies below 500 Hz/,
  );
  await taken(/1000 Hz, 2 channels/, "--rate", "1000", "--window", "40ms");
  rmSync(data, { recursive: true });
  mkdirSync(data);
  wearers({ header: "time,low[dB],high[dB],label", time: (i) => (i / 100).toFixed(2) });
  await taken(/100 Hz, 2 channels/);
});

it("1/60 Hz: the unit of time into the header", async () => {
  const minutes: Shape = { frames: 3000, time: (i) => String(60 * i), label: (i) => (i % 300 < 40 ? "smoke" : "air") };
  wearers(minutes);
  await refused(
    /a sample comes every 60 s\. Is time in milliseconds\? Write time\[ms\] into the header\. If it is in seconds, write time\[s\]/,
  );
  wearers({ ...minutes, header: "time[s],x,y,label" });
  await taken(
    /a sample every 60 s, 2 channels: .*\nChannels: x, y\.\nWindows of 64 min \(64 frames\), label rule any>20%: bouts of "smoke", the shortest, last 40 min/,
  );
  await taken(/Windows of 2.13 h \(128 frames\), label rule centre/, "--window", "2h", "--label-rule", "centre");
  await taken(/Windows of 3 h \(128 frames\), label rule any>20%/, "--window", "3h", "--label-rule", "any>20%");
  await refused(/the label "smoke" has no window .*Choose a shorter --window: bouts of "smoke" last 41.3 min/, "--window", "8h");
  await refused(/a window of 5 min holds 5 frames at a sample every 60 s.*Choose --window 32 min or longer/, "--window", "5min");
  await taken(/Windows of 32 min/, "--window", "32min");
});

it("semicolons, tabs and dates are read as they are", async () => {
  for (const between of [";", "\t"]) {
    wearers({ between, header: "timestamp,x,y,activity", time: (i) => new Date(1.8e12 + 20 * i).toISOString() });
    await taken(/5 CSV recordings of 5 wearers, 50 Hz, 2 channels/);
  }
});

it("a label without windows: another rule for labels", async () => {
  wearers({ label: (i) => (i % 300 < 100 ? "short" : "long") });
  await refused(
    /the label "short" has no window of 128 frames by the rule whole\. Choose --label-rule "majority"/,
    "--label-rule",
    "whole",
    "--window",
    "2.56s",
  );
  await taken(/short .* \d+ +\d+ +\d+\n/, "--label-rule", "majority", "--window", "2.56s");
});

it("a label that only those have who test: others test", async () => {
  wearers();
  write("s2_day", { label: (i) => (i < 600 ? "rolled" : "still") });
  await refused(/no window of the label "rolled" is in the recordings of those that the agent learns from\. Choose --fold 2/);
  await taken(/1 subject to test: 5/, "--fold", "2");
});

it("one subject alone: recordings or stretches of time apart", async () => {
  write("s1_monday", { frames: 6000 });
  await refused(/recordings of 1 wearers \(1\): at least 3 are needed.*--split recordings.*--split time/);
  await taken(/2 subjects to test: t1, t6/, "--split", "time", "--window", "640ms", "--label-rule", "majority");
  for (const day of ["tuesday", "wednesday"]) write(`s1_${day}`, { frames: 6000 });
  await taken(/1 subject to test: s1_tuesday/, "--split", "recordings");
  expect(readdirSync(data)).toHaveLength(3);
});

it("three labels in two subjects: stretches of time apart", async () => {
  write("s1_day", { frames: 6000, label: (i) => ["still", "shaken"][Math.floor(i / 150) % 2]! });
  write("s2_day", { frames: 6000, label: (i) => ["still", "turned"][Math.floor(i / 150) % 2]! });
  await refused(/recordings of 2 wearers \(1, 2\).*--split time/);
  await taken(/turned .*\n4 subjects to fit/, "--split", "time");
});
