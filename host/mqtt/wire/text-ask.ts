import { z } from "zod";
import { placeholdersIn } from "../../core/placeholders.ts";

/** Bounds of a text ask and its reply, in UTF-16 units; the device cuts a longer question and reports the cut. */
export const MAX_QUESTION_CHARS = 1000;
export const MAX_REPLY_CHARS = 400;
export const MAX_FACTS = 16;
export const MAX_FACT_CHARS = 200;
/** Earlier questions and answers that go with an ask. */
export const MAX_EXCHANGES = 4;
const MAX_FACT_NAME_CHARS = 64;

/** Lone surrogates, and control characters except line feed and tab: text without them can be encoded and comes back as it was. */
const UNFIT = /(?![\n\t])[\p{Cc}\p{Cs}]/u;
const words = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((text) => !UNFIT.test(text), "has a lone surrogate or a control character");

const fact = z.object({ name: words(MAX_FACT_NAME_CHARS), text: words(MAX_FACT_CHARS) });
const exchange = z.object({
  question: words(MAX_QUESTION_CHARS),
  text: words(MAX_REPLY_CHARS),
  by: z.enum(["device", "cloud", "template"]),
});
const reply = z.object({
  kind: z.enum(["say", "unknown"]),
  text: words(MAX_REPLY_CHARS),
  intent: words(MAX_FACT_NAME_CHARS).optional(),
  probability: z.number().min(0).max(1).optional(),
});

/** One sentence that the device computed, such as a total of its diary. `name` is the intent that it answers, if it answers one. */
export type Fact = z.infer<typeof fact>;
/** A question that was answered before, and who answered it. */
export type Exchange = z.infer<typeof exchange>;
/** Text to show; it can start nothing. `unknown`: the cloud has no answer. `intent` and `probability`: what the cloud took the question for. */
export type TextReply = z.infer<typeof reply>;

/** The fields that a text ask adds to the head of every payload. All text is scrubbed before it gets here. */
export const textAskFields = {
  question: words(MAX_QUESTION_CHARS),
  facts: z.array(fact).max(MAX_FACTS),
  said: z.array(exchange).max(MAX_EXCHANGES), // oldest first
};

export const textAnswerFields = { reply };

/** The text of an ask, from either end. */
export interface AskText {
  readonly question: string;
  readonly facts: readonly Readonly<Fact>[];
  readonly said: readonly Readonly<Exchange>[];
}

/** What is wrong with a reply to this ask: the schema is checked elsewhere, its placeholders here. Undefined if nothing is. */
export function unknownPlaceholder(text: string, ask: AskText): string | undefined {
  const known = new Set<string>();
  const texts = [ask.question, ...ask.facts.map((one) => one.text), ...ask.said.flatMap((one) => [one.question, one.text])];
  for (const one of texts) for (const placeholder of placeholdersIn(one)) known.add(placeholder);
  for (const placeholder of placeholdersIn(text)) if (!known.has(placeholder)) return placeholder;
  return undefined;
}

/** A reply by the schema, or which field is wrong. Any value is safe. */
export function readTextReply(
  value: unknown,
): { readonly ok: true; readonly reply: TextReply } | { readonly ok: false; readonly flaw: string } {
  const parsed = reply.safeParse(value);
  if (parsed.success) return { ok: true, reply: parsed.data };
  const issue = parsed.error.issues[0];
  return { ok: false, flaw: `${issue?.path.join(".") || "reply"}: ${issue?.message ?? "invalid"}`.slice(0, 200) };
}
