import { readFileSync } from "node:fs";
import { loadAgent } from "../../../host/agent/registry.ts";
import { readSyntheticParameters } from "../../../host/agent/sensors/synthetic-sensor.ts";
import { readImage } from "../../../host/core/image/image-read.ts";
import { writeImage } from "../../../host/core/image/image-write.ts";
import { Model } from "../../../host/core/session/model.ts";
import type { EngineName } from "../../../host/core/session/session-types.ts";
import { createSyntheticWearer } from "../../../host/data/synthetic.ts";
import { readFloatModel } from "../../../host/train/float-forward.ts";
import { exportOnnx, exportOnnxStep } from "../../../host/train/onnx/export-onnx.ts";
import { WindowGraph } from "../../../host/train/onnx/window-graph.ts";
import { median } from "../measure.ts";
import { openOnnxruntime, openOnnxruntimeStep } from "./onnx-runtimes.ts";
import { openTfjs } from "./tfjs.ts";

/** Microseconds of one window of `activity` in one way: 128 frames in, the logits of the last exit out. */
export interface WindowTime {
  readonly name: string;
  readonly micros: number;
  /** Theirs over ours: the median of the rounds' own ratios. */
  readonly ratio: number;
}

interface Subject {
  readonly name: string;
  run(window: number): Promise<ArrayLike<number>>;
}

const WINDOWS = 8;
const ROUND_MILLIS = 40;

/**
 * The net of `activity` alone (without LDA head and smoothing) in every runtime that is here, one thread, in turn, round by round. Each
 * first gives the same label as the float reference on most windows, else it would be another net.
 */
export async function timeWindows(rounds: number, onRound: (done: number) => void): Promise<WindowTime[]> {
  const agent = await loadAgent("activity");
  const float = readFloatModel(new Uint8Array(readFileSync(agent.modelPath.replace(/model\.dmm$/, "model.safetensors"))));
  const { lda: _, smoothing: __, exits, ...net } = readImage(new Uint8Array(readFileSync(agent.modelPath)));
  const alone = writeImage({ ...net, exits: exits.map(({ smoothedTemperature: _, ...exit }) => exit) });
  const patches = net.windowPatches;
  const shape = [patches * net.patchFrames, net.channels] as const;
  const last = `exit${exits.length - 1}`;
  const onnx = exportOnnx(float, patches, { name: "activity", version: "bench" }).bytes;

  const wearer = createSyntheticWearer({ parameters: readSyntheticParameters(agent.syntheticPath!), seed: 3 });
  const windows = Array.from({ length: WINDOWS }, () => Array.from({ length: shape[0] }, () => wearer.next().frame.slice()));
  const counts = windows.map((frames) => Float32Array.from(frames.flatMap((frame) => [...frame])));

  const ours = (engine: EngineName): Subject => {
    const session = Model.load(alone, { engine }).createSession();
    // One decision, at the window's end and at full depth; the blocks above the first exit catch up as their rings fill.
    session.setPoint({
      ...{ maxExit: exits.length - 1, hopPatches: net.ringPatches, askAllowed: false, limitReason: "none", askIntervalHops: 1 },
      thresholds: exits.map(() => 32769),
    });
    return {
      name: `Dormouse, ${engine}`,
      async run(window) {
        session.reset();
        for (const [tick, frame] of windows[window]!.entries()) session.pushFrame(frame, tick);
        return session.logits()[exits.length - 1]!;
      },
    };
  };
  const peer = (name: string, net: { run(frames: Float32Array): Promise<Float32Array> }): Subject => ({
    name,
    run: (window) => net.run(counts[window]!),
  });
  const subjects = [
    ours("simd"),
    ours("scalar"),
    peer("onnxruntime-node, float32, whole window", await openOnnxruntime("onnxruntime-node", onnx, shape, last)),
    peer(
      "onnxruntime-node, float32, patch by patch",
      await openOnnxruntimeStep(exportOnnxStep(float, { name: "activity", version: "bench" }), last),
    ),
    peer("onnxruntime-web, float32, whole window", await openOnnxruntime("onnxruntime-web", onnx, shape, last)),
    peer("tfjs wasm, float32, whole window", await openTfjs((graph) => new WindowGraph(graph, float, patches).draw(), shape, last)),
  ];

  const labels = await Promise.all(subjects.map(async (subject) => labelsOf(subject)));
  for (const [i, { name }] of subjects.entries()) {
    const same = labels[i]!.filter((label, w) => label === labels[0]![w]).length;
    if (same < WINDOWS - 1) throw new Error(`${name} gives the same label in ${same} of ${WINDOWS} windows: it is another net`);
  }

  const times = subjects.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, subject] of subjects.entries()) times[i]!.push(await microsPerWindow(subject));
    onRound(round + 1);
  }
  return subjects.map(({ name }, i) => ({
    name,
    micros: median(times[i]!),
    ratio: median(times[i]!.map((micros, round) => micros / times[0]![round]!)),
  }));
}

async function labelsOf(subject: Subject): Promise<number[]> {
  const labels: number[] = [];
  for (let w = 0; w < WINDOWS; w++) {
    const logits = Array.from(await subject.run(w));
    labels.push(logits.indexOf(Math.max(...logits)));
  }
  return labels;
}

async function microsPerWindow(subject: Subject): Promise<number> {
  let windows = 0;
  const start = performance.now();
  let millis = 0;
  for (; millis < ROUND_MILLIS; windows += WINDOWS) {
    for (let w = 0; w < WINDOWS; w++) await subject.run(w);
    millis = performance.now() - start;
  }
  return (millis * 1000) / windows;
}
