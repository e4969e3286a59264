import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import type { SuspicionLoopStep } from "../../../../host/agent/loop-types.ts";
import type { ViewInfo } from "../../../../host/agent/run-view.ts";
import { askLine } from "../../../../host/cli/view/render-cloud.ts";
import { nextView, startView } from "../../../../host/cli/view/view-state.ts";

const INFO: ViewInfo = {
  ...{ agent: "fall", sensor: "synthetic:1", speed: 1, rateHz: 50, labels: ["daily", "fall"], nExits: 3 },
  ...{ hopSeconds: 0.32, hopMacs: 1000, arenaBytes: 12_704, imageBytes: 27_616, hasBroker: true },
};
const raised = { kind: "suspicion", number: 2, tick: 800, label: "fall", probability: 0.34 } as const;
const outcome = (label: number): NonNullable<SuspicionLoopStep["outcome"]> => ({
  ...{ id: "a".repeat(32), state: "answered", agent: "fall", tick: 800, latencyMillis: 41 },
  local: { label: 0, confidenceQ15: 21_627, exit: 2 },
  answer: { label, confidence: 0.97, model: "fall-confirmation" },
});

/** What the screen says after this step, `seconds` into the run. */
function lines(step: Partial<SuspicionLoopStep> & Pick<SuspicionLoopStep, "state">, columns = 100, seconds = 17): string[] {
  const state = { ...nextView(startView(INFO), { ...raised, ...step }), seconds };
  return askLine(state, columns).map((line) => stripVTControlCharacters(line.map(([text]) => text).join("")));
}

describe("the live view of a suspicion", () => {
  it.each<[string, Parameters<typeof lines>[0]]>([
    ["suspicion 2: fall 34 % → waits for what follows", { state: "waiting" }],
    ["suspicion 2: fall 34 % → asked the cloud", { state: "asked" }],
    ["suspicion 2: fall 34 % → the cloud says fall 97 % in 41 ms: alarm", { state: "told", outcome: outcome(1) }],
    ["suspicion 2: fall 34 % → part of the alarm", { state: "told" }],
    ["suspicion 2: fall 34 % → the cloud says daily 97 % in 41 ms: dismissed", { state: "dismissed", outcome: outcome(0) }],
    ["suspicion 2: fall 34 % → no answer, the device decides alone: alarm", { state: "expired", isOwn: true }],
    ["suspicion 2: fall 34 % → no answer, the device decides alone: no alarm", { state: "expired", isOwn: false }],
  ])("says: %s", (text, step) => {
    expect(lines(step)).toEqual([text]);
  });

  it("breaks in two where the terminal is narrow, and says how old it is", () => {
    expect(lines({ state: "dismissed", outcome: outcome(0) }, 50)).toHaveLength(2);
    expect(lines({ state: "dismissed", outcome: outcome(0) }, 100, 40)).toEqual([
      "suspicion 2: fall 34 % → the cloud says daily 97 % in 41 ms: dismissed, 24 s ago",
    ]);
  });
});
