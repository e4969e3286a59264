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

const warning = (page: string): string | undefined => /<p class="warning" role="note">([^<]*)</.exec(page)?.[1];

describe("the report", () => {
  it("warns above its tables that no exit is certified, with the counts and what certifying takes", () => {
    const page = reportHtml(metrics, []);
    for (const figure of ["2 calibrate wearers", "140 windows", "1,200 streamed decisions", "263"]) expect(warning(page)).toContain(figure);
    expect(page.indexOf('class="warning"')).toBeLessThan(page.indexOf('<section class="tables">'));
    const enough = { ...metrics, certification: { ...metrics.certification!, windows: 800 } };
    expect(warning(reportHtml(enough, []))).not.toBe(warning(page)); // enough windows: another fix
  });

  it("warns of nothing if an exit may answer, nor for a teacher, which answers everything", () => {
    const { certification: _, ...teacher } = metrics;
    for (const one of [{ ...metrics, exits: [{ ...exit, thresholdQ15: 30000 }] }, teacher])
      expect(warning(reportHtml(one, []))).toBeUndefined();
  });

  it("names what its headline rests on, and in the final phase that thresholds were fitted on the same wearers", () => {
    expect(reportHtml(metrics, [])).toMatch(/3 windows of 2 held-out wearers\..*fitted on them/);
    const select = reportHtml({ ...metrics, phase: "select", wearers: { ...metrics.wearers, heldOut: ["5"] } }, []);
    expect(select).toContain("3 windows of 1 held-out wearer.</p>");
  });
});
