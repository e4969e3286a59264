import type { Manifest, ModelImage } from "../../core/image/image-types.ts";
import { areImuChannels, type Channel, channelsText, IMU_CHANNELS } from "../../core/image/imu-channels.ts";
import { CHIP_AXES, type ImuAxes } from "../../data/imu-axes.ts";
import type { Target } from "./target.ts";

/** Frames per second that the IMU driver reads (boards/common/imu.c): its parts measure 100 times, and their low-pass ends at 20 Hz. */
const IMU_LEAST_HZ = 40;
const IMU_MOST_HZ = 100;
/** Largest terms of a scale: raw × 40 × numerator stays below 2^31, and so does 41 × denominator beside it. */
const MOST_NUMERATOR = 1024;
const MOST_DENOMINATOR = 32_767;

/** Model counts per count of the driver's own units, as a fraction in lowest terms. */
export type ImuScale = readonly [numerator: number, denominator: number];

/** Where the frames of a model come from on a board. */
export type FrameSource =
  /** The firmware reads an IMU on the board's bus: one scale per channel. */
  | { readonly from: "imu"; readonly scales: readonly ImuScale[] }
  /** The host sends them over the link, for this reason. */
  | { readonly from: "link"; readonly reason: string };

/** The IMU driver for a model whose manifest names its channels, order, units and a rate that it reads; the link for every other. */
export function frameSource(target: Pick<Target, "id" | "hasImu">, image: ModelImage): FrameSource {
  const { channels } = image.manifest;
  const rateHz = image.frameRateMillihertz / 1000;
  const link = (reason: string): FrameSource => ({ from: "link", reason });
  if (!target.hasImu) return link(`${target.id} has no bus for an IMU`);
  if (image.channels !== channels.length || !areImuChannels(channels))
    return link(`the model takes ${channelsText(channels)}; the IMU driver gives ax ay az in g, gx gy gz in °/s, in this order`);
  if (rateHz < IMU_LEAST_HZ || rateHz > IMU_MOST_HZ)
    return link(`the model takes ${rateHz} frames per second; the IMU driver gives ${IMU_LEAST_HZ} to ${IMU_MOST_HZ}`);
  const scales: ImuScale[] = [];
  for (const [c, channel] of channels.entries()) {
    const scale = scaleTo(channel, IMU_CHANNELS[c]!.countsPerUnit);
    if (scale === undefined)
      return link(
        `${channel.countsPerUnit} counts per ${channel.unit} of ${channel.name} are no fraction n/d of the IMU driver's ${IMU_CHANNELS[c]!.countsPerUnit} with n ≤ ${MOST_NUMERATOR}, d ≤ ${MOST_DENOMINATOR}`,
      );
    scales.push(scale);
  }
  return { from: "imu", scales };
}

/** One line for people. `axes`: how the chip sits on the body. */
export function frameSourceText(source: FrameSource, { orientation }: Manifest, axes: ImuAxes = CHIP_AXES): string {
  if (source.from === "link") return `frames come over the link: ${source.reason}`;
  const isScaled = source.scales.some(([n, d]) => n !== d);
  const turned = axes.map((axis) => `${axis < 0 ? "-" : "+"}${"xyz"[Math.abs(axis) - 1]}`).join("");
  return `frames come from an IMU on the board's bus${isScaled ? ", scaled to the model's counts" : ""}; chip axes ${turned} are the model's x y z, trained as: ${orientation || "not stated"}`;
}

/** countsPerUnit / own in lowest terms, exact to its decimal digits; undefined if a term is too large. */
function scaleTo({ countsPerUnit }: Channel, own: number): ImuScale | undefined {
  const [, digits = "", fraction = ""] = /^(\d+)(?:\.(\d+))?$/.exec(String(countsPerUnit)) ?? [];
  if (digits === "") return undefined; // written with an exponent: far too large or too small
  const above = BigInt(digits + fraction);
  const below = BigInt(own) * 10n ** BigInt(fraction.length);
  const divisor = greatestDivisor(above, below);
  const [numerator, denominator] = [Number(above / divisor), Number(below / divisor)];
  return numerator > MOST_NUMERATOR || denominator > MOST_DENOMINATOR ? undefined : [numerator, denominator];
}

function greatestDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestDivisor(b, a % b);
}
