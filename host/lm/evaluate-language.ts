import type { LanguageEngine } from "./language-engine.ts";
import { argmax } from "./sample-float.ts";
import type { Tokenizer } from "./tokenizer.ts";

export type LanguageEvaluation = {
  /** Tokens that were predicted: all but the first of each text. */
  readonly tokens: number;
  /** e to the mean negative log probability of the token that came. */
  readonly perplexity: number;
  readonly perplexityFloat: number;
  readonly ratio: number;
  /** Share of positions at which both find the same token most probable. */
  readonly agreement: number;
};

export type EvaluateOptions = {
  /** Ends after the text in which this many tokens have been predicted. */
  readonly max: number;
  /** Forgets all before a text; else one goes on from the other. */
  readonly resets: boolean;
  /** Awaited after each text. */
  readonly onText?: (tokens: number) => Promise<void>;
};

/** Scores the next tokens of texts with an engine and with the float engine beside it. */
export async function evaluateLanguage(
  engine: LanguageEngine,
  float: LanguageEngine,
  tokenizer: Tokenizer,
  texts: Iterable<string>,
  options: EvaluateOptions,
): Promise<LanguageEvaluation> {
  let tokens = 0;
  let agreed = 0;
  let loss = 0;
  let lossFloat = 0;
  for (const text of texts) {
    if (options.resets) {
      engine.reset();
      float.reset();
    }
    const ids = tokenizer.encode(text);
    for (const [i, token] of ids.slice(0, -1).entries()) {
      engine.push([token]);
      float.push([token]);
      const [ours, theirs] = [engine.logProbabilities(), float.logProbabilities()];
      const next = ids[i + 1]!;
      loss -= ours[next]!;
      lossFloat -= theirs[next]!;
      agreed += argmax(ours) === argmax(theirs) ? 1 : 0;
    }
    if (!options.resets) for (const one of [engine, float]) one.push(ids.slice(-1));
    tokens += ids.length - 1;
    await options.onText?.(tokens);
    if (tokens >= options.max) break;
  }
  const [perplexity, perplexityFloat] = [Math.exp(loss / tokens), Math.exp(lossFloat / tokens)];
  return { tokens, perplexity, perplexityFloat, ratio: perplexity / perplexityFloat, agreement: agreed / tokens };
}

/** The stories of a text, `<|endoftext|>` between them, without the spaces around them. */
export function* storiesOf(text: string): Generator<string> {
  for (const story of text.split("<|endoftext|>")) if (story.trim() !== "") yield story.trim();
}
