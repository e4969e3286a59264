import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, type TestContext } from "vitest";
import { createIntentClassifier, type IntentClassifier } from "../../../host/cloud/intents/classify.ts";
import { ENCODER_DIMENSIONS, ENCODER_NAME, openEncoder, type SentenceEncoder } from "../../../host/cloud/intents/encoder.ts";
import { headLogits, type IntentHead, readHead, writeHead } from "../../../host/cloud/intents/head.ts";
import { createIntents } from "../../../host/cloud/intents/intents.ts";
import { HEAD_FILE, openIntents } from "../../../host/cloud/intents/open-intents.ts";
import type { CloudTextAnswer, CloudTextQuery } from "../../../host/cloud/provider.ts";
import { chainText, type TextAnswerer } from "../../../host/cloud/text-chain.ts";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { IntentModel } from "../../../host/core/text/intent-model.ts";
import { exportText } from "../../../host/train/text/export-text.ts";
import { trainBag } from "../../../host/train/text/train-bag.ts";
import { trainIntents } from "../../../host/train/text/train-intents.ts";
import { textQuery } from "../../support/query.ts";

const labels = ["how-long", "weather", "oos"];
const texts: Record<string, readonly string[]> = {
  "how-long": ["how long have i been sitting", "how many minutes have i sat", "since when am i sitting", "how long am i here"],
  weather: ["what is the weather", "will it rain today", "is it sunny outside", "how warm is it today"],
  oos: ["who won the game", "tell me a secret", "what does a fox say", "who painted this"],
};
const examples = labels.flatMap((label) => texts[label]!.map((text) => ({ text, label })));
/** Stands for a pretrained encoder: a text's vector says which list it is from. */
const encoder: SentenceEncoder = {
  name: "fake",
  dimensions: 4,
  embed: async (batch) =>
    batch.map((text) => {
      const at = labels.findIndex((label) => texts[label]!.includes(text));
      return [0, 1, 2, 3].map((i) => (i === at ? 1 : 0));
    }),
};

function words(): IntentModel {
  const net = trainBag({ shape: { rows: 256, dModel: 16, labels }, examples, seed: 1 });
  const manifest = {
    ...{ name: "test", language: "en" },
    provenance: { data: "own", licence: "none", trainedWith: "test", seed: 1 },
    metrics: {},
  };
  return IntentModel.load(exportText(net, { fit: examples, validation: examples, outOfScope: ["oos"], manifest }));
}

const recipe = { hidden: 8, epochs: 200, batch: 4, learningRate: 0.01, dropout: 0, labelSmoothing: 0 };
const head = (): Promise<IntentHead> =>
  trainIntents({ labels, outOfScope: ["oos"], fit: examples, validation: examples, encoder, words: words(), seed: 1, recipe });

function query(more: Partial<CloudTextQuery> = {}): CloudTextQuery {
  const { deadlineMillis, ...rest } = textQuery();
  return { ...rest, id: "00".repeat(16), node: "n", deadlineAtMillis: 30_000, ...more };
}

describe("the intents of a worker", () => {
  it("are the mean of encoder and words; of an unknown text the worker is unsure", async () => {
    const classifier = createIntentClassifier({ encoder, head: await head(), words: words() });
    const intents = await classifier.classify([...texts["how-long"]!, ...texts.oos!, "", "😀", "zxqv"]);
    expect(intents.slice(0, 4).every(({ intent, isSure }) => intent === "how-long" && isSure)).toBe(true);
    expect(intents.slice(4).every(({ isSure }) => !isSure)).toBe(true);
    expect(intents.every(({ probability }) => probability > 0 && probability <= 1)).toBe(true);
  });

  it("come in the order of the texts, however many", async () => {
    const classifier = createIntentClassifier({ encoder, head: await head(), words: words() });
    const many = Array.from({ length: 100 }, (_, i) => texts[i % 2 ? "weather" : "how-long"]![i % 4]!);
    expect((await classifier.classify(many)).map(({ intent }) => intent)).toEqual(many.map((_, i) => (i % 2 ? "weather" : "how-long")));
  });

  it("refuse parts that do not belong together", async () => {
    const other = { ...(await head()), labels: ["how-long", "weather", "else"] };
    expect(() => createIntentClassifier({ encoder, head: other, words: words() })).toThrow(
      expect.objectContaining({ code: "INTENTS_LABELS" }),
    );
    const stranger = { ...(await head()), encoder: "another" };
    expect(() => createIntentClassifier({ encoder, head: stranger, words: words() })).toThrow(
      expect.objectContaining({ code: "INTENTS_ENCODER" }),
    );
  });
});

describe("the head of an encoder", () => {
  it("reads back from its file as it was, and says what is wrong with another", async () => {
    const whole = await head();
    expect(await head()).toEqual(whole); // the same seed, the same head
    const read = readHead(writeHead(whole));
    expect([...headLogits(read, [1, 0, 0, 0])]).toEqual([...headLogits(whole, [1, 0, 0, 0])]);
    for (const text of ["", "{}", "[1]", writeHead({ ...whole, labels: ["a", "b"] }), writeHead(whole).replace(/"rows":8/, '"rows":7')])
      expect(() => readHead(text)).toThrow(expect.objectContaining({ code: "INTENTS_HEAD_INVALID" }));
  });
});

