import type { Model } from "../../core/session/model.ts";
import { DormouseError } from "../../core/system/errors.ts";
import { createRandom } from "../../core/system/random.ts";
import { emulate, fullDepth } from "../emulate/emulate.ts";
import type { FirmwareOptions } from "../mcu/build-options.ts";
import { deviceFirmware } from "../mcu/device-firmware.ts";
import { type ProgramSizes, parseOverflow, programSizes } from "../mcu/program-sizes.ts";

/** What it takes to run, measured in emulation. */
export interface MeasuredCosts {
  /** The board or test machine that was emulated, and by what. */
  readonly on: string;
  readonly emulator: string;
  readonly unit: "instructions" | "cycles";
  /** Of a window at full depth. */
  readonly window: number;
  /** Of the one frame that takes most: every exit runs over a full ring. */
  readonly worst: number;
  readonly stackBytes: number;
}

export type MeasuredSizes =
  | ProgramSizes
  | { readonly overflow: { readonly region: "flash" | "ram"; readonly bytes: number } }
  /** Why the firmware cannot be: its update store has no room for the image. */
  | { readonly refused: string };

const WINDOWS = 2;

/** Compiles the firmware for the board and reads its sizes; a program too large to link reports the excess bytes. */
export function measureSizes(options: FirmwareOptions): MeasuredSizes {
  try {
    return programSizes(deviceFirmware({ ...options, hasStore: true }));
  } catch (error) {
    if (error instanceof DormouseError && error.code === "STORE_TOO_SMALL") return { refused: error.message };
    const overflow = error instanceof DormouseError ? parseOverflow(error.message) : undefined;
    if (overflow === undefined) throw error;
    return { overflow };
  }
}

/**
 * Runs windows of noise, each from a reset, at full depth on the emulated board: as `emulate` counts recorded ones. The costs
 * of integer code without shortcuts hardly depend on the frames.
 */
export async function measureCosts(model: Model, options: FirmwareOptions): Promise<MeasuredCosts> {
  const { channels, patchFrames, windowPatches, ringPatches, gapLimitFrames } = model.image;
  const patches = ringPatches * Math.ceil(windowPatches / ringPatches); // hops that fill every ring: each is the worst
  const random = createRandom(1);
  const frames = Array.from({ length: WINDOWS }, (_, i) => ({
    tick: 1 + i * (patches * patchFrames + gapLimitFrames + 1), // a gap too long to hold: a reset
    samples: Int16Array.from({ length: patches * patchFrames * channels }, () => random.integer(4096) - 2048),
  }));
  const run = await emulate({ ...options, model, frames, setPoint: { ...fullDepth(model), hopPatches: ringPatches } });
  if (!run.identical) {
    throw new DormouseError(
      "EMULATION_DIFFERS",
      `the emulated ${options.target.id} decided otherwise than the host at decision ${run.firstDifference}: its figures prove nothing. Report it.`,
    );
  }
  return {
    on: options.target.id,
    emulator: run.emulator,
    unit: run.unit,
    window: Math.round((run.cost * windowPatches) / (WINDOWS * patches)),
    worst: run.worst,
    stackBytes: run.stackBytes,
  };
}
