import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../host/core/system/package-root.ts";
import { cobsDecode, cobsEncode } from "../../host/link/cobs.ts";
import { crc16 } from "../../host/link/crc16.ts";
import { decodeFrame, encodeFrame, type FrameType } from "../../host/link/frame.ts";
import { build, type Kernels, loadKernels } from "../support/kernels.ts";

interface Vector {
  readonly type: FrameType;
  readonly sequence: number;
  readonly agent: number;
  readonly more: boolean;
  readonly payload: string;
  readonly wire: string;
}

const vectors = JSON.parse(readFileSync(join(packageRoot(), "test/golden/link-frames.json"), "utf8")) as Vector[];
const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));

describe(`the link's bytes (${build})`, () => {
  let kernels: Kernels;
  let at: number;
  const put = (bytes: Uint8Array) => new Uint8Array(kernels.memory.buffer).set(bytes, at);
  const get = (from: number, bytes: number) => new Uint8Array(kernels.memory.buffer).slice(from, from + bytes);

  beforeAll(async () => {
    kernels = await loadKernels(build);
    at = kernels.memoryBase();
  });

  it("are the vectors' on both sides", () => {
    for (const { wire, payload, ...fields } of vectors) {
      const frame = { ...fields, payload: bytesOf(payload) };
      expect(Buffer.from(encodeFrame(frame)).toString("hex")).toBe(wire);
      const decoded = decodeFrame(bytesOf(wire).subarray(0, -1));
      expect(decoded.ok && { ...decoded.value, payload: Buffer.from(decoded.value.payload).toString("hex") }).toEqual({
        ...fields,
        payload,
      });

      put(bytesOf(wire));
      const length = kernels.cobsDecode(at, wire.length / 2 - 1);
      const plain = get(at, length);
      expect(Buffer.from(plain.subarray(4, -2)).toString("hex")).toBe(payload);
      expect(kernels.crc16(at, length - 2)).toBe(plain[length - 2]! | (plain[length - 1]! << 8));
      expect(Buffer.from(get(at + 1000, kernels.cobsEncode(at, length, at + 1000))).toString("hex")).toBe(wire.slice(0, -2));
    }
  });

  it("are the host's for any frame, and for what is none", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 242 }), (plain) => {
        put(plain);
        expect(kernels.crc16(at, plain.length)).toBe(crc16(plain));
        const encoded = cobsEncode(plain);
        expect([...get(at + 1000, kernels.cobsEncode(at, plain.length, at + 1000))]).toEqual([...encoded]);
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 255 })), { maxLength: 243 }), (noise) => {
        const stuffed = Uint8Array.from(noise);
        put(stuffed);
        const length = kernels.cobsDecode(at, stuffed.length);
        const host = cobsDecode(stuffed);
        expect(length).toBe(host?.length ?? -1);
        if (host !== undefined) expect([...get(at, length)]).toEqual([...host]);
      }),
      { numRuns: 2000 },
    );
  });

  it("hash to SHA-256, whatever their length", () => {
    for (const length of [0, 1, 3, 55, 56, 63, 64, 65, 119, 120, 1000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i * 7);
      put(bytes);
      kernels.sha256Start();
      kernels.sha256Add(at, Math.min(length, 50));
      kernels.sha256Add(0, 9);
      kernels.sha256Add(at + Math.min(length, 50), Math.max(0, length - 50));
      const expected = createHash("sha256")
        .update(bytes.subarray(0, 50))
        .update(new Uint8Array(9))
        .update(bytes.subarray(50))
        .digest("hex");
      expect(Buffer.from(get(kernels.sha256End(), 32)).toString("hex")).toBe(expected);
    }
  });
});
