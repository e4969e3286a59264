import type { RP2040 } from "rp2040js";
import { describe, expect, it } from "vitest";
import { LINK_DEVICE, LOG_GAP, LOG_SAVED } from "../../assembly/device/layout.ts";
import { writeImage } from "../../host/core/image/image-write.ts";
import { IMU_CHANNELS } from "../../host/core/image/imu-channels.ts";
import { CHIP_AXES, type ImuAxes, parseImuAxes } from "../../host/data/imu-axes.ts";
import { startRp2040 } from "../../host/firmware/emulate/emulators/rp2040.ts";
import { makeLinkStream } from "../../host/firmware/emulate/link-stream.ts";
import { replayDevice } from "../../host/firmware/emulate/replay-device.ts";
import { deviceMemoryBytes } from "../../host/firmware/mcu/build-options.ts";
import { flatten, readElf } from "../../host/firmware/mcu/elf.ts";
import { loadTarget } from "../../host/firmware/mcu/target.ts";
import { encodeCommand } from "../../host/link/command.ts";
import { encodeFrame } from "../../host/link/frame.ts";
import { readDeviceStream } from "../../host/link/messages.ts";
import { encodeSensor } from "../../host/link/sensor.ts";
import { createLinkWriter } from "../../host/link/stream.ts";
import { activity, activityImage, decisionsOf, only, wearer } from "../support/device.ts";
import { EmulatedImu, type EmulatedImuOptions, LSM6DSOX, MPU6050 } from "../support/emulated-imu.ts";
import { answerRom, bootRom } from "../support/emulated-pico.ts";
import { firmwareOnce } from "../support/firmware-once.ts";
import { needTools } from "../support/tools.ts";

// The Pico's firmware with an IMU on its pins, bit by bit: what it decides is what device.wasm decides here of the same samples.

const CHANNELS = 6;
const TICK_CYCLES = 2_500_000; // 20 ms at 125 MHz
const PAINT = 0xa5a5a5a5;
const TICK_NANOS = 20e6;
const FIRST_TICK = 2; // it is found in the first

type Raw = readonly number[];

/** What a part on the pins reads where the body moves as the synthetic wearer does. */
function rawFrames(frames: number): Raw[] {
  const { samples } = wearer(5, frames)[0]!;
  return Array.from({ length: frames }, (_, i) => [...samples.subarray(i * CHANNELS, (i + 1) * CHANNELS)]);
}

/** A raw frame in a model's counts: gyroscope at `counts / steps`, accelerometer at `accel`, rounded once to the nearest; turned; saturated. */
function inUnits(raw: Raw, counts: number, steps: number, axes: ImuAxes, accel = 1): number[] {
  const scaled = raw.map((value, c) => (c < 3 ? value * accel : (value * counts) / steps));
  return [0, 3].flatMap((at) =>
    axes.map((axis) => {
      const value = Math.sign(axis) * scaled[at + Math.abs(axis) - 1]!;
      return Math.max(-32768, Math.min(32767, Math.sign(value) * Math.floor(Math.abs(value) + 0.5)));
    }),
  );
}

/** Frames as the board itself writes them into fd 0. */
function localStream(frames: readonly { readonly tick: number; readonly frame: readonly number[] }[]): Uint8Array {
  return Buffer.concat(
    frames.map(({ tick, frame }) =>
      encodeFrame({
        type: "local-sensor",
        agent: 255,
        sequence: 0,
        more: false,
        payload: encodeSensor({ tick, channels: CHANNELS, samples: Int16Array.from(frame) }),
      }),
    ),
  );
}

function boot(options: EmulatedImuOptions, { imuAxes = CHIP_AXES, hasStore = false, image = activityImage as Uint8Array } = {}) {
  const target = loadTarget("pico");
  const elf = firmwareOnce({
    target,
    image,
    variant: "fast",
    kernels: "c",
    hasStore,
    imuAxes,
  });
  const rom = hasStore ? bootRom() : undefined;
  const { segments, symbols } = readElf(elf);
  let imu: EmulatedImu | undefined;
  let mcu: RP2040 | undefined;
  const board = startRp2040(flatten(segments), {
    silenceCycles: 200 * TICK_CYCLES,
    connect: (rp2040) => {
      mcu = rp2040;
      imu = new EmulatedImu(mcu, options);
      if (rom === undefined) return;
      mcu.bootrom.set(rom);
      answerRom(mcu);
    },
  });
  const untouchedStackBytes = () => {
    let at = symbols.get("__stack_bottom")!;
    while (mcu!.readUint32(at) === PAINT) at += 4;
    return at - symbols.get("__stack_bottom")!;
  };
  return { board, imu: imu!, untouchedStackBytes };
}

