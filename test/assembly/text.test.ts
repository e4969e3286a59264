import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import * as layout from "../../assembly/layout.ts";
import { TEXT_LIMIT_BYTES } from "../../assembly/text/layout.ts";
import { align16 } from "../../host/core/arithmetic/align.ts";
import { sealImage } from "../../host/core/image/image-read.ts";
import { growTo, instantiateCore, instantiateText } from "../../host/core/session/module.ts";
import type { EngineName } from "../../host/core/session/session-types.ts";
import { packageRoot } from "../../host/core/system/package-root.ts";
import { IntentModel } from "../../host/core/text/intent-model.ts";
import { textBytes } from "../../host/core/text/text-bytes.ts";
import { writeTextImage } from "../../host/core/text/text-image.ts";
import { randomText, randomTextImage } from "../golden/random-text-image.ts";
import { bagS8, classifyBytes } from "../reference/text.ts";
import { type Kernels, loadKernels, Space, build as wasmBuild } from "../support/kernels.ts";
import { seeded } from "../support/random.ts";

const build = wasmBuild as EngineName;

describe(`text.wasm (${build})`, () => {
  let kernels: Kernels;
  beforeAll(async () => {
    kernels = await loadKernels(build, 64);
  });

  it("has no imports, and exactly the exports that hosts know", () => {
    const module = new WebAssembly.Module(new Uint8Array(readFileSync(join(packageRoot(), "dist", `text-${build}.wasm`))));
    expect(WebAssembly.Module.imports(module)).toEqual([]);
    const names = WebAssembly.Module.exports(module).map(({ name }) => name);
    expect(names.sort().join(" ")).toBe(
      "_initialize arenaUsedBytes classify logitsPtr memory memoryBase prepare resultPtr rowsPtr runs textPtr",
    );
  });

  it("bagS8 sums rows as the oracle does, none, one and as many as there may be, at both ends of int8", () => {
    const random = seeded(3);
    const space = new Space(kernels);
    for (const [count, n] of [
      [0, 16],
      [1, 16],
      [3, 48],
      [512, 48],
      [512, 512],
    ] as const) {
      for (const fill of [undefined, -127, 127]) {
        const table = Int8Array.from({ length: 40 * n }, () => fill ?? Math.floor(random() * 255) - 127);
        const rows = Uint32Array.from({ length: count }, () => Math.floor(random() * 40));
        const acc = space.s32(new Int32Array(n + 4).fill(7));
        const at = { table: space.s8(table).byteOffset, rows: space.s32(Int32Array.from(rows)).byteOffset };
        kernels.bagS8(at.table, at.rows, count, acc.byteOffset, n);
        expect(acc.subarray(0, n)).toEqual(bagS8(table, rows, n));
        expect([...acc.subarray(n)]).toEqual([7, 7, 7, 7]);
      }
    }
  });

  it("gives the oracle's rows, logits, label and probability of any text, bit for bit", () => {
    const random = seeded(11);
    for (const [seed, shape] of [
      [1, {}],
      [2, { rows: 5000, dModel: 48, nClasses: 163 }],
      [3, { rows: 1, dModel: 16, nClasses: 2 }],
    ] as const) {
      const image = randomTextImage(seed, shape);
      const model = IntentModel.load(writeTextImage(image), build);
      for (let i = 0; i < 120; i++) {
        const text = randomText(random, i < 4 ? i : Math.floor(random() * 400));
        const expected = classifyBytes(image, textBytes(text).bytes);
        const { intent, probability, features } = model.classify(text);
        expect(model.rows()).toEqual(expected.rows);
        expect(model.logits()).toEqual(expected.logits);
        expect({ intent, probability, features }).toEqual({
          intent: `label-${expected.label}`,
          probability: expected.probability / 32768,
          features: expected.rows.length,
        });
      }
    }
  });

  it("leaves memory, image and the bytes after the arena alone over 1,000 texts", () => {
    const bytes = writeTextImage(randomTextImage(5));
    const core = instantiateText(build);
    const image = core.memoryBase();
    const arena = align16(image + bytes.length);
    growTo(core, arena + 65536);
    const memory = new Uint8Array(core.memory.buffer);
    memory.set(bytes, image);
    expect(core.prepare(image, bytes.length, arena, 0)).toBe(layout.STATUS_ARENA_TOO_SMALL);
    const arenaBytes = core.arenaUsedBytes();
    memory.fill(0xa5, arena + arenaBytes);
    expect(core.prepare(image, bytes.length, arena, arenaBytes)).toBe(layout.STATUS_OK);
    const random = seeded(6);
    for (let i = 0; i < 1000; i++) {
      const text = textBytes(randomText(random, i % 50 === 0 ? 3000 : 60)).bytes;
      memory.set(text, core.textPtr(arena));
      core.classify(arena, i % 7 === 0 ? 2 ** 31 - 1 : text.length);
    }
    core.classify(arena, -1);
    expect(memory.length).toBe(core.memory.buffer.byteLength);
    expect(memory.subarray(arena + arenaBytes).every((byte) => byte === 0xa5)).toBe(true);
    expect(memory.subarray(image, image + bytes.length)).toEqual(bytes);
  });

  it("answers a mutated image with a status, and what it takes it runs: never a trap", () => {
    const random = seeded(8);
    const good = writeTextImage(randomTextImage(4));
    const statuses = new Set<number>();
    for (let i = 0; i < 1500; i++) {
      const bytes = good.slice();
      const area = i % 3 === 0 ? bytes.length : 400; // header, section table and records are in front
      for (let k = 0; k <= i % 4; k++) bytes[Math.floor(random() * area)] = [0, 1, 127, 128, 255][Math.floor(random() * 5)]!;
      if (i % 10 > 0) sealImage(bytes);
      const core = instantiateText(build);
      const image = core.memoryBase();
      const arena = align16(image + bytes.length);
      growTo(core, arena + 400_000);
      const memory = new Uint8Array(core.memory.buffer);
      memory.set(bytes, image);
      const status = core.prepare(image, bytes.length, arena, 400_000);
      statuses.add(status);
      if (status !== layout.STATUS_OK) continue;
      memory.fill(97, core.textPtr(arena), core.textPtr(arena) + TEXT_LIMIT_BYTES);
      core.classify(arena, TEXT_LIMIT_BYTES);
    }
    expect(statuses.size).toBeGreaterThan(8);
    for (const status of statuses) expect(status).toBeLessThanOrEqual(0);
  });

  it("refuses a sensor model's image, and the sensor core a text image", () => {
    const text = writeTextImage(randomTextImage(4));
    const sensor = new Uint8Array(readFileSync(join(packageRoot(), "agents", "activity", "model.dmm")));
    const prepare = (core: ReturnType<typeof instantiateCore> | ReturnType<typeof instantiateText>, bytes: Uint8Array): number => {
      growTo(core, core.memoryBase() + bytes.length + 65536);
      new Uint8Array(core.memory.buffer).set(bytes, core.memoryBase());
      return core.prepare(core.memoryBase(), bytes.length, align16(core.memoryBase() + bytes.length), 65536);
    };
    expect(prepare(instantiateText(build), sensor)).toBe(layout.STATUS_UNKNOWN_BLOCK_KIND);
    expect(prepare(instantiateCore(build), text)).toBe(layout.STATUS_UNKNOWN_SECTION);
  });
});
