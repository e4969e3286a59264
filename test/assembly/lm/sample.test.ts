import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scaleOf } from "../../../host/lm/fixed-scale.ts";
import { LanguageModel } from "../../../host/lm/language-model.ts";
import { quantiseLlama } from "../../../host/lm/quantise.ts";
import { drawSorted, randomAt } from "../../reference/lm/sample.ts";
import { bareLm } from "../../support/bare-lm.ts";
import { build } from "../../support/kernels.ts";
import { seeded } from "../../support/random.ts";
import { randomCheckpoint } from "../../support/random-llama.ts";
import { tinyShape } from "../../support/tiny-llama.ts";

/** A prepared session in bare memory, whose logits the test writes. */
function writable(vocab: number) {
  const { core, arena, memory } = bareLm(quantiseLlama(randomCheckpoint({ ...tinyShape, vocab }, 1), { name: "random" }), 8);
  core.step(arena, 1); // for a scale of the logits
  const logits = new Int32Array(memory.buffer, core.logitsPtr(arena), vocab);
  const mask = new Uint8Array(memory.buffer, core.maskPtr(arena), (vocab + 7) >> 3);
  return { core, arena, logits, mask, scale: { mantissa: core.logitMantissa(arena), exponent: core.logitExponent(arena) } };
}

describe(`sampling (${build})`, () => {
  it("draws what a sort draws: any logits with ties, temperatures, top-k, top-p, masks", () => {
    for (const vocab of [2, 37, 257]) {
      const { core, arena, logits, mask, scale } = writable(vocab);
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
          const random = seeded(seed);
          const spread = 2 ** Math.floor(random() * 31);
          const steps = random() < 0.5 ? 1 : spread / 4;
          for (let t = 0; t < vocab; t++) logits[t] = Math.floor(((random() - 0.5) * spread) / steps) * steps;
          mask.fill(0);
          const allowed = Array.from({ length: vocab }, (_, t) => t).filter(() => random() < 0.8);
          for (const t of allowed) mask[t >> 3]! |= 1 << (t & 7);
          core.useMask(arena, 1);
          const sharpness = scaleOf(Math.LOG2E / 10 ** (random() * 4 - 2));
          const topK = random() < 0.3 ? 0 : 1 + Math.floor(random() * vocab * 1.2);
          const topP = random() < 0.3 ? 65536 : 1 + Math.floor(random() * 65536);
          const drawn = core.sample(arena, sharpness.mantissa, sharpness.exponent, topK, topP, seed);
          if (allowed.length === 0) expect(drawn).toBeLessThan(0);
          else expect(drawn).toBe(drawSorted([...logits], scale, allowed, 1, { sharpness, topK, topP, seed }));
          const best = allowed.reduce((a, b) => (a < 0 || logits[b]! > logits[a]! ? b : a), -1);
          if (best >= 0) expect(core.greedy(arena)).toBe(best);
        }),
        { numRuns: 200 },
      );
    }
  });

  it("draws tokens as often as their probabilities say: χ² below its 0.1 % bound", () => {
    const session = LanguageModel.load(quantiseLlama(randomCheckpoint(tinyShape, 2, 2), { name: "random" }), build).createSession({
      window: 8,
    });
    session.prefill([3, 1, 4]);
    const k = session.logitScale / 1.5;
    const weights = [...session.logits].map((logit) => Math.exp(logit * k));
    const total = weights.reduce((a, b) => a + b, 0);
    const counts = new Float64Array(weights.length);
    const draws = 20_000;
    for (let seed = 0; seed < draws; seed++) counts[session.sample({ temperature: 1.5, seed })]! += 1;
    const chi = weights.reduce((sum, w, t) => sum + (counts[t]! - (draws * w) / total) ** 2 / ((draws * w) / total), 0);
    expect(chi).toBeLessThan(68); // 36 degrees of freedom
  });

  it("hashes neighbouring seeds and positions to unrelated numbers: each bit is set half of the time, and changes half of the time", () => {
    for (const of of [(i: number) => randomAt(i, 7), (i: number) => randomAt(7, i)]) {
      for (let bit = 0; bit < 32; bit++) {
        const bits = Array.from({ length: 4096 }, (_, i) => (of(i) >>> bit) & 1);
        const set = bits.reduce((a, b) => a + b, 0);
        const changes = bits.filter((b, i) => i > 0 && b !== bits[i - 1]).length;
        for (const count of [set, changes]) expect(Math.abs(count - 2048)).toBeLessThan(5 * 32); // five deviations
      }
    }
  });
});
