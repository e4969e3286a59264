import { readTextReply, unknownPlaceholder } from "../mqtt/wire/text-ask.ts";
import type { CloudAnswer, CloudQuery, CloudRefusal, CloudTextAnswer, CloudTextQuery } from "./provider.ts";

const MAX_WORDS_CHARS = 256;

/** A provider's answer to a sensor ask as it may be sent: checked and bounded, or a refusal with the reason. */
export function flawlessAnswer(answer: CloudAnswer | undefined, query: CloudQuery): CloudAnswer {
  if (!answer?.ok) return bounded(answer);
  const { label, confidence } = answer;
  const isValid = Number.isInteger(label) && label >= 0 && label < query.labels.length && confidence >= 0 && confidence <= 1;
  return isValid ? { ...answer, model: answer.model.slice(0, MAX_WORDS_CHARS) } : refused("the provider's answer is out of range");
}

/** A provider's reply to a text ask as it may be sent: by the schema, with no placeholder that the ask lacks, or a refusal. */
export function flawlessText(answer: CloudTextAnswer | undefined, query: CloudTextQuery): CloudTextAnswer {
  if (!answer?.ok) return bounded(answer);
  const read = readTextReply(answer.reply);
  if (!read.ok) return refused(`the provider's reply is out of range: ${read.flaw}`);
  const placeholder = unknownPlaceholder(read.reply.text, query);
  if (placeholder !== undefined) return refused(`the provider's reply names ${placeholder}, which the ask does not`);
  return { ok: true, reply: read.reply, model: answer.model.slice(0, MAX_WORDS_CHARS) };
}

function bounded(refusal: CloudRefusal | undefined): CloudRefusal {
  if (refusal === undefined) return refused("the provider gave no answer");
  return { ...refusal, reason: refusal.reason.slice(0, MAX_WORDS_CHARS), detail: refusal.detail.slice(0, MAX_WORDS_CHARS) };
}

const refused = (detail: string): CloudRefusal => ({ ok: false, reason: "provider", detail: detail.slice(0, MAX_WORDS_CHARS) });
