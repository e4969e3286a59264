import type { Clock } from "../../core/system/clock.ts";
import type { IncomingMessage } from "../transport/connection-options.ts";
import type { AskState } from "../wire/ask.ts";
import { checkAnswer } from "./answer-check.ts";
import type { AskLife } from "./ask-life.ts";
import type { PendingAsks } from "./pending-asks.ts";

/** What comes on the answer topic, and what becomes of it. Any message is safe; each is counted once. */
export interface AnswerIntake {
  readonly postponed: number;
  receive(message: IncomingMessage): void;
}

export function createAnswerIntake(options: {
  readonly node: string;
  readonly clock: Clock;
  readonly life: AskLife;
  readonly asks: PendingAsks;
  readonly leastPatienceMillis: number; // before an ask goes again that a worker had no time for: 0 would have it at once, again and again
  readonly anomaly: (code: string, message: string) => void;
}): AnswerIntake {
  const { node, clock, life, asks, leastPatienceMillis, anomaly } = options;
  let postponed = 0;

  function ignore(id: string, state: AskState | undefined): void {
    const [counter, code] =
      state === undefined
        ? (["unknownAnswers", "ANSWER_UNKNOWN"] as const)
        : state === "expired" || state === "evicted"
          ? (["lateAnswers", "ANSWER_LATE"] as const)
          : (["duplicateAnswers", "ANSWER_REPEATED"] as const);
    life.counts[counter]++;
    anomaly(code, `an answer to ${id} was ignored: ${state === undefined ? "it was never asked" : `the ask is already ${state}`}.`);
  }

  return {
    get postponed() {
      return postponed;
    },
    receive(message) {
      const checked = checkAnswer(message, node, (id) => asks.byId.get(id));
      if (!checked.ok) {
        life.counts.malformedAnswers++;
        anomaly("ANSWER_MALFORMED", `an answer to ${checked.id ?? "nothing"} was ignored: ${checked.flaw}.`);
        return;
      }
      const { id, payload } = checked;
      if ((asks.byId.get(id)?.deadlineAt ?? Number.POSITIVE_INFINITY) <= clock.now()) life.finish(id, "expired");
      const ask = asks.byId.get(id);
      const patience =
        payload.kind === "refusal" && payload.retryAfterMillis !== undefined && Math.max(leastPatienceMillis, payload.retryAfterMillis);
      if (!ask) ignore(id, life.ledger.get(id));
      else if (payload.kind === "answer") {
        const { label, confidence, model } = payload;
        life.finish(id, "answered", { answer: { label, confidence, model } });
      } else if (payload.kind === "text-answer") life.finish(id, "answered", { reply: { ...payload.reply, model: payload.model } });
      else if (patience !== false && clock.now() + patience < ask.deadlineAt) {
        postponed++;
        asks.postpone(id, patience);
      } else life.finish(id, "refused", { reason: `${payload.reason}: ${payload.detail}` });
    },
  };
}
