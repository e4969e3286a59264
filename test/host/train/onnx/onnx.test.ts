import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../../../host/core/system/package-root.ts";
import { floatLogits, floatPatches, readFloatModel } from "../../../../host/train/float-forward.ts";
import { exportOnnx, exportOnnxStep } from "../../../../host/train/onnx/export-onnx.ts";
import { encodeMessage, type Field } from "../../../../host/train/onnx/protobuf.ts";
import { openOnnxruntime, openOnnxruntimeStep } from "../../../bench/peers/onnx-runtimes.ts";
import { seeded } from "../../../support/random.ts";

const about = { name: "net", version: "0" };
const floatModel = (agent: string) =>
  readFloatModel(new Uint8Array(readFileSync(join(packageRoot(), "agents", agent, "model.safetensors"))));
const isInstalled = existsSync(join(packageRoot(), "test/bench/peers/node_modules/onnxruntime-node"));

/** Reads what encodeMessage wrote, by the format's description: numbers and bytes by field number. */
function decode(bytes: Uint8Array): [number, bigint | Uint8Array][] {
  const found: [number, bigint | Uint8Array][] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = Number(varint());
    if ((key & 7) === 0) found.push([key >> 3, varint()]);
    else {
      const length = Number(varint());
      found.push([key >> 3, bytes.slice(at, at + length)]);
      at += length;
    }
  }
  return found;
}

describe("ONNX", () => {
  it("messages are read back: integers of either sign, texts, bytes", () => {
    const value = fc.oneof(fc.integer(), fc.maxSafeNat(), fc.string(), fc.uint8Array());
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 1000 }), value)), (fields) => {
        const read = decode(encodeMessage(fields as Field[])).map(([number, found]) => [
          number,
          typeof found === "bigint" ? Number(BigInt.asIntN(64, found)) : found,
        ]);
        expect(read).toEqual(fields.map(([number, one]) => [number, typeof one === "string" ? new TextEncoder().encode(one) : one]));
      }),
    );
  });

  it("a window has 1 to 512 patches", () => {
    for (const patches of [0, 513, 1.5, Number.NaN]) expect(() => exportOnnx(floatModel("fall"), patches, about)).toThrow(/give 1 to 512/);
  });

  it.for(["activity", "fall"])(
    "%s in onnxruntime has the float reference's logits at every exit, over 1 to 40 patches",
    async (agent, context) => {
      if (!isInstalled) context.skip("onnxruntime is not installed: npm ci --prefix test/bench/peers --ignore-scripts");
      const model = floatModel(agent);
      for (const patches of [1, 16, 32, 40]) {
        const { bytes, frames, channels, exits } = exportOnnx(model, patches, about);
        const random = seeded(patches);
        const counts = Int16Array.from({ length: frames * channels }, () => Math.round(4000 * (random() - 0.5)));
        const wanted = floatLogits(model.parameters, model.config, floatPatches(counts, 0, frames, model.features));
        for (let k = 0; k < exits; k++) {
          const net = await openOnnxruntime("onnxruntime-node", bytes, [frames, channels], `exit${k}`);
          const logits = await net.run(Float32Array.from(counts));
          expect(Math.max(...wanted[k]!.map((logit, c) => Math.abs(logit - logits[c]!)))).toBeLessThan(1e-4);
        }
      }
    },
  );

  it.for(["activity", "fall"])(
    "%s patch by patch has the whole window's logits at every exit, over 1 to 40 patches",
    async (agent, context) => {
      if (!isInstalled) context.skip("onnxruntime is not installed: npm ci --prefix test/bench/peers --ignore-scripts");
      const model = floatModel(agent);
      const step = exportOnnxStep(model, about);
      for (const patches of [1, 3, 40]) {
        const { bytes, frames, channels, exits } = exportOnnx(model, patches, about);
        const random = seeded(patches);
        const counts = Float32Array.from({ length: frames * channels }, () => Math.round(4000 * (random() - 0.5)));
        for (let k = 0; k < exits; k++) {
          const whole = await (await openOnnxruntime("onnxruntime-node", bytes, [frames, channels], `exit${k}`)).run(counts);
          const net = await openOnnxruntimeStep(step, `exit${k}`);
          for (let again = 0; again < 2; again++) {
            const logits = await net.run(counts); // each run begins with a reset
            expect(Math.max(...whole.map((logit, c) => Math.abs(logit - logits[c]!)))).toBeLessThan(1e-4);
          }
        }
      }
    },
  );
});
