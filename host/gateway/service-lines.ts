import type { Loop, LoopStep } from "../agent/loop-types.ts";
import { sensorText } from "../agent/step-text.ts";

/** The service's state in one line, for its manager. */
export function statusLine(loop: Loop): string {
  const { decisions, frames, events, asked, answered, pending } = loop.counters();
  return `${loop.label ?? "no label yet"}; ${frames} frames, ${decisions} decisions, ${events} events, ${asked} asked, ${answered} answered, ${pending} waiting`;
}

/** One journal line per step; undefined for steps that are not logged. */
export function stepLine(step: LoopStep, isVerbose: boolean): string | undefined {
  switch (step.kind) {
    case "decision":
      return isVerbose ? `decision ${step.record.label} ${step.record.confidence.toFixed(3)}: ${step.record.reason}` : undefined;
    case "event":
      return `event ${step.label} (${step.source}, ${step.confidence.toFixed(3)})`;
    case "suspicion":
      return `suspicion ${step.number} ${step.state} ${step.label} ${step.probability.toFixed(3)}${step.isOwn ? ": alarm of the device's own" : ""}`;
    case "ask":
      return `ask ${step.id.slice(0, 8)} ${step.label} ${step.confidence.toFixed(3)}`;
    case "outcome":
      return `ask ${step.outcome.id.slice(0, 8)} ${step.outcome.state}${step.answer === undefined ? "" : `: ${step.answer}`}`;
    case "link":
      return `broker ${step.state}${step.detail === undefined ? "" : `: ${step.detail}`}`;
    case "gap":
      return step.isReset ? "frames were lost: the model's state was reset" : undefined;
    case "sensor-fault":
      return sensorText(step.faults);
    case "anomaly":
      return `${step.error.code}: ${step.error.message}`;
  }
}
