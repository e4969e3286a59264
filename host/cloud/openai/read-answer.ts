import type { ReadReply } from "./chat-client.ts";
import { readLastObject } from "./last-object.ts";
import type { ChatReply } from "./reply.ts";

/** A model's answer to a sensor ask. */
interface LabelAnswer {
  readonly label: number; // of the ask's labels
  readonly confidence: number;
}

/** Reads a label of the ask and a confidence from the last JSON object of a reply. Any text is safe. */
export function readAnswer(reply: Pick<ChatReply, "text" | "reasoning" | "finish">, labels: readonly string[]): ReadReply<LabelAnswer> {
  return readLastObject(reply, (value) => answerOf(value, labels));
}

function answerOf(value: Readonly<Record<string, unknown>>, labels: readonly string[]): ReadReply<LabelAnswer> {
  const named = typeof value.label === "string" ? value.label.trim().toLowerCase() : undefined;
  const label = labels.findIndex((one) => one.toLowerCase() === named);
  if (label < 0) return { ok: false, kind: "offSchema", flaw: "the reply names none of the labels" };
  const confidence = typeof value.confidence === "string" && value.confidence.trim() !== "" ? Number(value.confidence) : value.confidence;
  if (typeof confidence !== "number" || !(confidence >= 0 && confidence <= 1))
    return { ok: false, kind: "offSchema", flaw: "its confidence is no number from 0 to 1" };
  return { ok: true, label, confidence };
}
