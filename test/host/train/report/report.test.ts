import { describe, expect, it } from "vitest";
import { EXIT_NEVER } from "../../../../assembly/layout.ts";
import { heldOutMetrics, type RunMetrics } from "../../../../host/train/metrics.ts";
import { reportHtml } from "../../../../host/train/report/report.ts";

const windows = { labels: new Uint8Array([0, 1, 1]), subjects: ["3", "3", "8"], logits: [new Float32Array([2, 0, 0, 2, 2, 0])] };
const exit = { temperature: 1, coverage: 0, errorBound: 1, answered: 0, wrong: 0 };

const metrics: RunMetrics = {
  ...{ agent: "gestures", seed: 1, phase: "final", steps: 20, seconds: 60, parameters: 1000, imageBytes: 2000, labels: ["wave", "rest"] },
  wearers: { train: ["1", "4"], heldOut: ["3", "8"] },
  exits: [{ ...exit, thresholdQ15: EXIT_NEVER }],
  certification: { wearers: 2, windows: 140, hops: 1200, leastAnswered: 263 },
  heldOut: heldOutMetrics(windows, windows, [{ alone: 1, smoothed: 1 }], [1000]),
};

describe("the report", () => {
  it("says in its lead that an agent without a certified exit asks every time, and how many answers it takes", () => {
    const page = reportHtml(metrics, []);
    expect(page).toContain(
      "No exit is certified: this agent asks about every decision. 2 calibrate wearers gave 140 windows and 1,200 streamed decisions; at least 263 of each must be answered surely, without an error. Record more wearers",
    );
    expect(page.indexOf("No exit is certified")).toBeLessThan(page.indexOf('<section class="facts">'));
    const enough = { ...metrics, certification: { ...metrics.certification!, windows: 800 } };
    expect(reportHtml(enough, [])).toContain("There are enough of them: too few were sure");
  });

  it("warns of nothing where an exit may answer, nor of a teacher, which answers everything", () => {
    const { certification: _, ...teacher } = metrics;
    for (const one of [{ ...metrics, exits: [{ ...exit, thresholdQ15: 30000 }] }, teacher])
      expect(reportHtml(one, [])).not.toContain("No exit is certified");
  });

  it("says what its headline rests on, and that the thresholds were fitted on the same wearers", () => {
    expect(reportHtml(metrics, [])).toContain(
      "on 2 wearers that it was not trained on: 3 windows. Temperatures and thresholds were fitted on these too.",
    );
    const select = reportHtml({ ...metrics, phase: "select", wearers: { ...metrics.wearers, heldOut: ["5"] } }, []);
    expect(select).toContain("on 1 wearer that it was not trained on: 3 windows.</p>");
  });
});
