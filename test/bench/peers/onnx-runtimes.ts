import type { OnnxStepExport } from "../../../host/train/onnx/export-onnx.ts";
import { importPeer } from "./import-peer.ts";

/** A net that another runtime runs: frames of one window in, the logits of its last exit out. */
export interface PeerNet {
  run(frames: Float32Array): Promise<Float32Array>;
}

interface Ort {
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => unknown;
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<OrtSession> };
  readonly env?: { readonly wasm: { numThreads: number } };
}

interface OrtSession {
  run(
    feeds: Readonly<Record<string, unknown>>,
    fetches: readonly string[],
  ): Promise<Readonly<Record<string, { readonly data: Float32Array }>>>;
}

/** onnxruntime on one thread: its native build, or its WebAssembly build. */
export async function openOnnxruntime(
  name: "onnxruntime-node" | "onnxruntime-web",
  model: Uint8Array,
  shape: readonly [frames: number, channels: number],
  lastExit: string,
): Promise<PeerNet> {
  const ort = await importPeer<Ort>(name);
  if (ort.env !== undefined && name === "onnxruntime-web") ort.env.wasm.numThreads = 1;
  const providers = name === "onnxruntime-web" ? ["wasm"] : ["cpu"];
  const session = await ort.InferenceSession.create(model, {
    executionProviders: providers,
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
  });
  return { run: async (frames) => (await session.run({ frames: new ort.Tensor("float32", frames, shape) }, [lastExit]))[lastExit]!.data };
}

/** onnxruntime-node on one thread, fed patch by patch as a stream would be: each step's states go into the next, from zeros at the window's start. */
export async function openOnnxruntimeStep(step: OnnxStepExport, lastExit: string): Promise<PeerNet> {
  const ort = await importPeer<Ort>("onnxruntime-node");
  const session = await ort.InferenceSession.create(step.bytes, {
    ...{ executionProviders: ["cpu"], intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: "all" },
  });
  const { frames: rows, channels, states } = step;
  const zeros = states.map(({ name, shape }) => {
    const data = new Float32Array(shape.reduce((product, n) => product * n, 1));
    return [name, new ort.Tensor("float32", data, shape)] as const;
  });
  const fetches = [lastExit, ...states.map(({ name }) => `${name}.next`)];
  return {
    async run(frames) {
      let carried: Record<string, unknown> = Object.fromEntries(zeros);
      let logits: Float32Array = new Float32Array();
      for (let at = 0; at < frames.length; at += rows * channels) {
        const patch = new ort.Tensor("float32", frames.slice(at, at + rows * channels), [rows, channels]);
        const made = await session.run({ ...carried, frames: patch }, fetches);
        logits = made[lastExit]!.data;
        carried = Object.fromEntries(states.map(({ name }) => [name, made[`${name}.next`]]));
      }
      return logits;
    },
  };
}
