import type { IncomingMessage } from "../transport/connection-options.ts";
import { decodePayload, type Payload } from "../wire/payloads.ts";
import { unknownPlaceholder } from "../wire/text-ask.ts";

/** Correlation Data of an ask, in bytes. */
export const ID_BYTES = 16;

/** A message on the answer topic: its ask and content, or what is wrong with it. */
export type CheckedAnswer =
  | { readonly ok: true; readonly id: string; readonly payload: Payload<"answer" | "text-answer" | "refusal"> }
  | { readonly ok: false; readonly id: string | undefined; readonly flaw: string };

/** Correlation Data as 32 hex digits, the form in which ids are kept and logged. */
export function readCorrelationId(correlationData: Uint8Array | undefined): string | undefined {
  return correlationData?.length === ID_BYTES ? Buffer.from(correlationData).toString("hex") : undefined;
}

/** Checks correlation id, size, schema, node, agent, label and placeholders; `askOf` finds a pending ask. Any bytes are safe. */
export function checkAnswer(
  message: IncomingMessage,
  node: string,
  askOf: (id: string) => { readonly payload: Payload<"ask" | "text-ask"> } | undefined,
): CheckedAnswer {
  const id = readCorrelationId(message.correlationData);
  if (id === undefined) return { ok: false, id, flaw: `no correlation data of ${ID_BYTES} bytes` };
  const decoded = decodePayload(["answer", "text-answer", "refusal"], message.payload);
  if (!decoded.ok) return { ok: false, id, flaw: decoded.reason };
  const payload = decoded.value;
  const ask = askOf(id)?.payload;
  if (payload.node !== node) return { ok: false, id, flaw: "it names another node" };
  if (ask && payload.agent !== ask.agent) return { ok: false, id, flaw: "it names another agent" };
  const flaw = ask && payload.kind !== "refusal" ? mismatch(payload, ask) : undefined;
  return flaw === undefined ? { ok: true, id, payload } : { ok: false, id, flaw };
}

/** Why an answer does not fit this ask. */
function mismatch(answer: Payload<"answer" | "text-answer">, ask: Payload<"ask" | "text-ask">): string | undefined {
  if (ask.kind === "ask") {
    if (answer.kind !== "answer") return "it answers in text, and the ask wants a label";
    return answer.label < ask.labels.length ? undefined : `label ${answer.label} is not among the ask's ${ask.labels.length}`;
  }
  if (answer.kind !== "text-answer") return "it answers with a label, and the ask wants text";
  const placeholder = unknownPlaceholder(answer.reply.text, ask);
  return placeholder === undefined ? undefined : `it names ${placeholder}, which the ask does not`;
}
