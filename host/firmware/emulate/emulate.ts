import { createHash } from "node:crypto";
import * as layout from "../../../assembly/layout.ts";
import type { Model } from "../../core/session/model.ts";
import type { SetPoint } from "../../core/session/session-types.ts";
import { encodeSetPoint } from "../../link/decision.ts";
import { compileFirmware } from "../c/compile.ts";
import { coreMemoryBytes, type FirmwareOptions, findModule } from "../mcu/build-options.ts";
import { hostDecisions } from "./host-decisions.ts";
import { openProbe } from "./probe.ts";
import { startBoard } from "./start-board.ts";

/** Consecutive frames (n, channels) from a tick on. */
export interface PlacedFrames {
  readonly tick: number;
  readonly samples: Int16Array;
}

export interface EmulateOptions extends FirmwareOptions {
  readonly model: Model;
  readonly frames: readonly PlacedFrames[];
  /** In force from the start. Default: the image's own. */
  readonly setPoint?: SetPoint;
  readonly onFrames?: (done: number) => void;
}

export interface Emulation {
  readonly emulator: string;
  readonly unit: "instructions" | "cycles";
  readonly decisions: number;
  /** Whether label, exit, logits and state were the host's at every decision. */
  readonly identical: boolean;
  /** Index of the first decision that differs. */
  readonly firstDifference: number | undefined;
  /** SHA-256 of the device's decisions. */
  readonly hash: string;
  /** What all frames took, and the one that took most: the worst-case hop. */
  readonly cost: number;
  readonly worst: number;
  readonly stackBytes: number;
  readonly linearCost: number;
}

const FRAMES_PER_CALL = 128;

/** Worst case of a window: every exit runs, none answers, and no ring overflows, so that every block runs every patch. */
export function fullDepth(model: Model): SetPoint {
  const { exits, windowPatches, ringPatches } = model.image;
  let hopPatches = Math.min(windowPatches, ringPatches);
  while (windowPatches % hopPatches > 0) hopPatches--;
  return {
    maxExit: exits.length - 1,
    hopPatches,
    askAllowed: true,
    limitReason: "none",
    askIntervalHops: 1,
    thresholds: exits.map(() => layout.EXIT_NEVER),
  };
}

/** Runs frames on an emulated board and through a session here, and compares every decision. */
export async function emulate(options: EmulateOptions): Promise<Emulation> {
  const { model, target, frames, setPoint } = options;
  const channels = model.image.channels;
  const elf = compileFirmware({
    target,
    module: findModule("core", options.kernels),
    sources: ["probe.c"],
    variant: options.variant,
    model: options.image,
    memoryBytes: coreMemoryBytes(model),
  });
  const board = startBoard(target, elf);
  try {
    const probe = await openProbe(board);
    if (setPoint !== undefined) await probe.setPoint(encodeSetPoint(setPoint));
    let cost = 0;
    let worst = 0;
    const said: string[] = [];
    for (const [index, { tick, samples }] of frames.entries()) {
      for (let at = 0; at * channels < samples.length; at += FRAMES_PER_CALL) {
        const some = samples.subarray(at * channels, (at + FRAMES_PER_CALL) * channels);
        const run = await probe.frames(some, (tick + at) >>> 0);
        cost += run.cost;
        worst = Math.max(worst, run.worst);
        for (const { label, exit, hash } of run.decisions) said.push(`${label} ${exit} ${hash}`);
      }
      options.onFrames?.(index + 1);
    }
    const wanted = hostDecisions(model, framesOf(frames, channels), setPoint).map(({ label, exit, hash }) => `${label} ${exit} ${hash}`);
    const first = wanted.findIndex((one, i) => one !== said[i]);
    const identical = first < 0 && said.length === wanted.length;
    return {
      emulator: board.emulator,
      unit: board.unit,
      decisions: said.length,
      identical,
      firstDifference: identical ? undefined : first < 0 ? wanted.length : first,
      hash: createHash("sha256").update(said.join("\n")).digest("hex"),
      cost,
      worst,
      stackBytes: await probe.stackBytes(),
      linearCost: await probe.linearCost(),
    };
  } finally {
    await board.stop();
  }
}

function* framesOf(stretches: readonly PlacedFrames[], channels: number): Generator<{ readonly tick: number; readonly frame: Int16Array }> {
  for (const { tick, samples } of stretches) {
    for (let i = 0; i * channels < samples.length; i++) {
      yield { tick: (tick + i) >>> 0, frame: samples.subarray(i * channels, (i + 1) * channels) };
    }
  }
}
