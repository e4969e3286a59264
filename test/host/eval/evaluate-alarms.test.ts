import { describe, expect, it } from "vitest";
import type { Decision, SetPoint } from "../../../host/core/session/session-types.ts";
import type { Recording } from "../../../host/data/recording.ts";
import { type AlarmTrial, scoreAlarms, streamAlarms } from "../../../host/eval/evaluate-alarms.ts";
import { ScriptedSession } from "../agent/fakes.ts";

const DAILY = 1;
const FALL = 2;
const setPoint: SetPoint = { maxExit: 0, hopPatches: 4, askAllowed: false, limitReason: "none", askIntervalHops: 1, thresholds: [0] };

function trial(name: string, label: number, n: number): Recording {
  const labels = new Uint8Array(n).fill(label);
  return { name, subject: "SA01", channels: 6, frames: new Int16Array(6 * n), labels, segments: [{ label, start: 0, end: n }] };
}

/** One decision a frame: 0 = surely daily, 1 = surely a fall, u = a fall, unsure. */
const script = (text: string): Partial<Decision>[] =>
  [...text].map((char): Partial<Decision> => (char === "u" ? { label: 1, why: "deferred" } : { label: Number(char) }));

const alarmsOf = (text: string, stableDecisions: number): readonly number[] => {
  const session = new ScriptedSession(script(text));
  const options = { setPoint, stableDecisions, alarm: 1 };
  return streamAlarms(() => session, [trial("F01_SA01_R01", FALL, text.length)], options).trials[0]!.alarms;
};

describe("streamAlarms", () => {
  it.each([
    ["0001100", 1, [3]],
    ["0001100", 2, [4]],
    ["0010100", 2, []],
    ["00uu000", 2, []], // unsure decisions need one more
    ["00uuu00", 2, [4]],
    ["0110011", 2, [2, 6]], // a second alarm only after daily life was stable again
    ["1100000", 2, [1]],
  ])("%s with %i in a row: alarms at %j", (text, stableDecisions, alarms) => {
    expect(alarmsOf(text, stableDecisions)).toEqual(alarms);
  });

  it("applies the set-point, starts every trial anew, and hashes every decision", () => {
    const run = (text: string) => {
      const session = new ScriptedSession(script(text));
      let resets = 0;
      session.reset = () => {
        resets++;
      };
      const trials = [trial("D01_SA01_R01", DAILY, 3), trial("F01_SA01_R01", FALL, 3)];
      const result = streamAlarms(() => session, trials, { setPoint, stableDecisions: 2, alarm: 1 });
      expect(session.setPoints).toEqual([setPoint]);
      expect(resets).toBe(2);
      return result;
    };
    const one = run("001101"); // the two falls in a row lie in two trials
    expect(one.trials.map(({ isEvent, alarms }) => [isEvent, alarms])).toEqual([
      [false, []],
      [true, []],
    ]);
    expect(run("001101").sha256).toBe(one.sha256);
    expect(run("001100").sha256).not.toBe(one.sha256);
  });
});

describe("scoreAlarms", () => {
  const one = (isEvent: boolean, alarms: readonly number[]): AlarmTrial => ({
    name: "x",
    subject: "SA01",
    isEvent,
    frames: 90_000,
    alarms,
  });

  it("counts trials with an alarm, and every alarm of the others by the hour", () => {
    const trials = [one(true, [5]), one(true, [5, 9]), one(true, []), one(false, []), one(false, [7, 8, 9])];
    expect(scoreAlarms(trials, 50)).toEqual({ sensitivity: 2 / 3, specificity: 1 / 2, falseAlarmsPerHour: 3 });
  });

  it("says nothing where there is no trial that could say it", () => {
    expect(scoreAlarms([one(false, [])], 50)).toEqual({ sensitivity: null, specificity: 1, falseAlarmsPerHour: 0 });
    expect(scoreAlarms([], 50)).toEqual({ sensitivity: null, specificity: null, falseAlarmsPerHour: null });
  });
});
