import { describe, expect, it } from "vitest";
import { argmaxLabel, computeConfidence, computeGateProbability } from "../../../../host/core/arithmetic/exit-head.ts";
import { writeImage } from "../../../../host/core/image/image-write.ts";
import { Model } from "../../../../host/core/session/model.ts";
import type { SensedRecording } from "../../../../host/data/recording.ts";
import { streamMoments } from "../../../../host/eval/protocols.ts";
import { inSequence } from "../../../../host/policy/certify/decision-group.ts";
import { exitDecisions } from "../../../../host/policy/certify/exit-decisions.ts";
import { decisionRule, type HopLogits, labelledScores, Replay } from "../../../../host/policy/certify/replay.ts";
import { activityShaped } from "../../../golden/random-image.ts";
import { randomPatches, seeded } from "../../../support/random.ts";

const image = { ...activityShaped(3), ringPatches: 256 }; // no ring overflows: every logit is that of full depth
const free = { ...image, exits: image.exits.map((exit) => ({ ...exit, threshold: 0 })) };
const model = Model.load(writeImage(free));
const hops = 14;
const patches = randomPatches(seeded(5), image.channels * image.patchFrames, hops * image.hopPatches);
const setPoint = { maxExit: 3, hopPatches: image.hopPatches, askAllowed: false, limitReason: "none", askIntervalHops: 1 } as const;

/** What the core decides under these thresholds. */
function decided(thresholds: readonly number[], maxExit = 3) {
  const session = model.createSession();
  session.setPoint({ ...setPoint, maxExit, thresholds: [...thresholds] });
  return patches.flatMap((patch) => session.pushPatch(patch).decision ?? []);
}

/** The logits of every exit at each hop. */
const recording: HopLogits[] = (() => {
  const session = model.createSession();
  session.setPoint({ ...setPoint, hopPatches: 1024, thresholds: [] });
  const truths = seeded(8);
  return patches.flatMap((patch, i) => {
    session.pushPatch(patch);
    return (i + 1) % image.hopPatches === 0 ? [{ truth: Math.floor(truths() * 8) - 1, logits: session.logits() }] : [];
  });
})();

describe("replayed decisions", () => {
  it.each([
    ["every exit may answer", [14_000, 16_000, 18_000, 0], 3],
    ["strict exits", [26_000, 28_000, 30_000, 20_000], 3],
    ["no exit may answer", [32_769, 32_769, 32_769, 32_769], 3],
    ["cut short", [26_000, 20_000, 0, 0], 1],
  ])("are the core's where %s", (_, thresholds, maxExit) => {
    const replay = new Replay(decisionRule(free));
    const core = decided(thresholds, maxExit);
    const again = recording.map(({ logits }) => replay.decide(logits, thresholds, maxExit));
    expect(again.map(({ label, exit }) => [label, exit])).toEqual(core.map(({ label, exit }) => [label, exit]));
    expect(again.map(({ isSure }) => isSure)).toEqual(core.map(({ why }) => why === "exit"));
    for (const [i, { confidenceQ15 }] of core.entries()) expect(Math.abs(again[i]!.confidenceQ15 - confidenceQ15)).toBeLessThan(16);
    expect(new Set(core.map(({ label }) => label)).size).toBeGreaterThan(1);
  });

  it("differ from each decision by itself: smoothing weighs", () => {
    const alone = new Replay({ ...decisionRule(free), smoothing: undefined });
    const own = decided([32_769, 32_769, 32_769, 0]).map(({ label }) => label);
    expect(recording.map(({ logits }) => alone.decide(logits, [32_769, 32_769, 32_769, 0]).label)).not.toEqual(own);
  });

  it("are tallied by the exit that was sure, and only where the truth is known", () => {
    const group = inSequence([recording], decisionRule(free));
    expect(group.size).toBe(recording.filter(({ truth }) => truth >= 0).length);
    for (const [first, last] of [
      [0, 3],
      [1, 2],
    ] as const) {
      const thresholds = image.exits.map((_, k) => (k < first ? 32_769 : 20_000));
      const core = decided(thresholds, last).map((decision, i) => ({ ...decision, truth: recording[i]!.truth }));
      const sure = core.filter(({ why, truth }) => why === "exit" && truth >= 0);
      expect(group.answers(20_000, first, last)).toEqual(
        Array.from({ length: last + 1 }, (_, k) => ({
          answered: sure.filter(({ exit }) => exit === k).length,
          wrong: sure.filter(({ exit, label, truth }) => exit === k && label !== truth).length,
        })),
      );
    }
  });

  it("give each exit's scores as if it always answered", () => {
    const rule = decisionRule(free);
    const { right } = exitDecisions(labelledScores([recording], rule), rule.temperatures);
    for (const exit of [0, 2, 3]) {
      const thresholds = image.exits.map((_, k) => (k === exit ? 0 : 32_769));
      const truths = recording.map(({ truth }) => truth);
      const isRight = decided(thresholds).flatMap(({ label }, i) => (truths[i]! < 0 ? [] : [label === truths[i] ? 1 : 0]));
      expect([...right[exit]!]).toEqual(isRight);
    }
  });
});

describe("the stream protocol", () => {
  const frames = Int16Array.from({ length: 6 * 1200 }, (_, i) => Math.round(3000 * Math.sin(i * i)));
  const labels = new Uint8Array(1200).fill(1);
  const whole: SensedRecording = { name: "r", subject: "1", channels: 6, frames, labels, segments: [{ label: 1, start: 0, end: 1200 }] };
  const lost = Uint8Array.from({ length: 1200 }, (_, i) => Number(i % 37 < 3 || (i >= 500 && i < 528))); // 3 frames are held, 28 reset the state

  it.each([
    ["", whole],
    [", frames lost and state reset", { ...whole, lost }],
  ])("decides as the core does at a hop of one patch, each exit by itself%s", (_, recording) => {
    const moments = [...streamMoments(model.createSession(), free, [recording])];
    expect(moments.length).toBeGreaterThan(10);
    let compared = 0;
    for (const exit of [0, 3]) {
      const session = model.createSession();
      session.setPoint({ ...setPoint, maxExit: exit, hopPatches: 1, thresholds: image.exits.map((_, k) => (k === exit ? 0 : 32_769)) });
      const byFrame = Array.from({ length: 1200 }, (_, i) =>
        recording.lost?.[i] ? undefined : session.pushFrame(frames.subarray(i * 6, i * 6 + 6), i + 1).decision,
      );
      for (const { frame, logits, scores, isSmoothed } of moments) {
        const decision = byFrame[frame]; // none: the frame was lost, or completes no patch after a reset
        if (decision === undefined) continue;
        compared++;
        const own = free.exits[exit]!;
        const weighed = isSmoothed ? scores[exit] : undefined;
        expect(argmaxLabel(scores[exit]!)).toBe(decision.label);
        expect(computeConfidence(own, decision.label, logits[exit]!, weighed)).toBe(decision.confidenceQ15);
        expect(computeGateProbability(own, decision.label, logits[exit]!, weighed)).toBeLessThanOrEqual(decision.confidenceQ15);
      }
    }
    expect(compared).toBeGreaterThan(10);
  });
});
