import type { LanguageEngine, Sampling } from "./language-engine.ts";
import type { Tokenizer } from "./tokenizer.ts";

export type GenerateOptions = {
  readonly prompt: string;
  /** Most tokens that are generated. */
  readonly max: number;
  readonly sampling: Sampling;
  /** Milliseconds of a clock that runs on. */
  readonly now: () => number;
  /** Gets the text as it grows, the prompt first. */
  readonly onText?: (text: string) => void;
  /** Awaited after each token, so that others get a turn and can stop it. */
  readonly onToken?: () => Promise<"continue" | "stop">;
};

export type Generated = {
  /** The prompt and what was generated. */
  readonly text: string;
  readonly promptTokens: number;
  /** Generated tokens; one that ends the text is none of them. */
  readonly tokens: number;
  /** From the first token of the prompt to the choice of the first new token; undefined if none was asked for. */
  readonly timeToFirstTokenMillis: number | undefined;
  readonly endedBy: "max" | "endOfText" | "stop";
};

/** Goes on from a prompt until the text ends, `max` tokens are there, or `onToken` says stop. */
export async function generate(engine: LanguageEngine, tokenizer: Tokenizer, options: GenerateOptions): Promise<Generated> {
  const { max, sampling, now, onText } = options;
  const start = now();
  const prompt = tokenizer.encode(options.prompt);
  const stream = tokenizer.stream();
  let text = "";
  const say = (part: string): void => {
    text += part;
    if (part !== "") onText?.(part);
  };
  for (const token of prompt) say(stream.push(token));
  engine.push(prompt);
  let timeToFirstTokenMillis: number | undefined;
  let endedBy: Generated["endedBy"] = "max";
  let tokens = 0;
  while (tokens < max) {
    const token = engine.choose(sampling);
    timeToFirstTokenMillis ??= now() - start;
    if (tokenizer.data.eos.includes(token)) {
      endedBy = "endOfText";
      break;
    }
    tokens += 1;
    say(stream.push(token));
    if ((await options.onToken?.()) === "stop") {
      endedBy = "stop";
      break;
    }
    if (tokens < max) engine.push([token]);
  }
  say(stream.end());
  return { text, promptTokens: prompt.length, tokens, timeToFirstTokenMillis, endedBy };
}
