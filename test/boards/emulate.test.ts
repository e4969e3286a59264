import { describe, expect, it } from "vitest";
import { emulate, fullDepth } from "../../host/firmware/emulate/emulate.ts";
import { makeLinkStream } from "../../host/firmware/emulate/link-stream.ts";
import { replayDevice } from "../../host/firmware/emulate/replay-device.ts";
import { startBoard } from "../../host/firmware/emulate/start-board.ts";
import { deviceMemoryBytes } from "../../host/firmware/mcu/build-options.ts";
import { loadTarget, targetIds } from "../../host/firmware/mcu/target.ts";
import { activity, activityImage, wearer } from "../support/device.ts";
import { replayOnBoard } from "../support/emulated-device.ts";
import { firmwareOnce } from "../support/firmware-once.ts";
import { needTools } from "../support/tools.ts";

const WINDOWS = 20;
const WINDOW_FRAMES = 128;
const STACK_BYTES = 2048; // sections.ld
const TIMEOUT_MILLIS = process.env.DORMOUSE_NIGHTLY === "1" ? 3_600_000 : 300_000; // a compiler and an emulator at work on a busy machine

const { samples, channels } = wearer(5, WINDOWS * WINDOW_FRAMES)[0]!;
const frames = Array.from({ length: WINDOWS }, (_, i) => ({
  tick: i * 2000,
  samples: samples.subarray(i * WINDOW_FRAMES * channels, (i + 1) * WINDOW_FRAMES * channels),
}));
const emulated = targetIds().filter((id) => loadTarget(id).emulator !== undefined);
const dsp = ["feather-stm32f405", "qemu-mps2-an386", "qemu-mps2-an500", "qemu-mps2-an505", "qemu-mps3-an547"];

describe.each(emulated)("%s in an emulator (needs arm gcc, wabt, qemu)", { timeout: TIMEOUT_MILLIS }, (id) => {
  it(`decides ${WINDOWS} windows at full depth as the host does, within its budget and its stack`, async (context) => {
    const target = loadTarget(id);
    needTools(context, "arm-none-eabi-gcc", "wasm2c", ...(target.emulator?.kind === "qemu" ? (["qemu-system-arm"] as const) : []));
    const setPoint = fullDepth(activity);
    const result = await emulate({ target, model: activity, image: activityImage, variant: "fast", kernels: "c", frames, setPoint });
    const hops = activity.image.windowPatches / setPoint.hopPatches; // as long as no ring overflows
    expect(result).toMatchObject({ decisions: WINDOWS * hops, identical: true, firstDifference: undefined });
    expect(result.stackBytes).toBeGreaterThan(0);
    expect(result.stackBytes).toBeLessThanOrEqual(0.75 * STACK_BYTES);
    const perWindow = result.cost / WINDOWS;
    const perMac = result.linearCost / (128 * 128);
    if (dsp.includes(id)) {
      expect(perWindow).toBeLessThanOrEqual(5_000_000); // instructions
      expect(perMac).toBeLessThanOrEqual(2.2);
    }
    if (id === "pico") {
      expect(perWindow).toBeLessThanOrEqual(17_000_000); // cycles
      expect(perMac).toBeLessThanOrEqual(8.5);
    }
    // A full catch-up is a part of the window, and a frame of it the most expensive one.
    expect(result.worst).toBeGreaterThan(perWindow / 128);
    expect(result.worst).toBeLessThan(perWindow);
  });
});

const isNightly = process.env.DORMOUSE_NIGHTLY === "1";
const TEN_MINUTES_FRAMES = 30_000;

describe("device.wasm as firmware (needs arm gcc, wabt, qemu)", { timeout: TIMEOUT_MILLIS }, () => {
  const replays: readonly { board: string; frames: number; variant: "fast" | "safe"; kernels: "c" | "wasm" }[] = [
    { board: "feather-stm32f405", frames: isNightly ? TEN_MINUTES_FRAMES : 3000, variant: "fast", kernels: "c" },
    { board: "qemu-mps2-an386", frames: isNightly ? TEN_MINUTES_FRAMES : 2000, variant: "safe", kernels: "wasm" },
    { board: "qemu-microbit", frames: isNightly ? TEN_MINUTES_FRAMES : 500, variant: "safe", kernels: "c" },
    { board: "pico", frames: isNightly ? TEN_MINUTES_FRAMES : 500, variant: "fast", kernels: "c" },
  ];
  it.for(replays)(
    "says on $board what it says here, byte for byte, for the same $frames frames ($variant, $kernels)",
    async (replay, context) => {
      needTools(context, "arm-none-eabi-gcc", "wasm2c", "qemu-system-arm");
      const stretches = wearer(9, replay.frames);
      const stream = makeLinkStream(stretches);
      const here = replayDevice({ stream, factory: [activityImage], memoryBytes: deviceMemoryBytes(activityImage) });
      expect(here.output.length).toBeGreaterThan(500);
      const target = loadTarget(replay.board);
      const elf = firmwareOnce({ target, image: activityImage, variant: replay.variant, kernels: replay.kernels, hasStore: false });
      const board = startBoard(target, elf);
      try {
        expect(Buffer.compare(await replayOnBoard(board, stream, here.output.length), here.output)).toBe(0);
      } finally {
        await board.stop();
      }
    },
  );
});
