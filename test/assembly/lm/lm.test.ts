import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as layout from "../../../assembly/layout.ts";
import * as lm from "../../../assembly/lm/layout.ts";
import { crc32 } from "../../../host/core/arithmetic/crc32.ts";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import type { LlamaShape } from "../../../host/lm/checkpoint.ts";
import { LanguageModel } from "../../../host/lm/language-model.ts";
import { quantiseLlama } from "../../../host/lm/quantise.ts";
import { LmOracle } from "../../reference/lm/oracle.ts";
import { bareLm } from "../../support/bare-lm.ts";
import { build } from "../../support/kernels.ts";
import { seeded } from "../../support/random.ts";
import { randomCheckpoint } from "../../support/random-llama.ts";
import { tinyShape } from "../../support/tiny-llama.ts";

/** A small shape with everything that may differ: heads that share keys, odd hidden widths, a head of its own. */
function shapeOf(random: () => number): LlamaShape {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const headSize = pick([8, 16, 24, 32, 40]);
  const kvHeads = pick([1, 2, 3]);
  return {
    dim: pick([8, 16, 40, 64]),
    hidden: pick([4, 12, 28, 64, 100]),
    layers: pick([1, 2, 3]),
    heads: kvHeads * pick([1, 2, 3]),
    kvHeads,
    headSize,
    vocab: pick([2, 5, 37, 130, 257]),
    context: 64,
    ropeTheta: pick([100, 10_000, 500_000]),
    normEpsilon: pick([1e-5, 1e-6, 1e-3]),
    tiedHead: random() < 0.5,
  };
}

/** Models in one run: a few here, thousands in the nightly. */
const runs = Number(process.env.DORMOUSE_LM_RUNS ?? 25);

describe(`lm.wasm (${build})`, () => {
  it("gives the oracle's logits, scale and state, bit for bit: random shapes, uneven rows, rings that wrap", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
        const random = seeded(seed);
        const shape = shapeOf(random);
        const unevenness = [0, 2, 8][Math.floor(random() * 3)]!;
        const residualMax = 2 ** Math.floor(12 + random() * 9);
        const window = 8 * (1 + Math.floor(random() * 4));
        const model = LanguageModel.load(quantiseLlama(randomCheckpoint(shape, seed, unevenness), { name: "random", residualMax }), build);
        const session = model.createSession({ window });
        const oracle = new LmOracle(model.image, window);
        const steps = 4 + Math.floor(random() * 2.5 * window);
        for (let i = 0; i < steps; i++) {
          const token = Math.floor(random() * shape.vocab);
          session.step(token);
          oracle.step(token);
          expect([...session.logits]).toEqual(oracle.logits);
          expect(session.logitScale).toBe(oracle.logitScale.mantissa * 2 ** oracle.logitScale.exponent);
        }
        expect(session.save().subarray(layout.SNAPSHOT_HEADER_BYTES)).toEqual(oracle.state());
        session.close();
      }),
      { numRuns: runs },
    );
  });

  it("runs on past 2^32 positions: rotations go round, the ring does not jump", () => {
    const model = LanguageModel.load(quantiseLlama(randomCheckpoint(tinyShape, 11, 2), { name: "random" }), build);
    const session = model.createSession({ window: 24 });
    const oracle = new LmOracle(model.image, 24);
    const next = (token: number): void => {
      session.step(token);
      oracle.step(token);
      expect([...session.logits]).toEqual(oracle.logits);
    };
    for (let i = 0; i < 29; i++) next(i);
    const saved = session.save();
    const view = new DataView(saved.buffer);
    view.setUint32(layout.SNAPSHOT_HEADER_BYTES + 4 * lm.LM_STATE_POSITION, 2 ** 32 - 3, true);
    view.setUint32(16, crc32(saved.subarray(layout.SNAPSHOT_HEADER_BYTES)), true);
    session.restore(saved);
    oracle.startAt(2 ** 32 - 3);
    for (let i = 0; i < 60; i++) next(i % 37);
    expect(session.position).toBe(57);
  });

  it("reads nothing of a slot that was not written since the reset", () => {
    const image = quantiseLlama(randomCheckpoint(tinyShape, 12, 2), { name: "random" });
    const { core, arena, memory } = bareLm(image, 32);
    const run = (): number[][] =>
      Array.from({ length: 40 }, (_, i) => {
        core.step(arena, (i * 7) % 37);
        return [...new Int32Array(memory.buffer, core.logitsPtr(arena), 37)];
      });
    const clean = run();
    core.reset(arena);
    const from = core.statePtr(arena) + 4 * lm.LM_STATE_WORDS;
    memory.fill(0x7f, from, core.statePtr(arena) + core.stateBytes(arena));
    expect(run()).toEqual(clean);
  });

  it("leaves memory size, image and the bytes behind the arena as they are, over 1,000 steps", () => {
    const image = quantiseLlama(randomCheckpoint(tinyShape, 13), { name: "random" });
    const { core, arena, memory, at } = bareLm(image, 16);
    const end = arena + core.arenaUsedBytes();
    memory.fill(0xa5, end, end + 64);
    for (let i = 0; i < 1000; i++) {
      core.step(arena, i % 37);
      core.sample(arena, 23637, -14, 5, 60000, i);
    }
    expect(core.memory.buffer).toBe(memory.buffer);
    expect(memory.subarray(end, end + 64).every((byte) => byte === 0xa5)).toBe(true);
    expect(memory.slice(at, at + image.length)).toEqual(image);
  });

  it("has no imports, no heap, and exactly the exports that hosts know", () => {
    const module = new WebAssembly.Module(new Uint8Array(readFileSync(join(packageRoot(), "dist", `lm-${build}.wasm`))));
    expect(WebAssembly.Module.imports(module)).toEqual([]);
    const names = WebAssembly.Module.exports(module).map(({ name }) => name);
    expect(names.sort()).toEqual(
      (
        "_initialize arenaUsedBytes greedy logitExponent logitMantissa logitsPtr maskPtr memory memoryBase prefill prepare reset restore runs " +
        "sample snapshot snapshotBytes stateBytes statePtr step tokensPtr useMask"
      ).split(" "),
    );
    expect(readFileSync(join(packageRoot(), "dist", "lm-debug.wat"), "utf8")).not.toContain("~lib/rt/stub/__new");
  });
});
