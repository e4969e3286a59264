import * as layout from "../../assembly/layout.ts";

/** Faults of an IMU, by the names of the core's plausibility monitor. */
export type SensorFaultName = "accelerometer" | "stuck" | "gyroscope" | "axes" | "turned";

const FAULTS: readonly (readonly [bit: number, name: SensorFaultName, text: string])[] = [
  [layout.FAULT_ACCELEROMETER, "accelerometer", "the accelerometer reads far more than gravity: check its unit (g) and its byte order"],
  [layout.FAULT_STUCK, "stuck", "an axis never changes: check the sensor"],
  [layout.FAULT_GYROSCOPE, "gyroscope", "the gyroscope hardly follows the movement: check that it runs, and its unit (°/s)"],
  [
    layout.FAULT_AXES,
    "axes",
    "gravity is on another axis than in training: check the order and signs of the axes, and how the sensor is worn",
  ],
  [layout.FAULT_TURNED, "turned", "walks look like those of a sensor turned about the vertical: check how it is worn"],
];

/** The names of FAULT_ bits. */
export function sensorFaultNames(bits: number): SensorFaultName[] {
  return FAULTS.filter(([bit]) => (bits & bit) !== 0).map(([, name]) => name);
}

/** The faults in words, one sentence without a full stop; empty if there are none. */
export function sensorFaultText(names: readonly SensorFaultName[]): string {
  return FAULTS.filter(([, name]) => names.includes(name))
    .map(([, , text]) => text)
    .join("; ");
}
