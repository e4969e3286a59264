import { describe, expect, it } from "vitest";
import { IntentModel } from "../../../../host/core/text/intent-model.ts";
import { textFeatures } from "../../../../host/core/text/text-features.ts";
import type { TextExample } from "../../../../host/data/text-example.ts";
import { largest } from "../../../../host/policy/certify/softmax.ts";
import { bagLogits } from "../../../../host/train/text/bag-net.ts";
import { exportText } from "../../../../host/train/text/export-text.ts";
import { bagRecipe, trainBag } from "../../../../host/train/text/train-bag.ts";

const subjects = ["I", "you", "we", "they", "my sister", "the team"];
const kinds: Record<string, string[]> = {
  sit: ["how long have $ been sitting", "is it long that $ sat", "time $ spent in a chair"],
  fall: ["when did $ fall last", "the last time $ fell over", "did $ stumble and fall"],
  oos: ["what does $ owe the bank", "who sings what $ like", "book $ a flight to rome"],
};
const examples: TextExample[] = Object.entries(kinds).flatMap(([label, phrases]) =>
  phrases.flatMap((phrase) => subjects.map((subject) => ({ text: phrase.replace("$", subject), label }))),
);
const shape = { rows: 400, dModel: 16, labels: ["sit", "fall", "oos"] };
const recipe = { ...bagRecipe, epochs: 6 };
const fit = examples.filter((_, i) => i % 3 !== 0);
const validation = examples.filter((_, i) => i % 3 === 0);

describe("trainBag", () => {
  const net = trainBag({ shape, examples: fit, seed: 1, recipe });

  it("learns the labels of held-out texts, the same net from the same seed", () => {
    for (const { text, label } of validation) expect(shape.labels[largest(bagLogits(net, textFeatures(text).hashes))]).toBe(label);
    expect(trainBag({ shape, examples: fit, seed: 1, recipe })).toEqual(net);
    expect(trainBag({ shape, examples: fit, seed: 2, recipe })).not.toEqual(net);
  });

  it("refuses a label that the net has not", () => {
    expect(() => trainBag({ shape, examples: [{ text: "x", label: "other" }], seed: 1, recipe })).toThrow(
      expect.objectContaining({ code: "TEXT_LABEL" }),
    );
  });

  it("learns from probabilities instead of labels where they are given", () => {
    const targets = fit.map(({ label }) => Float32Array.from(shape.labels, (own) => (own === label ? 0 : 0.5)));
    const student = trainBag({ shape, examples: fit, seed: 1, recipe, targets });
    for (const { text, label } of fit) expect(shape.labels[largest(bagLogits(student, textFeatures(text).hashes))]).not.toBe(label);
  });

  it("exports an image whose intents are the float net's and whose threshold is the asked share's quantile", () => {
    const manifest = {
      name: "tiny",
      language: "en",
      provenance: { data: "own", licence: "none", trainedWith: "test", seed: 1 },
      metrics: {},
    };
    const bytes = exportText(net, { fit, validation, askedShare: 0.5, outOfScope: ["oos"], manifest });
    const model = IntentModel.load(bytes);
    for (const { text } of examples)
      expect(model.classify(text).intent).toBe(shape.labels[largest(bagLogits(net, textFeatures(text).hashes))]);
    const inScope = validation.filter(({ label }) => label !== "oos");
    const scores = inScope.map(({ text }) => model.classify(text).probability).sort((a, b) => a - b);
    expect(model.image.threshold / 32768).toBe(scores[inScope.length / 2]);
  });
});
