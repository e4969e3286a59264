import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type ImportedModel, type MatrixName, matrixSize } from "../../../host/lm/checkpoint.ts";
import { createCoreEngine } from "../../../host/lm/core-engine.ts";
import { evaluateLanguage, storiesOf } from "../../../host/lm/evaluate-language.ts";
import { createFloatEngine } from "../../../host/lm/float-engine.ts";
import { createFloatForward } from "../../../host/lm/float-forward.ts";
import { generate } from "../../../host/lm/generate.ts";
import { imageCheckpoint } from "../../../host/lm/image-checkpoint.ts";
import { importModel } from "../../../host/lm/import-model.ts";
import { LanguageModel } from "../../../host/lm/language-model.ts";
import { quantiseLlama } from "../../../host/lm/quantise.ts";
import { residualMax } from "../../../host/lm/residual-max.ts";
import { sampleToken } from "../../../host/lm/sample-float.ts";
import { createTokenizer } from "../../../host/lm/tokenizer.ts";
import { decodeTokenizer } from "../../../host/lm/tokenizer-section.ts";
import { llamaGguf } from "../../support/llama-gguf.ts";
import { seeded } from "../../support/random.ts";
import { randomLlama } from "../../support/random-llama.ts";

const folder = mkdtempSync(join(tmpdir(), "dormouse-engines-"));
afterAll(() => rmSync(folder, { recursive: true }));

const source = randomLlama({ seed: 9 });
const path = join(folder, "random.gguf");
writeFileSync(path, llamaGguf(source));
const { image } = importModel(path, {});
const model = LanguageModel.load(image);
const tokenizer = createTokenizer(decodeTokenizer(model.image.tokenizer));
const core = () => createCoreEngine(model, { seed: 1, window: 64 });
const float = () => createFloatEngine(source.checkpoint, { imageBytes: 0, window: 64 });
const text = "the mouse in the house\nand a rat, on the mat. ";

describe("an imported image", () => {
  it("has the tokenizer of its checkpoint", () => expect(tokenizer.data).toEqual({ ...source.tokenizer, eos: [2] }));

  it("has, as float32, every weight within half an int8 step of its row", () => {
    const read = imageCheckpoint(model.image);
    expect(read.shape).toMatchObject({
      dim: 64,
      hidden: 96,
      layers: 2,
      heads: 4,
      kvHeads: 2,
      headSize: 16,
      vocab: 320,
      context: 128,
      tiedHead: false,
    });
    expect(read.shape.ropeTheta).toBeCloseTo(10_000, 1);
    expect(read.shape.normEpsilon).toBeCloseTo(1e-5, 8);
    const parts = (["q", "k", "v", "o", "gate", "up", "down"] as const).map((part) => ({ layer: 1, part }));
    for (const name of ["embedding", "head", ...parts] satisfies MatrixName[]) {
      const { rows, columns } = matrixSize(read.shape, name);
      for (let row = 0; row < rows; row += 7) {
        const [was, is] = [source.checkpoint, read].map((one) => one.rows(name, row, row + 1)) as [Float32Array, Float32Array];
        const step = Math.max(...was.map(Math.abs)) / 127;
        for (let i = 0; i < columns; i++) expect(Math.abs(was[i]! - is[i]!)).toBeLessThan(0.52 * step);
      }
    }
    const gains = [source.checkpoint, read].map((one) => one.gain({ layer: 0, part: "feedForward" })) as [Float32Array, Float32Array];
    for (const [i, gain] of gains[0].entries()) expect(Math.abs(gain - gains[1][i]!)).toBeLessThan(1e-4);
  });

  it("runs within 0.02 of the float engine's probabilities", () => {
    const [ours, theirs] = [core(), float()];
    for (const token of tokenizer.encode(text)) {
      ours.push([token]);
      theirs.push([token]);
      const [a, b] = [ours.logProbabilities(), theirs.logProbabilities()];
      for (const [i, log] of a.entries()) expect(Math.abs(Math.exp(log) - Math.exp(b[i]!))).toBeLessThan(0.02);
    }
  });
});

it("import reads at most 64 rows at a time: memory is the image and a few rows, whatever the checkpoint's size", () => {
  let most = 0;
  const counted = {
    ...source.checkpoint,
    gain: source.checkpoint.gain.bind(source.checkpoint),
    rows(...[name, from, to]: Parameters<ImportedModel["checkpoint"]["rows"]>) {
      most = Math.max(most, to - from);
      return source.checkpoint.rows(name, from, to);
    },
  };
  residualMax({ checkpoint: counted, tokenizer: source.tokenizer });
  quantiseLlama(counted, { name: "counted" });
  expect(most).toBe(64);
});

it("the residual's largest value grows with the weights that write to it", () => {
  const { checkpoint, tokenizer: data } = source;
  const most = residualMax(source);
  const louder = residualMax({
    tokenizer: data,
    checkpoint: {
      ...checkpoint,
      gain: (name) => checkpoint.gain(name),
      rows: (name, from, to) => {
        const isWriting = name === "embedding" || (typeof name === "object" && (name.part === "o" || name.part === "down"));
        return checkpoint.rows(name, from, to).map((value) => (isWriting ? 1024 * value : value));
      },
    },
  });
  expect(louder / most).toBeCloseTo(1024, 0); // RMSNorm takes the factor out of all that is read
});

it.each([
  ["core", core],
  ["float", float],
])("the %s engine gives the same bits for a text after another text as for the text alone", (_, make) => {
  const tokens = tokenizer.encode(text);
  const alone = make();
  alone.push(tokens);
  const after = make();
  after.push(Array.from({ length: 200 }, (_, i) => 3 + (i % 300))); // past the window
  after.reset();
  after.push(tokens);
  expect(after.logProbabilities()).toEqual(alone.logProbabilities());
});

