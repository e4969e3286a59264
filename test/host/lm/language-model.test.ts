import { describe, expect, it } from "vitest";
import { LanguageModel } from "../../../host/lm/language-model.ts";
import type { LanguageSession } from "../../../host/lm/language-session.ts";
import { quantiseLlama } from "../../../host/lm/quantise.ts";
import { seeded } from "../../support/random.ts";
import { randomCheckpoint } from "../../support/random-llama.ts";
import { tinyShape } from "../../support/tiny-llama.ts";

const imageOf = (seed: number): Uint8Array => quantiseLlama(randomCheckpoint(tinyShape, seed, 2), { name: "random" });
const randomTokens = (seed: number, count: number, vocab = 37): number[] => {
  const random = seeded(seed);
  return Array.from({ length: count }, () => Math.floor(random() * vocab));
};
const logitsOver = (session: LanguageSession, tokens: readonly number[]): number[][] =>
  tokens.map((token) => {
    session.step(token);
    return [session.logitScale, ...session.logits];
  });

describe("a language session", () => {
  it("prefills in chunks → the logits of single steps, at any length", () => {
    const model = LanguageModel.load(imageOf(1));
    for (const count of [1, 63, 64, 65, 200]) {
      const tokens = randomTokens(count, count);
      const [once, each] = [model.createSession({ window: 48 }), model.createSession({ window: 48 })];
      once.prefill(tokens);
      expect([once.logitScale, ...once.logits]).toEqual(logitsOver(each, tokens).at(-1));
      expect(once.position).toBe(count);
      expect(once.save()).toEqual(each.save());
      once.close();
      each.close();
    }
  });

  it("runs the same text after another text → the same bits, wherever the ring stands", () => {
    const model = LanguageModel.load(imageOf(2));
    const text = randomTokens(2, 90);
    const fresh = logitsOver(model.createSession({ window: 32 }), text);
    const used = model.createSession({ window: 32 });
    for (const before of [1, 31, 32, 77]) {
      used.prefill(randomTokens(before, before));
      used.reset();
      expect(logitsOver(used, text)).toEqual(fresh);
    }
    used.close();
    const again = model.createSession({ window: 32 }); // in the memory that the closed one had
    expect(logitsOver(again, text)).toEqual(fresh);
  });

  it("goes on from saved state in another build → the same logits and draws", () => {
    const image = imageOf(3);
    const first = LanguageModel.load(image, "simd").createSession({ window: 16 });
    first.prefill(randomTokens(3, 41));
    const saved = first.save();
    const second = LanguageModel.load(image, "scalar").createSession({ window: 16 });
    second.restore(saved);
    expect(second.position).toBe(41);
    const rest = randomTokens(4, 30);
    expect(logitsOver(second, rest)).toEqual(logitsOver(first, rest));
    const options = { temperature: 1.2, topK: 9, topP: 0.8, seed: 5 };
    expect(second.sample(options)).toBe(first.sample(options));
  });

  it("refuses saved state that is cut, damaged, or of another image or window, and keeps its own", () => {
    const session = LanguageModel.load(imageOf(4)).createSession({ window: 16 });
    session.prefill(randomTokens(4, 20));
    const saved = session.save();
    const damaged = saved.slice();
    damaged[100]! ^= 1;
    const other = LanguageModel.load(imageOf(5)).createSession({ window: 16 });
    const wide = LanguageModel.load(imageOf(4)).createSession({ window: 24 });
    expect(() => session.restore(saved.subarray(1))).toThrow(expect.objectContaining({ code: "BAD_SNAPSHOT" }));
    expect(() => session.restore(damaged)).toThrow(expect.objectContaining({ code: "BAD_SNAPSHOT" }));
    expect(() => session.restore(other.save())).toThrow(expect.objectContaining({ code: "SNAPSHOT_OF_OTHER_IMAGE" }));
    expect(() => session.restore(wide.save())).toThrow(expect.objectContaining({ code: "BAD_SNAPSHOT" }));
    expect(session.save()).toEqual(saved);
  });

  it("keeps sessions of one model apart, and its memory as it is once all are made", () => {
    const model = LanguageModel.load(imageOf(6));
    const alone = logitsOver(model.createSession(), randomTokens(6, 40));
    const [a, b] = [model.createSession(), model.createSession()];
    const other = randomTokens(7, 40);
    const both = randomTokens(6, 40).map((token, i) => {
      b.step(other[i]!);
      return logitsOver(a, [token])[0];
    });
    expect(both).toEqual(alone);
  });

  it("refuses what is out of range with a code, and runs nothing", () => {
    const model = LanguageModel.load(imageOf(8));
    const session = model.createSession({ window: 8 });
    for (const token of [-1, 37, 1.5, Number.NaN]) {
      expect(() => session.step(token)).toThrow(expect.objectContaining({ code: "BAD_TOKEN" }));
      expect(() => session.prefill([1, token])).toThrow(expect.objectContaining({ code: "BAD_TOKEN" }));
    }
    expect(session.position).toBe(0);
    for (const window of [0, 7, 12, 1032, Number.NaN])
      expect(() => model.createSession({ window })).toThrow(expect.objectContaining({ code: "BAD_WINDOW" }));
    for (const options of [{ temperature: -1 }, { temperature: 1, topP: 0 }, { temperature: 1, topK: -1 }, { temperature: Number.NaN }])
      expect(() => session.sample(options)).toThrow(expect.objectContaining({ code: "BAD_SAMPLING" }));
    session.setMask([]);
    expect(() => session.sample()).toThrow(expect.objectContaining({ code: "NOTHING_ALLOWED" }));
    expect(() => session.setMask([37])).toThrow(expect.objectContaining({ code: "BAD_TOKEN" }));
    session.close();
    expect(() => session.step(1)).toThrow(expect.objectContaining({ code: "SESSION_CLOSED" }));
  });

  it("obeys a mask, greedily and by chance", () => {
    const session = LanguageModel.load(imageOf(9)).createSession({ window: 8 });
    session.prefill([1, 2, 3]);
    const allowed = [4, 11, 36];
    session.setMask(allowed);
    expect(session.sample()).toBe(allowed.reduce((a, b) => (session.logits[b]! > session.logits[a]! ? b : a)));
    const seen = new Set(Array.from({ length: 200 }, (_, seed) => session.sample({ temperature: 3, seed })));
    expect([...seen].sort((a, b) => a - b)).toEqual(allowed);
    session.setMask(undefined);
    expect(session.sample()).toBe(session.logits.indexOf(Math.max(...session.logits)));
  });
});
