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