it("past the window only the last tokens count in the float engine, whatever came before", () => {
  const [a, b] = [1, 2].map(() => createFloatForward(source.checkpoint, { window: 8 })) as [
    ReturnType<typeof createFloatForward>,
    ReturnType<typeof createFloatForward>,
  ];
  for (const first of [5, 6]) (first === 5 ? a : b).step(first);
  let [x, y] = [new Float32Array(), new Float32Array()];
  for (let i = 0; i < 40; i++)
    [x, y] = [a.step(300 + (i % 7)), b.step(300 + (i % 7))] as [Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>];
  for (const [i, logit] of x.entries()) expect(logit).toBeCloseTo(y[i]!, 5); // two layers reach back 14 tokens
});

describe("generate", () => {
  const sampling = { temperature: 0, topK: 0, topP: 1 };
  it.each([
    ["core", core],
    ["float", float],
  ])("with the %s engine streams the text that it returns", async (_, make) => {
    const parts: string[] = [];
    let now = 0;
    const {
      text: all,
      tokens,
      timeToFirstTokenMillis,
    } = await generate(make(), tokenizer, {
      prompt: "the mouse",
      max: 20,
      sampling,
      now: () => now++,
      onText: (part) => parts.push(part),
    });
    expect(parts.join("")).toBe(all);
    expect(all.startsWith("the mouse")).toBe(true);
    expect(tokens).toBe(20);
    expect(timeToFirstTokenMillis).toBe(1);
  });

  it("ends at a token that ends texts, and when it is told to stop", async () => {
    const greedy = await generate(float(), tokenizer, { prompt: "a", max: 5, sampling, now: () => 0 });
    const ids: number[] = [];
    const recorded = { ...float(), choose: () => ids.push(2) && 2 };
    expect(await generate(recorded, tokenizer, { prompt: "a", max: 5, sampling, now: () => 0 })).toMatchObject({
      tokens: 0,
      endedBy: "endOfText",
      text: "a",
    });
    const stopped = await generate(float(), tokenizer, { prompt: "a", max: 5, sampling, now: () => 0, onToken: async () => "stop" });
    expect(stopped).toMatchObject({ tokens: 1, endedBy: "stop" });
    expect(greedy).toMatchObject({ tokens: 5, endedBy: "max" });
  });

  it("draws the same text for the same seed", async () => {
    const draw = async (seed: number): Promise<string> => {
      const engine = createFloatEngine(source.checkpoint, { imageBytes: 0, seed });
      return (await generate(engine, tokenizer, { prompt: "a", max: 12, sampling: { temperature: 1, topK: 40, topP: 0.9 }, now: () => 0 }))
        .text;
    };
    expect(await draw(3)).toBe(await draw(3));
    expect(await draw(3)).not.toBe(await draw(4));
  });
});

describe("drawing from logits", () => {
  const logits = Float32Array.from([Math.log(0.5), Math.log(0.3), Math.log(0.15), Math.log(0.05)]);
  const shares = (sampling: { temperature: number; topK: number; topP: number }): number[] => {
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 1000; i++) counts[sampleToken(logits, sampling, (i + 0.5) / 1000)]! += 1;
    return counts.map((count) => count / 1000);
  };
  it("follows the probabilities", () => expect(shares({ temperature: 1, topK: 0, topP: 1 })).toEqual([0.5, 0.3, 0.15, 0.05]));
  it("keeps the k most probable", () => expect(shares({ temperature: 1, topK: 2, topP: 1 })).toEqual([0.625, 0.375, 0, 0]));
  it("keeps those that together reach p", () => expect(shares({ temperature: 1, topK: 0, topP: 0.6 })).toEqual([0.625, 0.375, 0, 0]));
  it("sharpens below temperature 1", () => expect(shares({ temperature: 0.5, topK: 0, topP: 1 })[0]).toBeGreaterThan(0.65));
  it("is greedy at temperature 0, the first of equals", () =>
    expect(sampleToken(Float32Array.of(1, 2, 2), { temperature: 0, topK: 0, topP: 1 }, 0.99)).toBe(1));
});

describe("evaluation", () => {
  it("of an engine against itself has ratio 1 and agreement 1, and the perplexity of its log probabilities", async () => {
    const texts = [...storiesOf("the mouse<|endoftext|>\n a rat\n<|endoftext|>  ")];
    expect(texts).toEqual(["the mouse", "a rat"]);
    const evaluation = await evaluateLanguage(float(), float(), tokenizer, texts, { max: 1000, resets: true });
    expect(evaluation).toMatchObject({ ratio: 1, agreement: 1 });
    let [loss, count] = [0, 0];
    for (const one of texts) {
      const engine = float();
      const ids = tokenizer.encode(one);
      for (const [i, id] of ids.slice(0, -1).entries()) {
        engine.push([id]);
        loss -= engine.logProbabilities()[ids[i + 1]!]!;
        count += 1;
      }
    }
    expect(evaluation.tokens).toBe(count);
    expect(evaluation.perplexity).toBeCloseTo(Math.exp(loss / count), 8);
  });

  it("ends after the text that reaches the most tokens", async () => {
    const random = seeded(2);
    const texts = Array.from({ length: 9 }, () => "the".repeat(1 + Math.floor(5 * random())));
    const first = tokenizer.encode(texts[0]!).length - 1;
    expect((await evaluateLanguage(float(), core(), tokenizer, texts, { max: first, resets: true })).tokens).toBe(first);
  });
});
