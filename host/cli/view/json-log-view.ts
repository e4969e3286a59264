import type { LoopStep } from "../../agent/loop-types.ts";
import type { View } from "../../agent/run-view.ts";
import type { Log, LogFields, LogLevel } from "../../telemetry/log.ts";

/** The loop's steps as JSON lines: decisions are debug, changes info, anomalies warnings. */
export function createJsonLogView(log: Log): View {
  let isClosed = false;
  return {
    onStep(step) {
      if (isClosed) return;
      const [level, message, fields] = lineOf(step);
      log.write(level, message, fields);
    },
    phase: (phase) => log.write("info", "phase", { phase }),
    close() {
      isClosed = true;
    },
  };
}

function lineOf(step: LoopStep): [LogLevel, string, LogFields] {
  switch (step.kind) {
    case "decision": {
      const { tick, label, confidence, exit, why, macs } = step.record;
      return ["debug", "decision", { tick, label, confidence, exit, why, macs }];
    }
    case "event": {
      const { kind: _, ...fields } = step;
      return ["info", "event", fields];
    }
    case "suspicion": {
      const { kind: _, outcome, id, ...fields } = step;
      const { state: end, reason, latencyMillis, answer } = outcome ?? {};
      return ["info", "suspicion", { ...fields, ask: id ?? outcome?.id, end, reason, latencyMillis, confidence: answer?.confidence }];
    }
    case "ask":
      return ["info", "ask", { ask: step.id, tick: step.tick, label: step.label, confidence: step.confidence }];
    case "outcome": {
      const { id, state, reason, latencyMillis, answer } = step.outcome;
      return [
        "info",
        "outcome",
        { ask: id, state, reason, latencyMillis, label: step.answer, confidence: answer?.confidence, use: step.use },
      ];
    }
    case "link":
      return [step.state === "offline" ? "warn" : "info", "link", { state: step.state, detail: step.detail }];
    case "gap":
      return ["warn", "gap", { tick: step.tick, isReset: step.isReset }];
    case "sensor-fault":
      return ["warn", "sensor-fault", { tick: step.tick, faults: step.faults }];
    case "anomaly":
      return ["warn", "anomaly", { code: step.error.code, detail: step.error.message }];
  }
}
