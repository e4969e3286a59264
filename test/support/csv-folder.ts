import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { seeded } from "./random.ts";

/** A wearer's recording: still, then shaken at 3 Hz, then unlabelled. Two channels, 50 Hz. */
export function csvText(seed: number, { frames = 600, rateHz = 50 } = {}): string {
  const random = seeded(seed);
  const lines = ["time,x[g],spin,label"];
  for (let i = 0; i < frames; i++) {
    const isShaken = i >= frames / 2;
    const swing = isShaken ? Math.sin((2 * Math.PI * 3 * i) / rateHz) : 0;
    const x = 1 + 0.4 * swing + 0.05 * (random() - 0.5);
    const spin = 90 * swing + 10 * (random() - 0.5);
    lines.push(`${(i / rateHz).toFixed(3)},${x.toFixed(4)},${spin.toFixed(2)},${i >= frames - 20 ? "" : isShaken ? "shaken" : "still"}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Writes recordings of `subjects` wearers into a folder: s01_day.csv, s02_day.csv, … */
export function writeCsvFolder(dir: string, subjects = 8, what = "day"): void {
  for (let s = 1; s <= subjects; s++) writeFileSync(join(dir, `s${String(s).padStart(2, "0")}_${what}.csv`), csvText(s));
}
