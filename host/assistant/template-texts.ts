import type { AssistantAnswer, Share } from "./assistant-types.ts";

export const SAVED = "I am offline. Your question is saved; I will ask when I am back.";
const EXPIRED = "No answer came in time. Ask again if you still want to know.";
export const NOT_ALLOWED =
  "I cannot answer that here, and questions may not leave this device. To allow it, set asks.text to true in the assistant's agent.ts, or run it with --ask-text.";
export const NO_BROKER = "I cannot answer that here, and there is no cloud to ask: name a broker with --broker.";
export const TOO_MANY = "Too many questions wait for an answer already. Ask again later.";
export const SAY_FORGET = 'Say "forget today" if I am to clear today\'s diary, outbox and ledger.';
export const STOPPED = "Stopped.";

export function noQuestion(flaw: string): string {
  return `That is no question: ${flaw}. Ask for example: "How long have I been sitting?"`;
}

/** Why there is no answer of the cloud. */
export function noAnswer(state: string, reason: string | undefined): string {
  return state === "expired" ? EXPIRED : `The cloud did not answer${reason === undefined ? "" : `: ${reason}`}.`;
}

export function noHandler(intent: string): string {
  return `I have no answer to ${intent} on this device.`;
}

export function forgotten(asks: number): string {
  return `Today's diary, outbox and ledger are cleared${asks === 0 ? "" : `, ${asks} waiting ${asks === 1 ? "question" : "questions"} included`}.`;
}

export function notForgotten(reason: string): string {
  return `Not all of today is forgotten: ${reason}`;
}

export function canAnswer(isTextAllowed: boolean): string {
  const here =
    "On this device: what you are doing, how long, today's totals, what you did at a time, whether you sit too long, your last fall, the battery; and I can forget today.";
  return `${here} ${isTextAllowed ? "Anything else I ask the cloud." : "Anything else I cannot answer: questions may not leave this device."}`;
}

export function whoAnswers(
  asks: { readonly text: boolean; readonly share: readonly Share[] },
  last: AssistantAnswer["by"] | undefined,
): string {
  const before = last === undefined ? "" : ` The last answer came from ${last === "cloud" ? "the cloud" : "this device"}.`;
  if (!asks.text) return `This device answers, from its diary. Your questions never leave it.${before}`;
  const shared = asks.share.length === 0 ? "nothing else of you" : asks.share.join(", ");
  return `This device answers what it finds in its diary. Other questions go to the cloud, without names and numbers; you share ${shared} with it.${before}`;
}
