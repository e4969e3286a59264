import { ShownLabel } from "../agent/shown-label.ts";
import { type SuspicionStep, SuspicionTracker } from "../agent/suspicion.ts";
import type { SuspicionRule } from "../agent/suspicion-rule.ts";
import type { Judge, WatchedTrial } from "./watch-trials.ts";

/** An alarm: the device time that it is about, and the frame at which it is told. */
interface ToldAlarm {
  readonly tick: number;
  readonly frame: number;
}

/** What became of a trial. */
export interface TrialOutcome {
  readonly trial: WatchedTrial;
  readonly alarms: readonly ToldAlarm[];
  readonly asks: number;
}

/** How the runtime tells alarms: a stable label, and the suspicion's rule. */
interface AlarmRule {
  readonly rule: SuspicionRule;
  readonly stableDecisions: number;
}

export interface ConfirmOptions extends AlarmRule {
  readonly judge: Judge;
  /** Probability of the judge from which on it confirms: one half is its operating point. */
  readonly confirmFrom: number;
  readonly answerFrames: number; // from an ask to its answer
  readonly isLost: () => boolean; // drawn once for each ask
}

/** The device alone: its own rule over every decision. */
export function alarmsAlone(trial: WatchedTrial, { rule, stableDecisions }: AlarmRule): TrialOutcome {
  const shown = new ShownLabel({ stableDecisions, holdFrames: 0 });
  const alarms: ToldAlarm[] = [];
  for (const { label, why, tick } of trial.decisions) {
    const change = shown.decide({ label, isSure: why === "exit", isAsked: false, isOnline: false, tick });
    if (change?.label === rule.label) alarms.push({ tick: change.tick, frame: tick });
  }
  return { trial, alarms, asks: 0 };
}

/** A judge alone: asked about every hop with movement, quiet for a while after an alarm. */
export function alarmsOfJudge(trial: WatchedTrial, { rule, judge, confirmFrom, answerFrames }: ConfirmOptions): TrialOutcome {
  const alarms: ToldAlarm[] = [];
  for (const [tick, verdict] of trial.verdicts) {
    const isQuiet = alarms.length > 0 && tick - alarms.at(-1)!.tick < rule.quietFrames;
    if (!isQuiet && verdict[judge] >= confirmFrom) alarms.push({ tick, frame: tick + rule.afterFrames + answerFrames });
  }
  return { trial, alarms, asks: trial.verdicts.size };
}

/**
 * Device and judge together, by the state machine that ships: the trial's decisions and its time drive a SuspicionTracker, and the judge
 * answers each ask, unless that is lost. When the trial ends, open suspicions end without an answer.
 */
export function confirmedAlarms(trial: WatchedTrial, options: ConfirmOptions): TrialOutcome {
  const { rule, judge, confirmFrom, answerFrames } = options;
  const tracker = new SuspicionTracker(rule, options.stableDecisions);
  const due: { readonly number: number; readonly at: number; readonly tick: number }[] = []; // answers under way, in order
  const alarms: ToldAlarm[] = [];
  let asks = 0;
  let frame = 0;
  const take = (steps: readonly SuspicionStep[]): void => {
    for (const step of steps) {
      if (step.kind === "change" && step.change.label === rule.label) alarms.push({ tick: step.change.tick, frame });
      if (step.kind !== "ask") continue;
      asks++;
      if (!options.isLost()) due.push({ number: step.number, at: frame + answerFrames, tick: step.decision.tick });
    }
    while (due[0] !== undefined && due[0].at <= frame) {
      const { number, tick } = due.shift()!;
      const probability = trial.verdicts.get(tick)![judge];
      const isConfirmed = probability >= confirmFrom;
      take(
        tracker.end(number, {
          label: isConfirmed ? rule.label : otherLabel(rule),
          confidence: isConfirmed ? probability : 1 - probability,
        }),
      );
    }
  };
  let next = 0;
  for (frame = 1; frame <= trial.frames; frame++) {
    take(tracker.advance(frame));
    if (trial.decisions[next]?.tick === frame) take(tracker.decide(trial.decisions[next++]!, true));
  }
  frame = trial.frames;
  take(tracker.finish());
  return { trial, alarms, asks };
}

function otherLabel({ label }: SuspicionRule): number {
  return label === 0 ? 1 : 0;
}
