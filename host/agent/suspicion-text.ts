import { percentText } from "../core/system/table.ts";
import type { SuspicionLoopStep } from "./loop-types.ts";

/** Where a suspicion stands, or how it ended, in plain words. `labels`: the model's. */
export function verdictText({ state, outcome, isOwn }: SuspicionLoopStep, labels: readonly string[]): string {
  const answer = outcome?.answer;
  const word =
    answer && `the cloud says ${labels[answer.label] ?? "?"} ${percentText(answer.confidence)} in ${Math.round(outcome!.latencyMillis)} ms`;
  switch (state) {
    case "waiting":
      return "waits for what follows";
    case "asked":
      return "asked the cloud";
    case "told":
      return word === undefined ? "part of the alarm" : `${word}: alarm`;
    case "dismissed":
      return `${word}: dismissed`;
    case "expired": {
      const why = outcome === undefined ? "no answer" : `no answer (${outcome.reason ?? outcome.state})`;
      return `${why}, the device decides alone: ${isOwn ? "alarm" : "no alarm"}`;
    }
  }
}

/** A step of a suspicion as one line. */
export function suspicionText(step: SuspicionLoopStep, labels: readonly string[]): string {
  const { number, state, label, probability } = step;
  const what = state === "waiting" ? `${label} ${percentText(probability)}, ` : "";
  return `suspicion ${number}: ${what}${verdictText(step, labels)}`;
}
