import { describe, expect, it } from "vitest";
import { createAnswerIntake } from "../../../../host/mqtt/asks/answer-intake.ts";
import type { AskLife } from "../../../../host/mqtt/asks/ask-life.ts";
import type { PendingAsk, PendingAsks } from "../../../../host/mqtt/asks/pending-asks.ts";
import type { IncomingMessage } from "../../../../host/mqtt/transport/connection-options.ts";
import { encodePayload } from "../../../../host/mqtt/wire/payloads.ts";
import { ManualClock } from "../../../support/manual-clock.ts";

const ID = "1".padStart(32, "0");

/** What becomes of a worker's refusal to one ask with `leftMillis` to its deadline. */
function refused(retryAfterMillis: number, leftMillis: number) {
  const clock = new ManualClock();
  const payload = { agent: "a", tick: 1, labels: ["x", "y"] } as PendingAsk["payload"];
  const ask: PendingAsk = { id: ID, payload, askedAt: 0, deadlineAt: leftMillis, sentAt: 0 } as PendingAsk;
  const told: { postponed: number[]; ended: string[] } = { postponed: [], ended: [] };
  const asks = { byId: new Map([[ID, ask]]), postpone: (_: string, millis: number) => told.postponed.push(millis) };
  const life = { counts: {}, ledger: new Map(), finish: (_: string, state: string) => told.ended.push(state) };
  const intake = createAnswerIntake({
    ...{ node: "n", clock, leastPatienceMillis: 500, anomaly: (code: string) => told.ended.push(code) },
    ...{ life: life as unknown as AskLife, asks: asks as unknown as PendingAsks },
  });
  const refusal = { v: 1 as const, kind: "refusal" as const, node: "n", agent: "a", tick: 1, wallMillis: 0, reason: "busy", detail: "" };
  const message = { topic: "t", payload: encodePayload({ ...refusal, retryAfterMillis }), correlationData: Buffer.from(ID, "hex") };
  intake.receive(message as unknown as IncomingMessage);
  return told;
}

describe("a worker that is only busy", () => {
  it("has the ask again when it said, but never at once", () => {
    expect(refused(1200, 30_000)).toEqual({ postponed: [1200], ended: [] });
    expect(refused(0, 30_000)).toEqual({ postponed: [500], ended: [] });
  });

  it("refuses what would come too late", () => {
    expect(refused(1200, 1200)).toEqual({ postponed: [], ended: ["refused"] });
    expect(refused(100, 400)).toEqual({ postponed: [], ended: ["refused"] });
  });
});
