import type { ChatReply } from "./reply.ts";
import { isObject, parseJson } from "./server-error.ts";

/** What a model said, as a label of the ask and a confidence, or why it is neither. */
export type ReadAnswer =
  | { readonly ok: true; readonly label: number; readonly confidence: number }
  | { readonly ok: false; readonly flaw: string };

/** How much of the end of a reply is searched: the answer is one small object. */
const SEARCHED_CHARS = 4096;
/** Braces from the end that may open or close the answer. */
const MAX_BRACES = 24;

const THOUGHT_END = /<\/(?:think|thinking|thought|reasoning)>|\[\/THINK\]/gi;
const THOUGHT_START = /<(?:think|thinking|thought|reasoning)>|\[THINK\]/i;

/**
 * Reads the last JSON object after the model's thoughts, with or without a code fence. A model that never closed its thoughts has
 * answered if its turn ended with the object. If a server calls the whole of a reply reasoning, that is the reply. Any text is safe.
 */
export function readAnswer(
  { text, reasoning, finish }: Pick<ChatReply, "text" | "reasoning" | "finish">,
  labels: readonly string[],
): ReadAnswer {
  const isMisfiled =
    text.trim() === "" && /^\s*\{[\s\S]*\}\s*$/.test(reasoning.slice(0, SEARCHED_CHARS)) && reasoning.length <= SEARCHED_CHARS;
  const said = isMisfiled ? reasoning : text;
  const closed = [...said.matchAll(THOUGHT_END)].at(-1);
  const after = closed === undefined ? said : said.slice(closed.index + closed[0].length);
  const isThinking = THOUGHT_START.test(after);
  if (isThinking && (finish === "length" || !/\}[\s`]*$/.test(after.slice(-SEARCHED_CHARS)))) return noAnswer;
  const answer = lastAnswer(after.slice(-SEARCHED_CHARS), labels);
  return !answer.ok && text.trim() === "" && reasoning.trim() !== "" ? noAnswer : answer;
}

const noAnswer: ReadAnswer = { ok: false, flaw: "the model did not get beyond its thoughts" };

function lastAnswer(text: string, labels: readonly string[]): ReadAnswer {
  const opens = positionsOf("{", text);
  let flaw = opens.length === 0 || !text.includes("}") ? "no JSON object in the reply" : "the reply's JSON cannot be read";
  let isRead = false;
  for (const close of positionsOf("}", text).reverse()) {
    for (const open of opens) {
      if (open > close) break;
      const value = parseJson(text.slice(open, close + 1));
      if (!isObject(value)) continue;
      const answer = answerOf(value, labels);
      if (answer.ok) return answer;
      if (!isRead) flaw = answer.flaw;
      isRead = true;
    }
  }
  return { ok: false, flaw };
}

function answerOf(value: Readonly<Record<string, unknown>>, labels: readonly string[]): ReadAnswer {
  const named = typeof value.label === "string" ? value.label.trim().toLowerCase() : undefined;
  const label = labels.findIndex((one) => one.toLowerCase() === named);
  if (label < 0) return { ok: false, flaw: "the reply names none of the labels" };
  const confidence = typeof value.confidence === "string" && value.confidence.trim() !== "" ? Number(value.confidence) : value.confidence;
  if (typeof confidence !== "number" || !(confidence >= 0 && confidence <= 1))
    return { ok: false, flaw: "its confidence is no number from 0 to 1" };
  return { ok: true, label, confidence };
}

/** Where a character stands, in order: the last few places. */
function positionsOf(character: string, text: string): number[] {
  const positions: number[] = [];
  for (let at = text.lastIndexOf(character); at >= 0 && positions.length < MAX_BRACES; at = text.lastIndexOf(character, at - 1)) {
    positions.unshift(at);
    if (at === 0) break;
  }
  return positions;
}
