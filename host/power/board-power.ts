import { z } from "zod";
import { coreKinds } from "./cycle-costs.ts";

/** A number and its source: a document and section, or a derivation. */
const figure = (what: string) =>
  z
    .strictObject({
      value: z.number().nonnegative(),
      source: z.string().min(12).describe("Document and section, or what it was derived from."),
    })
    .describe(what);

const point = z.tuple([z.number(), z.number()]);
const curvePoints = z.strictObject({
  points: z.array(point).min(2).max(32).refine(isAscending, { error: "must ascend: each point's first number above the one before" }),
  source: z.string().min(12),
});
const curve = (what: string) => curvePoints.describe(what);

function isAscending(points: readonly (readonly [number, number])[]): boolean {
  return points.every(([x], i) => i === 0 || x > points[i - 1]![0]);
}

/** Power drawn by the processor, the sensor and fixed loads. */
export const powerSchema = z.strictObject({
  supplyVolts: figure("Volts at which the currents below are stated."),
  cycleCosts: z.enum(coreKinds).describe("Cycles an operation: a table of host/power/cycle-costs.ts."),
  clockHz: figure("Clock at which activeMilliamps is stated, and at which the core runs."),
  activeMilliamps: figure("The chip's current while it computes."),
  sleepMicroamps: figure("The chip's current between two frames, RAM and timer kept."),
  imuMicroamps: curve("Current of the IMU by its rate: (Hz, µA), ascending."),
  load: z
    .strictObject({ name: z.string().min(1), milliwatts: figure("Power while it is on.") })
    .optional()
    .describe("A load beside the agent, e.g. a display; counted in energy and heat, not governed."),
});

export const batterySchema = z.strictObject({
  name: z.string().min(1),
  capacityMilliampHours: figure("At 25 °C and a low rate."),
  volts: curvePoints
    .refine(({ points }) => points[0]?.[0] === 0 && points.at(-1)?.[0] === 1, {
      path: ["points"],
      error: "must begin at a charge of 0 and end at 1: the capacity is their mean over it",
    })
    .describe("Open-circuit volts by state of charge: (0…1, V), ascending."),
  selfDischargePercentPerMonth: figure("Charge lost in 30 days on the shelf."),
  usableShare: curve("Share of the capacity that can be drawn, by temperature: (°C, 0…1), ascending."),
});

export const thermalSchema = z.strictObject({
  skin: z
    .strictObject({
      kelvinPerWatt: figure("R_th from the whole device to the air."),
      joulesPerKelvin: figure("C_th of what warms with the skin side."),
      limitCelsius: figure("What the skin may touch for long."),
    })
    .describe("First-order RC of the touched surface."),
  junction: z
    .strictObject({
      kelvinPerWatt: figure("From the junction to the touched surface."),
      limitCelsius: figure("Largest junction temperature."),
    })
    .describe("Settles within milliseconds, so it is the skin's temperature and a step above it."),
});

export const radioKinds = ["wifi", "lte-m", "ble"] as const;
export type RadioKind = (typeof radioKinds)[number];

const radioProfileSchema = z.strictObject({
  part: z.string().min(1).describe("The radio's chip: the board's own, or a companion."),
  supplyVolts: figure("Volts at which the currents below are stated."),
  offMicroamps: figure("Off the air; coming back is attachMillijoules."),
  attachMillijoules: figure("From off until data can flow."),
  attachMillis: figure("How long that takes."),
  keptMicroamps: figure("Mean current with the connection kept and nothing to send."),
  wakeMillijoules: figure("From a kept connection until data can flow."),
  wakeMillis: figure("How long that takes."),
  transmitMilliamps: figure("While it transmits."),
  receiveMilliamps: figure("While it receives."),
  kilobitsPerSecond: figure("Throughput to the application, both ways."),
  tailMillis: figure("How long the radio stays up after the last byte."),
  tailMilliamps: figure("Mean current of that tail."),
  overheadBytes: figure("A message's headers and acknowledgements, both ways."),
  roundTripMillis: figure("Median round trip to the cloud once data can flow."),
});

/** boards/radios.json: radios by name; several boards get the same one. */
export const radiosSchema = z.strictObject({ $schema: z.string().optional(), radios: z.record(z.string(), radioProfileSchema) });

/** The radio of each kind that a board has, or gets as a companion: a name in boards/radios.json. */
export const radioSchema = z.strictObject({
  wifi: z.string().optional(),
  "lte-m": z.string().optional(),
  ble: z.string().optional(),
});

export type PowerFigures = Readonly<z.output<typeof powerSchema>>;
export type BatteryFigures = Readonly<z.output<typeof batterySchema>>;
export type ThermalFigures = Readonly<z.output<typeof thermalSchema>>;
export type RadioProfile = Readonly<z.output<typeof radioProfileSchema>>;

/** Linear between the points of an ascending curve, its end values beyond them. */
export function onCurve(points: readonly (readonly [number, number])[], x: number): number {
  const after = points.findIndex(([at]) => at >= x);
  if (after === 0) return points[0]![1];
  if (after < 0) return points.at(-1)![1];
  const [x0, y0] = points[after - 1]!;
  const [x1, y1] = points[after]!;
  return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}
