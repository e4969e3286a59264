import type { IncomingMessage } from "./connection.ts";
import { decodePayload, type Payload } from "./payloads.ts";

/** Correlation Data of an ask, in bytes. */
export const ID_BYTES = 16;

/** A message on the answer topic: whose it is and what it says, or what is wrong with it. */
export type CheckedAnswer =
  | { readonly ok: true; readonly id: string; readonly payload: Payload<"answer" | "refusal"> }
  | { readonly ok: false; readonly id: string | undefined; readonly flaw: string };

/** Correlation Data as 32 hex digits, the form in which ids are kept and logged. */
export function idOf(correlationData: Uint8Array | undefined): string | undefined {
  return correlationData?.length === ID_BYTES ? Buffer.from(correlationData).toString("hex") : undefined;
}

/** Checks correlation id, size, schema, node, agent and label; `askOf` finds a pending ask. Any bytes are safe. */
export function checkAnswer(
  message: IncomingMessage,
  node: string,
  askOf: (id: string) => { readonly payload: Payload<"ask"> } | undefined,
): CheckedAnswer {
  const id = idOf(message.correlationData);
  if (id === undefined) return { ok: false, id, flaw: `no correlation data of ${ID_BYTES} bytes` };
  const decoded = decodePayload(["answer", "refusal"], message.payload);
  if (!decoded.ok) return { ok: false, id, flaw: decoded.reason };
  const payload = decoded.value;
  const ask = askOf(id)?.payload;
  if (payload.node !== node) return { ok: false, id, flaw: "it names another node" };
  if (ask && payload.agent !== ask.agent) return { ok: false, id, flaw: "it names another agent" };
  if (ask && payload.kind === "answer" && payload.label >= ask.labels.length) {
    return { ok: false, id, flaw: `label ${payload.label} is not among the ask's ${ask.labels.length}` };
  }
  return { ok: true, id, payload };
}
