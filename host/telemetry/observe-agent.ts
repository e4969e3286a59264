import type { AgentObservers } from "../agent/run-agent.ts";
import type { Telemetry } from "../core/session/telemetry.ts";
import { METRICS } from "./catalogue.ts";
import { type TracedAsks, traceAsks } from "./traced-connect.ts";
import { watchLoop } from "./watch.ts";

/** Metrics and traces of a running agent: give them to `runAgent`. */
export function observeAgent(telemetry: Telemetry): Required<Pick<AgentObservers, "loop" | "connect" | "ask">> {
  let traced: TracedAsks | undefined;
  return {
    loop: (loop, inbox) => watchLoop(telemetry, loop, inbox && (() => inbox.counts())),
    connect(connect) {
      traced = traceAsks(telemetry, connect);
      return traced.connect;
    },
    ask({ id, state, latencyMillis }) {
      traced?.ended(id, state);
      telemetry.record(METRICS.askSeconds, latencyMillis / 1000, { state });
    },
  };
}
