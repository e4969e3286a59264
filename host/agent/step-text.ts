import { percentText } from "../core/system/table.ts";
import type { LoopStep } from "./loop-types.ts";
import type { ViewInfo } from "./run-view.ts";
import { type SensorFaultName, sensorFaultText } from "./sensor-fault.ts";
import { suspicionText } from "./suspicion-text.ts";

const answerUses: Partial<Record<string, string>> = { kept: ", less sure than the device was", superseded: ", too late to matter" };

/** A step as one line; undefined for steps that are not logged. */
export function stepText(step: LoopStep, info: Pick<ViewInfo, "agent" | "labels">, isVerbose: boolean): string | undefined {
  switch (step.kind) {
    case "decision":
      return isVerbose
        ? `  ${step.record.label} ${percentText(step.record.confidence)}, ${step.record.macs} MACs: ${step.record.reason}`
        : undefined;
    case "event":
      return `${step.label} (${percentText(step.confidence)}, ${step.source === "cloud" ? "from the cloud" : "decided here"})`;
    case "suspicion":
      return suspicionText(step, info.labels);
    case "ask":
      return `unsure: ${step.label} → asked ${step.id.slice(0, 8)}`;
    case "outcome": {
      const { outcome, answer, use } = step;
      const id = outcome.id.slice(0, 8);
      if (outcome.answer === undefined) return `ask ${id} ${outcome.state}${outcome.reason === undefined ? "" : `: ${outcome.reason}`}`;
      const confidence = percentText(outcome.answer.confidence);
      return `cloud answers ${answer} ${confidence} to ${id} in ${Math.round(outcome.latencyMillis)} ms${answerUses[use] ?? ""}`;
    }
    case "link":
      return linkText(step.state, step.detail);
    case "gap":
      return step.isReset ? "frames were lost: the model's state was reset" : undefined;
    case "sensor-fault":
      return sensorText(step.faults);
    case "anomaly":
      return `${info.agent}: ${step.error.code}: ${step.error.message}`;
  }
}

/** The sensor's state in words. */
export function sensorText(faults: readonly SensorFaultName[]): string {
  return faults.length === 0 ? "the sensor is plausible again" : `no answers: ${sensorFaultText(faults)}`;
}

function linkText(state: "offline" | "connecting" | "online", detail: string | undefined): string {
  const why = detail === undefined ? "" : `: ${detail}`;
  if (state === "online") return "broker reached";
  if (state === "connecting") return `connecting to the broker${why}`;
  return `no broker${why}; deciding alone, and trying again`;
}