describe("the shipped intents", () => {
  it("know what a question is about, and are unsure of one out of scope", async (context: TestContext) => {
    const { classify } = await openIntents().catch((error: { code?: string }) => {
      if (error.code !== "INTENTS_PACKAGES_MISSING") throw error;
      return context.skip("@energetic-ai not installed: npm ci brings it");
    });
    const questions = [
      "how long have I been sitting here",
      "how many euros are ten dollars",
      "when did I last fall over",
      "is my battery low",
    ];
    const intents = await classify([...questions, "which planet has the most moons in our galaxy"]);
    expect(intents.map(({ intent }) => intent).slice(0, 4)).toEqual(["how-long", "exchange_rate", "last-fall", "battery"]);
    expect(intents.map(({ isSure }) => isSure)).toEqual([true, true, true, true, false]);
  });

  it("have a head and a net on words with the same labels", async () => {
    const folder = join(packageRoot(), "agents", "assistant");
    const shipped = readHead(readFileSync(join(folder, HEAD_FILE), "utf8"));
    const model = await IntentModel.open(join(folder, "model.dmm"));
    const encoder: SentenceEncoder = { name: ENCODER_NAME, dimensions: ENCODER_DIMENSIONS, embed: async () => [] };
    expect(createIntentClassifier({ encoder, head: shipped, words: model }).labels).toHaveLength(163);
  });
});

describe("the provider intents", () => {
  const classifier = (intent: string, isSure: boolean): IntentClassifier => ({
    ...{ name: "intents", labels },
    classify: async (batch) => batch.map(() => ({ intent, probability: 0.9, isSure })),
  });
  const facts = [{ name: "how-long", text: "You have been sitting for 42 minutes." }];

  it.each([
    ["how-long", true, { kind: "say", text: "You have been sitting for 42 minutes." }],
    ["weather", true, { kind: "unknown" }],
    ["how-long", false, { kind: "unknown" }],
  ] as const)("answers %s, sure: %s, from the fact of that name or not at all", async (intent, isSure, reply) => {
    const [answer] = await createIntents(classifier(intent, isSure)).answerText([query({ facts })]);
    expect(answer).toMatchObject({ ok: true, reply: { ...reply, intent, probability: 0.9 } });
  });

  it("passes what it does not answer on to the next, whose answer or refusal stands, with the intent", async () => {
    const asked: number[] = [];
    const next: TextAnswerer = {
      name: "model",
      async answerText(batch) {
        asked.push(...batch.map(({ tick }) => tick));
        return batch.map(
          ({ tick }): CloudTextAnswer =>
            tick === 2
              ? { ok: false, reason: "busy", detail: "later" }
              : { ok: true, reply: { kind: "say", text: `${tick}` }, model: "model" },
        );
      },
    };
    const chain = chainText([createIntents(classifier("how-long", true)), next]);
    const answers = await chain.answerText([query({ tick: 1, facts: [] }), query({ tick: 2, facts: [] }), query({ tick: 3, facts })]);
    expect(asked).toEqual([1, 2]);
    expect(answers).toEqual([
      { ok: true, reply: { kind: "say", text: "1", intent: "how-long", probability: 0.9 }, model: "model" },
      { ok: false, reason: "busy", detail: "later" },
      { ok: true, reply: { kind: "say", text: facts[0]!.text, intent: "how-long", probability: 0.9 }, model: "intents" },
    ]);
    expect(chain.name).toBe("intents,model");
  });
});

describe("the sentence encoder", () => {
  it("is an optional peer: without it the error names the command that installs it", async () => {
    const missing = () => Promise.reject(Object.assign(new Error("none"), { code: "ERR_MODULE_NOT_FOUND" }));
    await expect(openEncoder(missing)).rejects.toMatchObject({
      code: "INTENTS_PACKAGES_MISSING",
      message: expect.stringContaining("npm install @energetic-ai/core@0.2.0 @energetic-ai/embeddings@0.2.0"),
    });
  });

  it("puts sentences of one meaning closer than others", async (context: TestContext) => {
    const encoder = await openEncoder().catch(() => context.skip("@energetic-ai not installed: npm ci brings it"));
    const [a, b, c] = await encoder.embed(["how long have i been sitting", "for how many minutes did i sit", "what is the exchange rate"]);
    const dot = (x: ArrayLike<number>, y: ArrayLike<number>) => Array.from(x).reduce((sum, value, i) => sum + value * y[i]!, 0);
    expect(a).toHaveLength(ENCODER_DIMENSIONS);
    expect(dot(a!, b!)).toBeGreaterThan(dot(a!, c!) + 0.2);
  });
});
