import type { AssistantAnswer } from "../../assistant/assistant-types.ts";
import type { Output } from "../../core/system/output.ts";
import { percentText } from "../../core/system/table.ts";

/** An answer, and below it who gave it and why; before it the question, where it is not the last one. */
export function sayAnswer(out: Output, answer: AssistantAnswer, question: string): void {
  const { text, by, intent, probability, why, state, millis, notes = [] } = answer;
  if (question !== "") out.say(`(${question})`);
  out.say(text);
  const meant = intent === null ? [] : [`${intent} ${percentText(probability)}`];
  const ended = state === "answered" ? [] : [state];
  out.say(`  [${[by, ...meant, why, ...ended, `${millis.toFixed(millis < 10 ? 1 : 0)} ms`, ...notes].join(" · ")}]`);
}
