import type { OutboxEntry } from "../../host/mqtt/outbox/outbox.ts";

export const outboxId = (n: number) => n.toString(16).padStart(32, "0");

/** Entry `n` of a test. */
export const outboxEntry = (n: number, bytes = 5, kind: OutboxEntry["kind"] = "ask") => ({
  kind,
  id: outboxId(n),
  payload: new Uint8Array(bytes).fill(n),
});
