import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { seeded } from "../random.ts";

const minutesADay = 1440;
const channels = ["voc[ppb]", "co[ppm]", "pm[ug/m3]", "humidity[%]"] as const;
/** What an event adds at its height, a channel, and how long it lasts in minutes. */
const kinds = {
  cooking: { adds: [420, 1.2, 38, 9], minutes: [20, 50], aDay: 2.4 },
  smoke: { adds: [520, 4.5, 60, 1], minutes: [12, 35], aDay: 0.35 },
  shower: { adds: [120, 0.1, 6, 24], minutes: [15, 30], aDay: 1.2 },
} as const;
type Kind = keyof typeof kinds;

/** Gas sensors in homes, a sample a minute for some days: air, and cooking, showers and rarely smoke in it. One file a home. */
export function writeGasRecordings(dir: string, { homes = 12, days = 10, seed = 1 } = {}): void {
  for (let home = 1; home <= homes; home++)
    writeFileSync(join(dir, `s${String(home).padStart(2, "0")}.csv`), gasText(days, 100 * seed + home));
}

function gasText(days: number, seed: number): string {
  const random = seeded(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const n = days * minutesADay;
  const labels: (Kind | "air")[] = new Array(n).fill("air");
  const sums = channels.map(() => new Float64Array(n));
  const gain = channels.map(() => Math.exp(0.25 * normal()));
  for (const [kind, { adds, minutes, aDay }] of Object.entries(kinds))
    for (let count = Math.max(1, Math.round(aDay * days * (0.7 + 0.6 * random()))); count > 0; count--) {
      const length = Math.round(minutes[0] + (minutes[1] - minutes[0]) * random());
      const start = Math.floor(random() * (n - 3 * length));
      if (labels.slice(Math.max(0, start - 60), start + length + 60).some((label) => label !== "air")) continue;
      labels.fill(kind as Kind, start, start + length);
      const height = Math.exp(0.45 * normal());
      const lag = adds.map(() => 3 + 9 * random()); // minutes that a sensor takes to follow
      for (let c = 0; c < channels.length; c++) {
        let level = 0;
        for (let i = start; i < Math.min(n, start + length + 90); i++) {
          level += ((i < start + length ? height * adds[c]! * gain[c]! * (1 + 0.35 * normal()) : 0) - level) / lag[c]!;
          sums[c]![i]! += level;
        }
      }
    }
  const base = [180, 0.6, 9, 42].map((level) => level * Math.exp(0.2 * normal()));
  const noise = [14, 0.12, 2.2, 0.7];
  let drift = 0;
  const lines = [`time,${channels.join(",")},label`];
  for (let i = 0; i < n; i++) {
    drift = 0.998 * drift + 0.02 * normal();
    const daily = Math.sin((2 * Math.PI * i) / minutesADay);
    const values = base.map(
      (level, c) => level * (1 + 0.1 * daily + (c === 0 ? drift : 0.2 * drift)) + sums[c]![i]! + noise[c]! * normal(),
    );
    const time = new Date(Date.UTC(2026, 0, 1) + 60_000 * i).toISOString().replace(".000Z", "Z");
    lines.push(`${time},${values.map((value) => value.toFixed(2)).join(",")},${labels[i]}`);
  }
  return `${lines.join("\n")}\n`;
}
