import { IMU_CHANNELS } from "../../core/image/imu-channels.ts";

/** A header's name and unit in the runtime's own words, and what its values are multiplied by. */
export interface ReadChannel {
  readonly name: string;
  readonly unit: string;
  readonly factor: number;
}

const accelerometer = /^(?:a|acc|accel|accelerometer|acceleration)[ _.-]?([xyz])$/i;
const gyroscope = /^(?:g|w|gyr|gyro|gyroscope|rotation|rot)[ _.-]?([xyz])$/i;
const [g, degrees] = [IMU_CHANNELS[0]!.unit, IMU_CHANNELS[3]!.unit];
const STANDARD_GRAVITY = 9.80665; // m/s², by definition

/** Spellings of units, in lower case without blanks, by what one of them is in g, or in °/s. */
const accelerations: ReadonlyMap<string, number> = new Map([
  ["g", 1],
  ["mg", 1e-3],
  ...["m/s2", "m/s\u00b2", "m/s^2", "ms-2", "m/s/s", "m.s-2"].map((unit) => [unit, 1 / STANDARD_GRAVITY] as const),
]);
const turns: ReadonlyMap<string, number> = new Map([
  ...["\u00b0/s", "deg/s", "dps", "degrees/s"].map((unit) => [unit, 1] as const),
  ...["mdps", "mdeg/s"].map((unit) => [unit, 1e-3] as const),
  ...["rad/s", "rads/s", "rad.s-1", "rads-1"].map((unit) => [unit, 180 / Math.PI] as const),
]);

/**
 * An axis of an accelerometer or a gyroscope whose unit is known, as IMU agents name it: acc_x[m/s²] is ax[g], gyro_z[rad/s] is gz[°/s].
 * Any other channel stays as it is written.
 */
export function readImuHeader(name: string, unit: string): ReadChannel {
  const word = unit.toLowerCase().replaceAll(/\s/g, "");
  const [acceleration, turn] = [accelerations.get(word), turns.get(word)];
  const axis = acceleration === undefined ? undefined : accelerometer.exec(name)?.[1];
  if (axis !== undefined) return { name: `a${axis.toLowerCase()}`, unit: g, factor: acceleration! };
  const turned = turn === undefined ? undefined : gyroscope.exec(name)?.[1];
  if (turned !== undefined) return { name: `g${turned.toLowerCase()}`, unit: degrees, factor: turn! };
  return { name, unit, factor: 1 };
}
