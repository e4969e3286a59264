import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createFloatForward } from "../../../host/lm/float-forward.ts";
import { openCheckpoint } from "../../../host/lm/import/open-checkpoint.ts";
import { LanguageModel } from "../../../host/lm/language-model.ts";
import { quantiseLlama } from "../../../host/lm/quantise.ts";
import { createTokenizer } from "../../../host/lm/tokenizer.ts";
import { dataDir, noData } from "../../support/require.ts";

/** The checkpoint as an image and its reader of text; skips the test if the data is not there. */
function openStories(skip: (note: string) => never) {
  const data = dataDir() ?? skip(noData);
  const folder = join(data, "stories260k");
  const { checkpoint, tokenizer } = openCheckpoint(join(folder, "stories260K.bin"), { tokenizer: join(folder, "tok512.bin") });
  const model = LanguageModel.load(quantiseLlama(checkpoint, { name: "stories260K" }));
  return { checkpoint, model, tokenizer: createTokenizer(tokenizer), text: join(data, "tinystories-sample.txt") };
}

/** Stories, each cut at 512 tokens, with 20,000 next tokens in all. */
function storiesOf({ tokenizer, text }: ReturnType<typeof openStories>): number[][] {
  const texts = readFileSync(text, "utf8").split("<|endoftext|>");
  const out: number[][] = [];
  for (let i = 0, sum = 0; sum < 20_000; i++) {
    const story = texts[i]!.trim();
    if (story === "") continue;
    out.push(tokenizer.encode(story).slice(0, 512));
    sum += out.at(-1)!.length - 1;
  }
  return out;
}

/** log Σ exp(values · scale). */
function logSum(values: ArrayLike<number>, scale: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) most = Math.max(most, values[i]! * scale);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp(values[i]! * scale - most);
  return most + Math.log(sum);
}

function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

describe("stories260K in int8", () => {
  it("takes 300 KB of image and 112 KB of memory at a window of 256", ({ skip }) => {
    const { model } = openStories(skip);
    const session = model.createSession({ window: 256 });
    expect(model.imageBytes).toBeLessThan(300_000);
    expect(session.kvBytes).toBe(102_400);
    expect(session.peakBytes).toBeLessThan(112 * 1024);
    session.close();
  });

  it("begins the golden story greedily", ({ skip }) => {
    const { model, tokenizer } = openStories(skip);
    const session = model.createSession();
    const prompt = tokenizer.encode("Once upon a time");
    session.prefill(prompt);
    const out = [...prompt];
    for (let i = 0; i < 24; i++) {
      out.push(session.sample());
      session.step(out.at(-1)!);
    }
    expect(tokenizer.decode(out)).toContain("Once upon a time, there was a little girl named Lily.");
    session.close();
  });

  it("predicts as float32 does: perplexity × 1.006 at most, the same likeliest token 96.5 % of the time, over 20,000 tokens", ({
    skip,
  }) => {
    const all = openStories(skip);
    const { model, checkpoint } = all;
    const session = model.createSession({ window: 512 });
    const float = createFloatForward(checkpoint, { window: 512 });
    let [count, difference, same] = [0, 0, 0];
    for (const text of storiesOf(all)) {
      session.reset();
      float.reset();
      for (let i = 0; i + 1 < text.length; i++) {
        session.step(text[i]!);
        const exact = float.step(text[i]!);
        const { logits, logitScale } = session;
        const next = text[i + 1]!;
        difference += logSum(logits, logitScale) - logits[next]! * logitScale - (logSum(exact, 1) - exact[next]!);
        same += argmax(logits) === argmax(exact) ? 1 : 0;
        count += 1;
      }
    }
    session.close();
    expect(count).toBeGreaterThanOrEqual(20_000);
    expect(Math.exp(difference / count)).toBeLessThanOrEqual(1.006);
    expect(same / count).toBeGreaterThanOrEqual(0.965);
  });

  it("goes on past its window without end: 20,000 tokens in one run are within 1 % of a reset per story", ({ skip }) => {
    const all = openStories(skip);
    const { model } = all;
    const stories = storiesOf(all);
    const session = model.createSession({ window: 256 });
    let difference = 0;
    let count = 0;
    for (const isReset of [true, false]) {
      session.reset();
      for (const text of stories) {
        if (isReset) session.reset();
        for (let i = 0; i < text.length; i++) {
          session.step(text[i]!);
          if (i + 1 === text.length) continue;
          const loss = logSum(session.logits, session.logitScale) - session.logits[text[i + 1]!]! * session.logitScale;
          difference += isReset ? -loss : loss;
          count += isReset ? 1 : 0;
        }
      }
    }
    expect(session.position).toBeGreaterThan(20_000);
    expect(Math.abs(Math.exp(difference / count) - 1)).toBeLessThan(0.01);
    session.close();
  });
});