/** A command to save the state. */
function saveCommand(): Uint8Array {
  const parts: Uint8Array[] = [];
  const writer = createLinkWriter((bytes) => parts.push(bytes));
  writer.message("command", LINK_DEVICE, encodeCommand({ verb: "snapshot" }));
  return Buffer.concat(parts);
}

const here = (stream: Uint8Array, image: Uint8Array = activityImage) =>
  replayDevice({ stream, factory: [image], memoryBytes: deviceMemoryBytes(image) }).output;

/** The activity model with other counts per g and per °/s in its manifest. */
function counting(perG: number, perDegree: number): Uint8Array {
  const channels = IMU_CHANNELS.map((channel, c) => ({ ...channel, countsPerUnit: c < 3 ? perG : perDegree }));
  return writeImage({ ...activity.image, manifest: { ...activity.manifest, channels } });
}

const parts = [
  { name: "LSM6DSOX", registers: LSM6DSOX, image: activityImage, accel: 1, counts: 28, steps: 25 }, // 70 m°/s a step
  {
    name: "MPU-6050, scaled to the model's counts,",
    registers: MPU6050,
    image: counting(1000, 32),
    accel: 125 / 256,
    counts: 80,
    steps: 41,
  }, // 1/16.4 °/s a step
];

describe("the IMU on a Pico (needs arm gcc, wabt)", () => {
  it.for(parts)("decides of an $name's samples what it decides of the same frames here, byte for byte", async (part, context) => {
    needTools(context, "arm-none-eabi-gcc", "wasm2c");
    const raw = [...rawFrames(199), [-32768, 32767, -1, 32767, -32768, 12]]; // and the ends of the range
    const axes = parseImuAxes("-y+x+z");
    const { board, imu, untouchedStackBytes } = boot(
      { registers: part.registers, sample: (i) => raw[i], heldClocks: 5 },
      { imuAxes: axes, image: part.image },
    );
    const options = makeLinkStream([]);
    const frames = raw.map((one, i) => ({ tick: FIRST_TICK + i, frame: inUnits(one, part.counts, part.steps, axes, part.accel) }));
    /** What is sent where the options come after so many samples. */
    const sentWith = (n: number) =>
      here(Buffer.concat([localStream(frames.slice(0, n)), options, localStream(frames.slice(n))]), part.image);
    const { length } = sentWith(0);
    const first = await board.read(1);
    board.write(options);
    const got = Buffer.concat([first, await board.read(length - 1)]);
    // Starting up takes the board its time: its answer says which sample was the last before it.
    const { tick } = only(readDeviceStream(got).messages, "hello").at(-1)!.hello;
    const before = Math.max(0, tick + 1 - FIRST_TICK);
    expect(before).toBeLessThanOrEqual(2);
    const expected = sentWith(before);
    expect(decisionsOf(readDeviceStream(expected).messages).length).toBeGreaterThanOrEqual(2);
    expect(Buffer.compare(got, expected)).toBe(0);
    expect(imu.setups).toBe(1);
    expect(untouchedStackBytes()).toBeGreaterThanOrEqual(2048 - 1232);
    const periods = imu.nanos.slice(1).map((at, i) => at - imu.nanos[i]!);
    expect(Math.max(...periods.map((period) => Math.abs(period - TICK_NANOS)))).toBeLessThan(TICK_NANOS / 50);
    expect(Math.abs(imu.nanos.at(-1)! - imu.nanos[0]! - periods.length * TICK_NANOS)).toBeLessThan(TICK_NANOS / 20);
  });

  it("takes an IMU without power as frames lost, and sets it up again when it is back", async (context) => {
    needTools(context, "arm-none-eabi-gcc", "wasm2c");
    const raw = rawFrames(260);
    const isGone = (i: number) => i >= 100 && i < 123;
    const { board, imu } = boot({ registers: LSM6DSOX, sample: (i) => (isGone(i) ? undefined : raw[i]) });
    const frames = raw.map((one, i) => ({ tick: FIRST_TICK + i, frame: inUnits(one, 28, 25, CHIP_AXES) })).filter((_, i) => !isGone(i));
    const expected = here(localStream(frames));
    expect(only(readDeviceStream(expected).messages, "log").map(({ log }) => log.code)).toContain(LOG_GAP);
    expect(Buffer.compare(await board.read(expected.length), expected)).toBe(0);
    expect(imu.setups).toBe(2);
  });

  it("knows which ticks passed while flash was erased", async (context) => {
    needTools(context, "arm-none-eabi-gcc", "wasm2c");
    const raw = rawFrames(300);
    const { board, imu } = boot({ registers: LSM6DSOX, sample: (i) => raw[i] }, { hasStore: true });
    const options = makeLinkStream([]);
    while (imu.readings < 1) board.run(TICK_CYCLES);
    board.write(options);
    while (imu.readings < 100) board.run(TICK_CYCLES);
    board.write(saveCommand());
    while (imu.readings < raw.length) board.run(TICK_CYCLES);
    // A sample that an erase has delayed belongs to the last tick that passed; the others are read right after theirs.
    const since = (at: number) => Math.floor((at - imu.nanos[50]! + TICK_NANOS / 50) / TICK_NANOS);
    const ticks = imu.nanos.map((at) => since(at) - since(imu.nanos[0]!));
    const steps = ticks.slice(1).map((tick, i) => tick - ticks[i]!);
    expect(Math.max(...steps)).toBeGreaterThan(1); // an erase takes more than two of them
    const { messages } = readDeviceStream(await board.read(board.waiting));
    const got = decisionsOf(messages);
    const expectedFrom = (first: number) => {
      const frames = raw.map((one, i) => ({ tick: first + ticks[i]!, frame: inUnits(one, 28, 25, CHIP_AXES) }));
      return decisionsOf(readDeviceStream(here(Buffer.concat([options, localStream(frames)]))).messages);
    };
    const first = 1 + got[0]!.tick - expectedFrom(1)[0]!.tick; // the store is made before the first sample, which takes ticks, too
    const expected = expectedFrom(first);
    expect(got.length).toBeGreaterThanOrEqual(3);
    expect(got).toEqual(expected.slice(0, got.length));
    const logs = only(messages, "log").map(({ log }) => log.code);
    expect(logs).toContain(LOG_SAVED);
    expect(logs).not.toContain(LOG_GAP); // no erase is longer than the model may hold its state
  });

  it("takes frames over the UART between the samples, and cuts off one that is never finished", async (context) => {
    needTools(context, "arm-none-eabi-gcc", "wasm2c");
    const raw = rawFrames(200);
    const { board } = boot({ registers: LSM6DSOX, sample: (i) => raw[i] });
    const options = makeLinkStream([]);
    const local = localStream(raw.map((one, i) => ({ tick: FIRST_TICK + i, frame: inUnits(one, 28, 25, CHIP_AXES) })));
    const cut = Buffer.concat([options, options.subarray(0, options.length - 5)]);
    const expected = here(Buffer.concat([cut, Uint8Array.of(0), local]));
    const first = await board.read(1);
    board.write(cut);
    const got = readDeviceStream(Buffer.concat([first, await board.read(expected.length - 1)]));
    const decisions = decisionsOf(readDeviceStream(expected).messages);
    expect(decisions.length).toBeGreaterThanOrEqual(2);
    expect(decisionsOf(got.messages)).toEqual(decisions);
    expect(got.stats.bad).toBe(0);
  });
});

