import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SuspicionRule } from "../../../host/agent/suspicion-rule.ts";
import type { Decision } from "../../../host/core/session/session-types.ts";
import { alarmsAlone, alarmsOfJudge, type ConfirmOptions, confirmedAlarms } from "../../../host/eval/confirm-alarms.ts";
import { alarmFigures, compareAlarms } from "../../../host/eval/confirm-report.ts";
import type { WatchedTrial } from "../../../host/eval/watch-trials.ts";

const HOP = 16;
const rule: SuspicionRule = {
  ...{ label: 1, atExit: 2, probability: 0.1, afterFrames: 100, intervalFrames: 100, deadlineFrames: 250, quietFrames: 500 },
};
const stableDecisions = 3;

/** A decision a hop: 0 = daily, surely; s = daily, a suspicion; 1 = a fall, surely; u = a fall, unsure. */
function trialOf(script: string, verdict: (tick: number) => number, more: Partial<WatchedTrial> = {}): WatchedTrial {
  const decisions = [...script].map((char, i): Decision => {
    const isFall = char === "1" || char === "u";
    const why = char === "0" || char === "1" ? "exit" : "deferred";
    const confidenceQ15 = char === "s" ? 24_000 : char === "u" ? 20_000 : 32_500;
    return { ...{ label: isFall ? 1 : 0, exit: 2, confidenceQ15, why, tick: (i + 1) * HOP, patch: 0, macs: 0, rebuilds: 0, steps: 0 } };
  });
  const frames = script.length * HOP;
  const asked = decisions.filter(({ tick }) => tick + rule.afterFrames <= frames);
  const verdicts = new Map(asked.map(({ tick }) => [tick, { cloud: verdict(tick), linear: 1 - verdict(tick) }]));
  return { ...{ name: "F01", subject: "SA01", frames, impact: undefined, decisions, verdicts }, ...more };
}

const options: ConfirmOptions = { rule, stableDecisions, judge: "cloud", confirmFrom: 0.5, answerFrames: 10, isLost: () => false };
const quiet = "0".repeat(10);

describe("confirmedAlarms", () => {
  it("tells a confirmed suspicion once, when its answer has come, at the suspicion's tick", () => {
    const trial = trialOf(`${quiet}s1110${quiet.repeat(5)}`, () => 0.9);
    const outcome = confirmedAlarms(trial, options);
    expect(outcome.alarms).toEqual([{ tick: 11 * HOP, frame: 11 * HOP + 100 + 10 }]);
    expect(alarmsAlone(trial, options).alarms).toEqual([{ tick: 14 * HOP, frame: 14 * HOP }]);
    expect(outcome.asks).toBe(1);
  });

  it("drops what the judge dismisses, each judge by its own verdicts", () => {
    const trial = trialOf(`${quiet}s1110${quiet.repeat(5)}`, () => 0.2);
    expect(confirmedAlarms(trial, options).alarms).toEqual([]);
    expect(confirmedAlarms(trial, { ...options, confirmFrom: 0.2 }).alarms).toHaveLength(1);
    expect(confirmedAlarms(trial, { ...options, judge: "linear" }).alarms).toHaveLength(1);
  });

  it("tells the device's own alarm if the ask is lost or the recording ends first", () => {
    const late = trialOf(`${quiet}s1110${quiet.repeat(5)}`, () => 0.2);
    expect(confirmedAlarms(late, { ...options, isLost: () => true }).alarms).toEqual([{ tick: 14 * HOP, frame: 11 * HOP + 100 + 250 }]);
    const cut = trialOf(`${quiet}s111`, () => 0.2);
    expect(confirmedAlarms(cut, options).alarms).toEqual([{ tick: 14 * HOP, frame: cut.frames }]);
  });

  it("is the device alone, tick by tick, if every ask is lost", () => {
    const script = fc.array(fc.constantFrom("0", "0", "s", "1", "u", "1"), { minLength: 1, maxLength: 200 }).map((chars) => chars.join(""));
    fc.assert(
      fc.property(script, (text) => {
        const trial = trialOf(text, () => 0.9);
        const ticks = (alarms: readonly { tick: number }[]): number[] => alarms.map(({ tick }) => tick);
        const lost = confirmedAlarms(trial, { ...options, isLost: () => true });
        expect(ticks(lost.alarms)).toEqual(ticks(alarmsAlone(trial, options).alarms));
      }),
      { numRuns: 200 },
    );
  });
});

describe("alarmsOfJudge", () => {
  it("alarms at every confirmed hop, but for the quiet time after an alarm", () => {
    const trial = trialOf(quiet.repeat(8), (tick) => (tick >= 20 * HOP ? 0.6 : 0.4));
    const { alarms, asks } = alarmsOfJudge(trial, options);
    expect(alarms.map(({ tick }) => tick)).toEqual([20 * HOP, 52 * HOP]);
    expect(alarms[0]!.frame).toBe(20 * HOP + 110);
    expect(asks).toBe(trial.verdicts.size);
  });
});

describe("alarmFigures", () => {
  const fall = trialOf(`${quiet}s1110${quiet.repeat(5)}`, () => 0.9, { name: "F01", impact: 10 * HOP });
  const missed = trialOf(quiet.repeat(6), () => 0.1, { name: "F02", impact: 10 * HOP });
  const daily = trialOf(`${quiet}1110${quiet.repeat(5)}1110`, () => 0.1, { name: "D01" });
  const alone = [fall, missed, daily].map((trial) => alarmsAlone(trial, options));
  const cascade = [fall, missed, daily].map((trial) => confirmedAlarms(trial, options));

  it("counts falls found, alarms in daily life, asks, and the time from the impact to the alarm", () => {
    const seconds = (frames: number): number => frames / 50;
    expect(alarmFigures(alone, 50)).toMatchObject({
      ...{ sensitivity: 0.5, specificity: 0, falseAlarms: 2, asksPerHour: 0, askedShare: 0, missed: ["F02"], falselyAlarmed: ["D01"] },
      latencySeconds: { p50: seconds(4 * HOP), p95: seconds(4 * HOP) },
    });
    const figures = alarmFigures(cascade, 50);
    expect(figures).toMatchObject({ sensitivity: 0.5, latencySeconds: { p50: seconds(HOP + 110) } });
    const asks = cascade.reduce((sum, one) => sum + one.asks, 0);
    expect(figures.askedShare).toBeCloseTo(asks / (fall.decisions.length + missed.decisions.length + daily.decisions.length), 12);
  });

  it("compares two runs trial by trial", () => {
    expect(compareAlarms(cascade, alone, true)).toEqual({ onlyFirst: 0, onlySecond: 0, p: 1 });
    const many = Array.from({ length: 9 }, () => cascade[0]!);
    const none = many.map((one) => ({ ...one, alarms: [] }));
    expect(compareAlarms(many, none, true)).toEqual({ onlyFirst: 9, onlySecond: 0, p: expect.closeTo(2 * 0.5 ** 9, 12) });
  });
});
