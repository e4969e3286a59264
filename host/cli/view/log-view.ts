import type { View, ViewInfo } from "../../agent/run-view.ts";
import { stepText } from "../../agent/step-text.ts";
import type { Output } from "../../core/system/output.ts";
import { elapsedText } from "../../core/system/table.ts";

/** One line for every change of label, ask, outcome and oddity (verbose: every decision): a log that people and grep can read. */
export function createLogView(out: Output, info: ViewInfo, isVerbose: boolean): View {
  let seconds = 0;
  let isClosed = false;
  const say = (text: string): void => {
    if (!isClosed) out.say(`${elapsedText(seconds).padStart(7)}  ${text}`);
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
