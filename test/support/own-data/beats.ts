import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { seeded } from "../random.ts";

const rateHz = 250;
/** Waves of a beat: when (s from the R peak), how wide (s), how high (mV) in either lead. */
type Wave = readonly [at: number, width: number, one: number, two: number];
const normalBeat: readonly Wave[] = [
  [-0.17, 0.022, 0.14, 0.1],
  [-0.03, 0.009, -0.12, -0.08],
  [0, 0.011, 1.1, 0.6],
  [0.03, 0.01, -0.25, -0.35],
  [0.25, 0.045, 0.28, 0.2],
];
/** Wide, without a P wave, its T wave turned. */
const ventricularBeat: readonly Wave[] = [
  [-0.02, 0.035, 1.0, -0.7],
  [0.06, 0.04, -0.45, 0.5],
  [0.3, 0.055, -0.3, 0.25],
];
/** Early, as narrow as others, its P wave small and near. */
const supraventricularBeat: readonly Wave[] = [[-0.12, 0.016, 0.07, -0.04], ...normalBeat.slice(1)];

/** Two leads of some minutes at 250 Hz: normal beats, and rarely ventricular (V) and supraventricular (S) ones. One file a person. */
export function writeBeatRecordings(dir: string, { people = 15, minutes = 6, seed = 1 } = {}): void {
  for (let one = 1; one <= people; one++)
    writeFileSync(join(dir, `p${String(one).padStart(2, "0")}.csv`), beatText(minutes, 1000 * seed + one));
}

function beatText(minutes: number, seed: number): string {
  const random = seeded(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const n = Math.round(minutes * 60 * rateHz);
  const leads = [new Float64Array(n), new Float64Array(n)];
  const labels: string[] = new Array(n).fill("N");
  const gains = [Math.exp(0.25 * normal()), Math.exp(0.25 * normal())];
  const stretch = Math.exp(0.1 * normal());
  const usual = 0.65 + 0.35 * random();
  let at = 0.5;
  let late = 0;
  while (at < minutes * 60 - 1) {
    const drawn = random();
    const kind = drawn < 0.02 ? "V" : drawn < 0.045 ? "S" : "N";
    const gap = usual * (1 + 0.04 * normal()) * (kind === "N" ? 1 : kind === "V" ? 0.68 : 0.74) + late;
    late = kind === "V" ? 0.3 * usual : 0;
    at += gap;
    const waves = kind === "V" ? ventricularBeat : kind === "S" ? supraventricularBeat : normalBeat;
    for (const [when, width, ...heights] of waves)
      for (const [lead, height] of heights.entries())
        for (let i = Math.floor((at + stretch * when - 4 * width) * rateHz); i <= (at + stretch * when + 4 * width) * rateHz; i++)
          if (i >= 0 && i < n)
            leads[lead]![i]! +=
              gains[lead]! * height! * (1 + 0.05 * normal()) * Math.exp(-0.5 * ((i / rateHz - at - stretch * when) / width) ** 2);
    if (kind !== "N") labels.fill(kind, Math.max(0, Math.round((at - 0.25) * rateHz)), Math.min(n, Math.round((at + 0.4) * rateHz)));
  }
  const wander = [2 * Math.PI * random(), 2 * Math.PI * random()];
  const lines = ["time[ms],I[mV],II[mV],label"];
  for (let i = 0; i < n; i++) {
    const values = leads.map((lead, k) => lead[i]! + 0.12 * Math.sin((2 * Math.PI * 0.22 * i) / rateHz + wander[k]!) + 0.035 * normal());
    lines.push(`${(i * 1000) / rateHz},${values.map((value) => value.toFixed(4)).join(",")},${labels[i]}`);
  }
  return `${lines.join("\n")}\n`;
}
