import type { LoopStep } from "../../agent/loop-types.ts";
import { suspicionText } from "../../agent/suspicion-text.ts";
import type { Output } from "../../core/system/output.ts";
import { percentText } from "../../core/system/table.ts";
import { clockText } from "./render.ts";
import type { View, ViewInfo } from "./view-state.ts";

/** One line for every change of label, ask, outcome and oddity (verbose: every decision): a log that people and grep can read. */
export function createLogView(out: Output, info: ViewInfo, isVerbose: boolean): View {
  let seconds = 0;
  let isClosed = false;
  const say = (text: string): void => {
    if (!isClosed) out.say(`${clockText(seconds).padStart(7)}  ${text}`);
  };
  return {
    onStep(step) {
      if (step.kind === "decision") seconds = step.record.tick / info.rateHz;
      const text = stepText(step, info, isVerbose);
      if (text !== undefined) say(text);
    },
    phase(phase) {
      if (phase === "draining") say("waiting for the last answers");
    },
    close() {
      isClosed = true;
    },
  };
}

const answerUses: Partial<Record<string, string>> = { kept: ", less sure than the device was", superseded: ", too late to matter" };

/** A step as one line; undefined for steps that are not logged. */
export function stepText(step: LoopStep, info: ViewInfo, isVerbose: boolean): string | undefined {
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
    case "anomaly":
      return `${info.agent}: ${step.error.code}: ${step.error.message}`;
  }
}

function linkText(state: "offline" | "connecting" | "online", detail: string | undefined): string {
  const why = detail === undefined ? "" : `: ${detail}`;
  if (state === "online") return "broker reached";
  if (state === "connecting") return `connecting to the broker${why}`;
  return `no broker${why}; deciding alone, and trying again`;
}
