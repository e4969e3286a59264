import { describe, expect, it } from "vitest";
import type { ModelImage } from "../../../../host/core/image/image-types.ts";
import { areImuChannels, type Channel, channelsText, IMU_CHANNELS } from "../../../../host/core/image/imu-channels.ts";
import { parseImuAxes } from "../../../../host/data/imu-axes.ts";
import { frameSource, frameSourceText } from "../../../../host/firmware/mcu/frame-source.ts";
import { loadTarget, targetIds } from "../../../../host/firmware/mcu/target.ts";
import { activity } from "../../../support/device.ts";

const pico = loadTarget("pico");

function imageWith(channels: readonly Channel[], rateHz = 50): ModelImage {
  const manifest = { ...activity.manifest, channels, frameRateHz: rateHz };
  return { ...activity.image, channels: channels.length, frameRateMillihertz: rateHz * 1000, manifest };
}

/** The IMU's channels at other counts per g and per °/s. */
const counting = (perG: number, perDegree: number) =>
  IMU_CHANNELS.map((channel, c) => ({ ...channel, countsPerUnit: c < 3 ? perG : perDegree }));

const reasonOf = (image: ModelImage, target: Parameters<typeof frameSource>[0] = pico): string => {
  const source = frameSource(target, image);
  return source.from === "link" ? source.reason : "";
};

describe("where a board's frames come from", () => {
  it("is the IMU, unscaled, when the manifest has the driver's own channels", () => {
    expect(frameSource(pico, activity.image)).toEqual({ from: "imu", scales: Array(6).fill([1, 1]) });
  });

  it.each([
    [2048, 32, [1, 1], [2, 1]],
    [8192, 16.4, [4, 1], [41, 40]], // 2^13 as train makes it; an MPU-6050's own step
    [2000, 16.384, [125, 128], [128, 125]], // ±2000 °/s over the whole of int16
    [1, 131.072, [1, 2048], [1024, 125]],
    [1671.168, 0.001, [102, 125], [1, 16_000]],
  ])("is the IMU, scaled by an exact fraction, when the model has %d counts per g and %d per °/s", (perG, perDegree, accel, gyro) => {
    expect(frameSource(pico, imageWith(counting(perG, perDegree)))).toEqual({
      from: "imu",
      scales: [accel, accel, accel, gyro, gyro, gyro],
    });
  });

  it.each(["deg/s", "dps"])("is the IMU when °/s is spelled %s", (unit) => {
    const channels = IMU_CHANNELS.map((channel, c) => (c < 3 ? channel : { ...channel, unit }));
    expect(frameSource(pico, imageWith(channels)).from).toBe("imu");
  });

  const swapped = [...IMU_CHANNELS.slice(3), ...IMU_CHANNELS.slice(0, 3)];
  const gas = ["co2", "co", "no2", "voc", "humidity", "temperature"].map((name) => ({ name, unit: "ppm", countsPerUnit: 8 }));
  it.each<[string, readonly Channel[]]>([
    ["other quantities", gas],
    ["another order", swapped],
    ["m/s² instead of g", IMU_CHANNELS.map((channel) => (channel.unit === "g" ? { ...channel, unit: "m/s²" } : channel))],
    ["rad/s instead of °/s", IMU_CHANNELS.map((channel) => (channel.unit === "g" ? channel : { ...channel, unit: "rad/s" }))],
    ["three channels", IMU_CHANNELS.slice(0, 3)],
    ["nine channels", [...IMU_CHANNELS, ...gas.slice(0, 3)]],
  ])("is the link when the manifest has %s", (_, channels) => {
    expect(areImuChannels(channels)).toBe(false);
    expect(reasonOf(imageWith(channels))).toContain(channelsText(channels));
  });

  it.each([25, 39.9, 100.1, 200])("is the link at %d frames per second, which the driver does not read", (rateHz) => {
    expect(reasonOf(imageWith(IMU_CHANNELS, rateHz))).toContain(`${rateHz} frames per second`);
  });

  it.each([40, 100])("is the IMU at %d frames per second", (rateHz) => {
    expect(frameSource(pico, imageWith(IMU_CHANNELS, rateHz)).from).toBe("imu");
  });

  it.each([1e-9, 1e21, 16.123_456_789, 16 * 1025, 16 / 32_768])(
    "is the link when %d counts per °/s are no fraction for 32 bits",
    (perDegree) => {
      expect(reasonOf(imageWith(counting(2048, perDegree)))).toContain(`${perDegree} counts per °/s of gx`);
    },
  );

  it("is the link on a board without a bus for an IMU", () => {
    for (const target of targetIds().map((id) => loadTarget(id)))
      expect(frameSource(target, activity.image).from, target.id).toBe(target.hasImu ? "imu" : "link");
  });

  it("names the turn of the chip and the axes that the model was trained in", () => {
    const text = frameSourceText(frameSource(pico, activity.image), activity.manifest, parseImuAxes("-y+x+z"));
    expect(text).toContain("-y+x+z");
    expect(text).toContain(activity.manifest.orientation);
  });
});