describe("--imu-axes", () => {
  it("takes every turn of the chip on the body", () => {
    expect(parseImuAxes("+x+y+z")).toEqual(CHIP_AXES);
    expect(parseImuAxes("-y+x+z")).toEqual([-2, 1, 3]);
    const all = ["x", "y", "z"].flatMap((a) => ["x", "y", "z"].flatMap((b) => ["x", "y", "z"].map((c) => [a, b, c])));
    const signs = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => [1, 2, 4].map((bit) => (bits & bit ? "-" : "+")));
    const turns = all.flatMap((letters) => signs.map((sign) => letters.map((letter, i) => sign[i]! + letter).join(""))).filter(isTurn);
    expect(turns).toHaveLength(24);
  });

  it("refuses what is no turn, and says why", () => {
    expect(() => parseImuAxes("+x+y-z")).toThrow("mirror image");
    expect(() => parseImuAxes("+x+x+z")).toThrow("each axis is needed once");
    for (const text of ["", "xyz", "+x+y", "+x+y+z+x", "+x +y+z", "+x+y+w"])
      expect(() => parseImuAxes(text), text).toThrow("three signed letters");
  });
});

function isTurn(text: string): boolean {
  try {
    parseImuAxes(text);
    return true;
  } catch {
    return false;
  }
}
