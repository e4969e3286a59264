import { describe, expect, it } from "vitest";
import { createOutput } from "../../../../host/core/system/output.ts";
import { createProgressOutput } from "../../../../host/train/progress-output.ts";
import { progressLines, progressText } from "../../../../host/train/progress-view.ts";
import { runSeeds } from "../../../../host/train/run-seeds.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { fakeIo } from "../fake-io.ts";

const half = { step: 800, steps: 1600, loss: 0.51234, learningRate: 0.004, seconds: 201, accuracy: 0.912 };

describe("progress", () => {
  it("says step, loss, held-out accuracy and the time that is left", () => {
    expect(progressText(half, 0.912)).toBe("step 800 of 1600, loss 0.512, held out 91.2 %, 3:21 left");
    expect(progressText({ ...half, step: 1600, seconds: 3725 }, undefined)).toBe("step 1600 of 1600, loss 0.512, 1:02:05 in all");
  });

  it("draws a bar a seed that fits any width", () => {
    const seeds = [
      { seed: 1, last: half, accuracy: 0.912, isDone: false },
      { seed: 2, last: undefined, accuracy: undefined, isDone: false },
    ];
    const [, , first, second] = progressLines("training", seeds, 100);
    expect(first).toBe("  seed 1   ━━━━━━━━━━━━━━────────────── step 800 of 1600, loss 0.512, held out 91.2 %, 3:21 left");
    expect(second).toBe("  seed 2   waiting");
    for (const columns of [20, 50, 80])
      for (const line of progressLines("training", seeds, columns)) expect([...line].length).toBeLessThanOrEqual(columns);
  });

  it("is drawn in a terminal, written as lines elsewhere, and never drawn with --json", () => {
    const drawn: string[][] = [];
    const terminal = {
      size: () => ({ columns: 80, rows: 24 }),
      draw: (lines: readonly string[]) => void drawn.push([...lines]),
      finish: () => {},
      onResize: () => () => {},
    };
    const inTerminal = fakeIo({ terminal });
    const bars = createProgressOutput(inTerminal.io, createOutput(inTerminal.io, false), "training", [1]);
    bars.report(1, half);
    bars.done(1);
    expect(drawn.at(-2)!.join("\n")).toContain("held out 91.2 %");
    expect(drawn.at(-1)!.join("\n")).toContain("done");
    expect(inTerminal.output()).toEqual({ stdout: "", stderr: "" });
    const before = drawn.length;
    createProgressOutput(inTerminal.io, createOutput(inTerminal.io, true), "training", [1, 2]).report(2, half);
    expect(drawn).toHaveLength(before);
    expect(inTerminal.output()).toEqual({ stdout: "", stderr: "  seed 2: step 800 of 1600, loss 0.512, held out 91.2 %, 3:21 left\n" });
  });

  it("moves between two reports from second 3 on, once per second in a terminal, without one every half minute", () => {
    const clock = new ManualClock();
    const drawn: string[][] = [];
    const terminal = {
      size: () => ({ columns: 100, rows: 24 }),
      draw: (lines: readonly string[]) => void drawn.push([...lines]),
      finish: () => {},
      onResize: () => () => {},
    };
    const inTerminal = fakeIo({ terminal, clock });
    const bars = createProgressOutput(inTerminal.io, createOutput(inTerminal.io, false), "training", [1]);
    const plain = fakeIo({ clock });
    const lines = createProgressOutput(plain.io, createOutput(plain.io, false), "training", [1]);
    for (let step = 1; step <= 40; step++) {
      clock.advance(500);
      const now = { step, steps: 1600, loss: 1, learningRate: 0.004, seconds: step / 2 };
      bars.step(1, now);
      lines.step(1, now);
    }
    expect(drawn).toHaveLength(1 + 18); // once when it begins
    expect(drawn[1]!.join("\n")).toContain("step 6 of 1600, loss 1.000, 13:17 left");
    expect(plain.output().stderr).toBe("  step 6 of 1600, loss 1.000, 13:17 left\n");
  });
});

describe("running seeds", () => {
  it("has at most as many under way as there are workers, and begins them in order", async () => {
    const begun: number[] = [];
    let running = 0;
    let most = 0;
    await runSeeds([1, 2, 3, 4, 5], 2, async (seed) => {
      begun.push(seed);
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
    });
    expect(begun).toEqual([1, 2, 3, 4, 5]);
    expect(most).toBe(2);
  });

  it("begins no more after a failure, and throws it once those under way have ended", async () => {
    const ended: number[] = [];
    const run = runSeeds([1, 2, 3], 2, async (seed) => {
      await new Promise((resolve) => setImmediate(resolve));
      if (seed === 1) throw new Error("seed 1 failed");
      await new Promise((resolve) => setImmediate(resolve));
      ended.push(seed);
    });
    await expect(run).rejects.toThrow("seed 1 failed");
    expect(ended).toEqual([2]);
  });
});
