import type { AskQuery, TextQuery } from "../../host/mqtt/wire/ask.ts";

/** A query whose patches carry `n`, so that a provider can answer it recognisably. */
export function query(n = 0, more: Partial<AskQuery> = {}): AskQuery {
  return {
    agent: "activity",
    imageHash: "ab".repeat(32),
    labels: ["still", "walk", "run"],
    tick: n,
    patches: Int8Array.from({ length: 48 }, (_, i) => (i + n) % 100),
    patchBytes: 24,
    windowPatches: 2,
    local: { label: 0, confidenceQ15: 9000, exit: 1 },
    deadlineMillis: 20_000,
    ...more,
  };
}

/** A question that carries `n`, with a fact and an earlier answer, all scrubbed. */
export function textQuery(n = 0, more: Partial<TextQuery> = {}): TextQuery {
  return {
    agent: "assistant",
    tick: n,
    question: `May <NAME_1> walk again after ${n} minutes of sitting? Call <PHONE_1>.`,
    facts: [{ name: "sitting_now", text: "You have been sitting for 42 minutes." }],
    said: [{ question: "what am I doing", text: "You are sitting.", by: "device" }],
    deadlineMillis: 20_000,
    ...more,
  };
}
