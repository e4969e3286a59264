import type { Decision } from "../core/session/session-types.ts";
import { ConfigError } from "../core/system/errors.ts";
import type { AgentDefinition } from "./define-agent.ts";

/** Seconds after an alarm in which nothing is suspected; a confirmed alarm is shown for so long. */
export const QUIET_SECONDS = 10;

/** When a decision is a suspicion, and when its ask is due. Times in frames. */
export interface SuspicionRule {
  readonly label: number; // class
  readonly atExit: number; // 0-based
  readonly probability: number; // 0…1
  readonly afterFrames: number; // from the suspicion to the end of the ask's context
  readonly intervalFrames: number; // between two suspicions, at least
  readonly deadlineFrames: number; // from the ask to the answer
  readonly quietFrames: number; // after an alarm
}

/** What a suspicion's rule must fit: the labels and exits of the model. */
interface RuleModel {
  readonly labels: readonly string[];
  readonly nExits: number;
}

/** The rule that an agent declares, for its model. Undefined: it declares none. Throws AGENT_SUSPICION. */
export function createSuspicionRule(
  { name, suspicion, sensor }: Pick<AgentDefinition, "name" | "suspicion" | "sensor">,
  { labels, nExits }: RuleModel,
): SuspicionRule | undefined {
  if (suspicion === undefined) return undefined;
  const { atExit, probability } = suspicion;
  const label = labels.indexOf(suspicion.label);
  if (label < 0)
    throw new ConfigError(
      "AGENT_SUSPICION",
      `agent ${name} suspects "${suspicion.label}", and its model has the labels ${labels.join(", ")}. Name one of them as suspicion.label.`,
    );
  if (atExit >= nExits)
    throw new ConfigError(
      "AGENT_SUSPICION",
      `agent ${name} reads its suspicion at exit ${atExit}, and its model has the exits 0…${nExits - 1}. Give one of them as suspicion.atExit.`,
    );
  const frames = (seconds: number): number => Math.round(seconds * sensor.rateHz);
  return {
    ...{ label, atExit, probability },
    afterFrames: frames(suspicion.afterSeconds),
    intervalFrames: frames(suspicion.intervalSeconds),
    deadlineFrames: frames(suspicion.deadlineSeconds),
    quietFrames: frames(QUIET_SECONDS),
  };
}

/**
 * P(rule.label) as the exit that decided leaves it: its own probability if it chose that label, else what its choice leaves to all others
 * (with two labels exactly the label's own; with more an upper bound). No deeper exit is run for it, so decisions stay as they are.
 */
export function suspectProbability(rule: SuspicionRule, decision: { readonly label: number; readonly confidenceQ15: number }): number {
  const confidence = decision.confidenceQ15 / 32768;
  return decision.label === rule.label ? confidence : 1 - confidence;
}

/**
 * Whether a decision is suspicious. One that stopped before `atExit` is so only if it chose the label itself: it was sure of another one,
 * or a degraded device may go no deeper, and then asks less.
 */
export function isSuspicious(rule: SuspicionRule, decision: Pick<Decision, "label" | "exit" | "confidenceQ15">): boolean {
  const isDeep = decision.exit >= rule.atExit || decision.label === rule.label;
  return isDeep && suspectProbability(rule, decision) > rule.probability;
}
