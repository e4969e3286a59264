import { loadAgent, openAgentModel } from "../../host/agent/registry.ts";
import { argmaxLabel, exitLogits } from "../../host/core/arithmetic/exit-head.ts";
import { quantiseFrame } from "../../host/core/arithmetic/features.ts";
import { clampS16 } from "../../host/core/arithmetic/fixed-point.ts";
import type { ModelImage } from "../../host/core/image/image-types.ts";
import { resetTail } from "../../host/core/session/tail.ts";
import { openRecordings } from "../../host/data/open-recordings.ts";
import { type Recording, scoredWindows, selectRecordings, streamPatch, WINDOW_FRAMES } from "../../host/data/recording.ts";
import { frameAt } from "../../host/eval/protocols.ts";
import { Stack } from "../reference/stack.ts";
import { createOracleTail } from "../reference/tail.ts";

/** Head room of the int16 state over the largest value seen while its scale was chosen. */
const ROOM = 2;
/** Recordings of fit wearers that the scale is chosen on. */
const OBSERVED = 2;

export interface ScanAccuracy {
  readonly window: number; // share of the published windows, each from a reset state
  readonly stream: number; // the same windows within whole recordings, state carried
}

/** int32 scan state against a simulated int16 one: an agent's image on its calibrate wearers, who fitted no weights. */
export async function benchShortScan(cwd: string, agentName: string, data: string) {
  const agent = await loadAgent(agentName, cwd);
  const { image, manifest } = await openAgentModel(agent);
  const dataset = openRecordings(data, manifest, agent.definition.data);
  const { fit, calibrate } = manifest.protocol;
  const heldOut = selectRecordings(dataset, calibrate);
  const observed = selectRecordings(dataset, fit).slice(0, OBSERVED);
  return { agent: agent.definition.name, wearers: calibrate, ...compareScans(image, observed, heldOut) };
}

/**
 * Accuracy of the last exit's logits, without LDA head and smoothing. A simulation in the TypeScript oracle: after every patch each block's
 * int32 state is rounded, half up, to int16 at a power-of-two scale, and saturated. The scale holds twice the largest |state| of `observed`.
 */
export function compareScans(image: ModelImage, observed: readonly Recording[], heldOut: readonly Recording[]) {
  const walker = createWalker(image);
  const shifts = chooseShifts(image, walker, observed);
  const none = shifts.map(() => undefined);
  const of = (by: Shifts): ScanAccuracy => ({
    window: windowAccuracy(image, walker, by, heldOut),
    stream: streamAccuracy(image, walker, by, heldOut),
  });
  return { shifts, int32: of(none), int16: of(shifts) };
}

/** Right shifts per block, int32 to int16; undefined leaves the state as it is. */
type Shifts = readonly (number | undefined)[];

function chooseShifts(image: ModelImage, walker: Walker, observed: readonly Recording[]): number[] {
  const most = image.blocks.map(() => 0);
  for (const recording of observed) {
    walker.reset();
    for (let patch = 0; (patch + 1) * image.patchFrames <= recording.labels.length; patch++) {
      walker.step(recording, patch * image.patchFrames);
      walker.states().forEach((state, b) => {
        for (const value of state) most[b] = Math.max(most[b]!, Math.abs(value));
      });
    }
  }
  return most.map((value) => Math.max(0, Math.ceil(Math.log2((ROOM * Math.max(1, value)) / 32767))));
}

type Walker = ReturnType<typeof createWalker>;

/** The oracle at full depth after every patch. */
function createWalker(image: ModelImage) {
  const tail = createOracleTail(image);
  const stack = new Stack(image, tail);
  const patch = new Int8Array(image.patchFrames * image.channels);
  return {
    reset: () => resetTail(tail),
    step(recording: Recording, start: number): void {
      for (let i = 0; i < image.patchFrames; i++)
        patch.set(quantiseFrame(frameAt(recording, start + i), image.features), i * image.channels);
      stack.stepPatch(patch);
      for (let exit = 1; exit < image.exits.length; exit++) stack.catchUp(exit);
    },
    /** A block's scan state (dInner, dState); empty for attention. */
    states: (): Int32Array[] => tail.oracles.map((oracle) => oracle.scan ?? new Int32Array(0)),
    label: (): number => argmaxLabel(exitLogits(image.exits.at(-1)!, tail.finalResidual)),
  };
}

function stepShort(walker: Walker, shifts: Shifts, recording: Recording, start: number): void {
  walker.step(recording, start);
  walker.states().forEach((state, b) => {
    const shift = shifts[b];
    if (shift === undefined) return;
    const step = 2 ** shift;
    for (let i = 0; i < state.length; i++) state[i] = clampS16(Math.floor(state[i]! / step + 0.5)) * step;
  });
}

function windowAccuracy(image: ModelImage, walker: Walker, shifts: Shifts, recordings: readonly Recording[]): number {
  let right = 0;
  let count = 0;
  for (const recording of recordings)
    for (const { start, label } of scoredWindows(recording)) {
      walker.reset();
      for (let at = start; at < start + WINDOW_FRAMES; at += image.patchFrames) stepShort(walker, shifts, recording, at);
      count++;
      if (walker.label() === label - 1) right++;
    }
  return right / count;
}

function streamAccuracy(image: ModelImage, walker: Walker, shifts: Shifts, recordings: readonly Recording[]): number {
  let right = 0;
  let count = 0;
  for (const recording of recordings) {
    const labels = new Map(scoredWindows(recording).map(({ start, label }) => [streamPatch(start, image.patchFrames), label - 1]));
    walker.reset();
    for (let patch = 0; (patch + 1) * image.patchFrames <= recording.labels.length; patch++) {
      stepShort(walker, shifts, recording, patch * image.patchFrames);
      const label = labels.get(patch);
      if (label === undefined) continue;
      count++;
      if (walker.label() === label) right++;
    }
  }
  return right / count;
}
