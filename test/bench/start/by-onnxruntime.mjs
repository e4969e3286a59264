// A first window by onnxruntime-node: the same net as ONNX.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [, , peers, model] = process.argv;
const ort = createRequire(`${peers}/package.json`)("onnxruntime-node");
const session = await ort.InferenceSession.create(readFileSync(model), { intraOpNumThreads: 1, interOpNumThreads: 1 });
const { exit3 } = await session.run({ frames: new ort.Tensor("float32", new Float32Array(128 * 6), [128, 6]) });
if (exit3.data.length === 0) throw new Error("no logits");
