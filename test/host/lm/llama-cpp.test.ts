import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, type TestContext } from "vitest";
import type { ImportedModel } from "../../../host/lm/checkpoint.ts";
import { createFloatForward } from "../../../host/lm/float-forward.ts";
import { openCheckpoint } from "../../../host/lm/import/open-checkpoint.ts";
import { importModel } from "../../../host/lm/import-model.ts";
import { LanguageModel } from "../../../host/lm/language-model.ts";
import { createTokenizer } from "../../../host/lm/tokenizer.ts";
import { importLlama, type Llama } from "../../support/llama/import-llama.ts";
import { llamaGguf } from "../../support/llama-gguf.ts";
import { seeded } from "../../support/random.ts";
import { randomCheckpoint, randomLlama } from "../../support/random-llama.ts";
import { rankedTokenizer } from "../../support/small-tokenizers.ts";

const folder = mkdtempSync(join(tmpdir(), "dormouse-llama-cpp-"));
afterAll(() => rmSync(folder, { recursive: true }));

const base = randomLlama({ seed: 7 });
const model: ImportedModel = { ...base, checkpoint: randomCheckpoint(base.checkpoint.shape, 7, 0, 1.8) };
const types = ["F32", "F16", "BF16", "Q8_0", "Q4_0"] as const;
const random = seeded(1);
const prompts = Array.from({ length: 64 }, () => [
  1,
  ...Array.from({ length: 1 + Math.floor(random() * 20) }, () => 259 + Math.floor(random() * 61)),
]);

function written(mix: string): string {
  const path = join(folder, `${mix}.gguf`);
  let next = 0;
  writeFileSync(
    path,
    llamaGguf(model, () => types.find((type) => type === mix) ?? types[next++ % types.length]!),
  );
  return path;
}

async function withModel<T>(
  context: TestContext,
  path: string,
  run: (llama: Awaited<ReturnType<Llama["loadModel"]>>) => Promise<T>,
): Promise<T> {
  const { getLlama } = await importLlama(context);
  const llama = await getLlama({ gpu: false, build: "never", logLevel: "error", maxThreads: 1 });
  try {
    return await run(await llama.loadModel({ modelPath: path }));
  } finally {
    await llama.dispose();
  }
}

/** llama.cpp's probabilities of the token after each prompt. */
function probabilitiesOf(context: TestContext, path: string): Promise<ReadonlyMap<number, number>[]> {
  return withModel(context, path, async (loaded) => {
    const sequence = (await loaded.createContext({ contextSize: 128 })).getSequence();
    const all: ReadonlyMap<number, number>[] = [];
    for (const prompt of prompts) {
      await sequence.clearHistory();
      const last = [prompt.at(-1)!, { generateNext: { probabilities: true } }] as const;
      all.push((await sequence.controlledEvaluate([...prompt.slice(0, -1), last])).at(-1)!.next.probabilities);
    }
    return all;
  });
}

function softmax(logits: ArrayLike<number>, scale = 1): number[] {
  const max = Math.max(...Array.from(logits));
  const weights = Array.from(logits, (logit) => Math.exp((logit - max) * scale));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** The largest difference of a probability over all prompts and tokens. */
function worst(theirs: readonly ReadonlyMap<number, number>[], ours: (prompt: readonly number[]) => number[]): number {
  return Math.max(...prompts.map((prompt, i) => Math.max(...ours(prompt).map((p, token) => Math.abs(p - theirs[i]!.get(token)!)))));
}

describe("llama.cpp over the same file", () => {
  for (const mix of [...types, "mixed"])
    it(`${mix}: the float engine's probabilities are within 0.002 for 64 prompts, the int8 image's within 0.003`, async (context) => {
      const path = written(mix);
      const theirs = await probabilitiesOf(context, path);
      const { checkpoint } = openCheckpoint(path);
      const forward = createFloatForward(checkpoint);
      const float = worst(theirs, (prompt) => {
        forward.reset();
        let logits = new Float32Array();
        for (const token of prompt) logits = forward.step(token) as Float32Array<ArrayBuffer>;
        return softmax(logits);
      });
      const session = LanguageModel.load(importModel(path, {}).image).createSession();
      const int8 = worst(theirs, (prompt) => {
        session.reset();
        session.prefill(prompt);
        return softmax(session.logits, session.logitScale);
      });
      expect(float).toBeLessThan(0.002);
      expect(int8).toBeLessThan(0.003);
    });
});

describe("llama.cpp's tokens of a text", () => {
  const texts = [
    "Once upon a time",
    " two  spaces, three   ",
    "the\nthat\n\n\tand 12345 mice's",
    "“I'm here,” they'd said — naïve Ελλάδα 漢字 🐭",
    "<s>a</s>",
    "x\u0085y\u00a0z",
  ];
  it("are those of a tokenizer with scores", async (context) => {
    const path = written("F32");
    const { tokenizer } = openCheckpoint(path);
    const theirs = await withModel(context, path, async (loaded) => texts.map((text) => [...loaded.tokenize(text)]));
    expect(texts.map((text) => createTokenizer(tokenizer).encode(text).slice(1))).toEqual(theirs);
  });

  it("are those of a tokenizer with ranks, GPT-2's words and bytes", async (context) => {
    const ranked = rankedTokenizer(320);
    const path = join(folder, "ranked.gguf");
    writeFileSync(path, llamaGguf({ ...model, tokenizer: ranked }));
    const { tokenizer } = openCheckpoint(path);
    expect(tokenizer).toEqual(ranked);
    const theirs = await withModel(context, path, async (loaded) => texts.map((text) => [...loaded.tokenize(text)]));
    expect(texts.map((text) => createTokenizer(tokenizer).encode(text).slice(1))).toEqual(theirs);
  });
});
