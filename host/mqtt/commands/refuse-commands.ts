import type { Clock } from "../../core/system/clock.ts";
import type { IncomingMessage } from "../transport/connection-options.ts";
import { parseTopic } from "../wire/topics.ts";
import { MAX_COMMAND_BYTES } from "./command.ts";
import { type CommandReport, MAX_REASON_CHARS, TAKES_NONE } from "./command-report.ts";
import { peekEnvelope } from "./signed-envelope.ts";

/** Refusals that are reported at once, and the interval for more: a repeated command must not keep the radio on. */
const TOLD_AT_ONCE = 4;
const TELL_REFUSAL_MILLIS = 10_000;
const NO_KEY = "it has no command key: give it the identity that dormouse provision made";

/** Passes refusals on, a bounded number in any time. */
export function createRefusalTeller(clock: Clock, tell: (report: CommandReport) => void) {
  let allowance = TOLD_AT_ONCE;
  let countedAt = clock.now();
  return (report: Omit<CommandReport, "result" | "effect">): void => {
    allowance = Math.min(TOLD_AT_ONCE, allowance + (clock.now() - countedAt) / TELL_REFUSAL_MILLIS);
    countedAt = clock.now();
    if (allowance < 1) return;
    allowance--;
    tell({ ...report, result: "refused", reason: report.reason?.slice(0, MAX_REASON_CHARS) });
  };
}

/**
 * For a node without a command key: answers each command with the reason, so that its operator does not wait in vain. The counter, which
 * names the command, is read without checking the signature: there is no key to check it with, and nothing is done. Any bytes are safe.
 */
export function createCommandRefuser(options: {
  readonly clock: Clock;
  readonly tell: (report: CommandReport) => void;
}): (message: Pick<IncomingMessage, "topic" | "payload">) => void {
  const tellRefusal = createRefusalTeller(options.clock, options.tell);
  return ({ topic, payload }) => {
    const parsed = parseTopic(topic);
    const counter = peekEnvelope("command", payload, MAX_COMMAND_BYTES)?.counter;
    if (parsed?.kind !== "command" || !Number.isSafeInteger(counter)) return;
    tellRefusal({ verb: parsed.tail!, counter: counter as number, refusal: TAKES_NONE, reason: NO_KEY });
  };
}
