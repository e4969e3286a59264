import type { Manifest } from "./image-types.ts";

export type Channel = Manifest["channels"][number];

/** An IMU's frame in the fixed units that all IMU agents share: ±16 g and ±2000 °/s in int16. */
export const IMU_CHANNELS: readonly Channel[] = [
  ...["ax", "ay", "az"].map((name) => ({ name, unit: "g", countsPerUnit: 2048 })),
  ...["gx", "gy", "gz"].map((name) => ({ name, unit: "°/s", countsPerUnit: 16 })),
];

/** Spellings of °/s in the headers of recordings. */
const DEGREES_PER_SECOND = ["°/s", "deg/s", "dps"];

/** Whether channels are an IMU's: the same names and units in the same order. Counts per unit may differ. */
export function areImuChannels(channels: readonly Pick<Channel, "name" | "unit">[]): boolean {
  return (
    channels.length === IMU_CHANNELS.length &&
    IMU_CHANNELS.every(({ name, unit }, c) => {
      const given = channels[c]!;
      return given.name === name && (given.unit === unit || (unit === "°/s" && DEGREES_PER_SECOND.includes(given.unit)));
    })
  );
}

/** "ax ay az in g (2048 counts per g), …": what a model takes, neighbours of one unit and scale together. */
export function channelsText(channels: readonly Channel[]): string {
  const groups: { names: string[]; unit: string; countsPerUnit: number }[] = [];
  for (const { name, unit, countsPerUnit } of channels) {
    const last = groups.at(-1);
    if (last?.unit === unit && last.countsPerUnit === countsPerUnit) last.names.push(name);
    else groups.push({ names: [name], unit, countsPerUnit });
  }
  return groups
    .map(({ names, unit, countsPerUnit }) => {
      const counts = `${countsPerUnit} counts per ${unit === "" ? "unit" : unit}`;
      return `${names.join(" ")}${unit === "" ? "" : ` in ${unit}`} (${counts})`;
    })
    .join(", ");
}
