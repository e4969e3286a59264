import type { ReadReply } from "./chat-client.ts";
import type { ChatReply } from "./reply.ts";
import { isObject, parseJson } from "./server-error.ts";

/** How much of the end of a reply is searched: the answer is one small object. */
const SEARCHED_CHARS = 4096;
/** Braces from the end that may open or close the answer. */
const MAX_BRACES = 24;

const THOUGHT_END = /<\/(?:think|thinking|thought|reasoning)>|\[\/THINK\]/gi;
const THOUGHT_START = /<(?:think|thinking|thought|reasoning)>|\[THINK\]/i;

/**
 * Reads the last JSON object after the model's thoughts that `accept` takes, with or without a code fence. A model that never closed its
 * thoughts has answered if its turn ended with the object. If a server calls the whole of a reply reasoning, that is the reply. Any text
 * is safe.
 */
export function readLastObject<T>(
  { text, reasoning, finish }: Pick<ChatReply, "text" | "reasoning" | "finish">,
  accept: (value: Readonly<Record<string, unknown>>) => ReadReply<T>,
): ReadReply<T> {
  const isMisfiled =
    text.trim() === "" && /^\s*\{[\s\S]*\}\s*$/.test(reasoning.slice(0, SEARCHED_CHARS)) && reasoning.length <= SEARCHED_CHARS;
  const said = isMisfiled ? reasoning : text;
  const closed = [...said.matchAll(THOUGHT_END)].at(-1);
  const after = closed === undefined ? said : said.slice(closed.index + closed[0].length);
  const isThinking = THOUGHT_START.test(after);
  if (isThinking && (finish === "length" || !/\}[\s`]*$/.test(after.slice(-SEARCHED_CHARS)))) return NO_ANSWER;
  const answer = lastAccepted(after.slice(-SEARCHED_CHARS), accept);
  return !answer.ok && text.trim() === "" && reasoning.trim() !== "" ? NO_ANSWER : answer;
}

const NO_ANSWER = { ok: false, kind: "withoutJson", flaw: "the model did not get beyond its thoughts" } as const;

function lastAccepted<T>(text: string, accept: (value: Readonly<Record<string, unknown>>) => ReadReply<T>): ReadReply<T> {
  const opens = positionsOf("{", text);
  let rejected: ReadReply<T> | undefined;
  for (const close of positionsOf("}", text).reverse()) {
    for (const open of opens) {
      if (open > close) break;
      const value = parseJson(text.slice(open, close + 1));
      if (!isObject(value)) continue;
      const answer = accept(value);
      if (answer.ok) return answer;
      rejected ??= answer;
    }
  }
  if (rejected !== undefined) return rejected;
  const flaw = opens.length > 0 && text.includes("}") ? "the reply's JSON cannot be read" : "no JSON object in the reply";
  return { ok: false, kind: opens.length > 0 ? "cut" : "withoutJson", flaw };
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
