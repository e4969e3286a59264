import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadTextAgent } from "../../host/agent/registry.ts";
import { packageRoot } from "../../host/core/system/package-root.ts";
import { IntentModel } from "../../host/core/text/intent-model.ts";
import { textBytes } from "../../host/core/text/text-bytes.ts";
import { readDiaryTest } from "../../host/eval/text/diary-test.ts";
import { expandPhrasings, readPhrasings } from "../../host/train/text/phrasings.ts";
import { classifyBytes } from "../reference/text.ts";

const agent = await loadTextAgent("assistant");
const model = await IntentModel.open(agent.modelPath);
const phrasings = readPhrasings(JSON.parse(readFileSync(join(packageRoot(), "agents/assistant/phrasings/families.json"), "utf8")));

describe("the assistant's model", () => {
  it("fits its image, has every intent of its agent.ts, and no other is local", () => {
    expect(model.imageBytes).toBeLessThanOrEqual(262_144);
    const { labels } = model.manifest;
    expect(labels).toHaveLength(163);
    for (const intent of [...agent.definition.local, ...Object.keys(agent.definition.answeredAs)]) expect(labels).toContain(intent);
    expect(Object.keys(phrasings.intents).sort()).toEqual([...agent.definition.local].sort());
  });

  it("gives the oracle's bits in scalar and SIMD on the diary's test phrasings", async () => {
    const scalar = await IntentModel.open(agent.modelPath, "scalar");
    for (const { text } of readDiaryTest(agent).filter((_, i) => i % 5 === 0)) {
      const result = model.classify(text);
      expect(scalar.classify(text)).toEqual(result);
      const oracle = classifyBytes(model.image, textBytes(text).bytes);
      expect(model.logits()).toEqual(oracle.logits);
      expect(result.probability).toBe(oracle.probability / 32768);
    }
  });

  it.each([
    ["empty text", ""],
    ["only emoji", "😀😀🎉"],
    ["lone surrogates", "\ud800\udfff"],
    ["NUL", "\0\0"],
    ["right-to-left marks", "\u202e\u200f"],
    ["another script", "как долго я сижу"],
    ["another language", "wie lange sitze ich schon auf meinem Stuhl"],
    ["a placeholder", "<PHONE_1>"],
    ["100 KB of noise", "zxqv ".repeat(20_000)],
  ])("%s is no local intent that is sure", (_, text) => {
    const { intent, isSure, features } = model.classify(text);
    expect(isSure && agent.definition.local.includes(agent.definition.answeredAs[intent] ?? intent)).toBe(false);
    if (features === 0) expect(isSure).toBe(false);
  });

  it("says that 100 KB of text is cut", () => {
    expect(model.classify("how long have I been sitting ".repeat(3500))).toMatchObject({ isCut: true, features: 512 });
  });

  it("answers what it is for", () => {
    const ask = (text: string) => model.classify(text);
    expect(ask("how long have I been sitting?")).toMatchObject({ intent: "how-long", isSure: true });
    expect(ask("what is the exchange rate between dollars and euros")).toMatchObject({ intent: "exchange_rate", isSure: true });
  });
});

describe("the diary's phrasings", () => {
  it("are at least 60 of each intent, by families of one split each", () => {
    const texts = (["train", "validation"] as const).flatMap((split) => expandPhrasings(phrasings, split, 4, 1));
    for (const [intent, families] of Object.entries(phrasings.intents)) {
      expect(new Set(texts.filter(({ label }) => label === intent).map(({ text }) => text)).size, intent).toBeGreaterThanOrEqual(60);
      expect(new Set(families.map(({ family }) => family)).size, intent).toBe(families.length);
      expect(new Set(families.map(({ split }) => split)).size, intent).toBe(2);
    }
  });
});
