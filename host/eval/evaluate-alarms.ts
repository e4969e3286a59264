import { createHash } from "node:crypto";
import { ShownLabel } from "../agent/shown-label.ts";
import type { Session, SetPoint } from "../core/session/session-types.ts";
import type { Recording } from "../data/recording.ts";
import { frameAt } from "./protocols.ts";

/** Alarms of one trial: a recording that either holds the alarm's event or does not. */
export interface AlarmTrial {
  readonly name: string;
  readonly subject: string;
  readonly isEvent: boolean; // what the alarm is for happens in it
  readonly frames: number;
  readonly alarms: readonly number[]; // frames of which each was the last one seen when an alarm began
}

export interface AlarmOptions {
  readonly setPoint: SetPoint;
  readonly stableDecisions: number; // the agent's
  readonly isSmoothed?: boolean; // whether the image smooths its labels. Default false
  readonly alarm: number; // class c, which is label c + 1 of the recordings
  readonly onTrial?: (done: number, total: number) => void;
}

/** Alarms in every trial, and a hash of all decisions: the same on every engine. */
export interface AlarmRun {
  readonly trials: readonly AlarmTrial[];
  readonly sha256: string; // over (tick, label, exit, confidence, why) of each decision
}

/**
 * Streams each trial from a reset state under a set-point, as the runtime does that cannot ask: the core decides at each hop, the label
 * tracker says when the steady label changes, and a change to the alarm's class is an alarm.
 */
export function streamAlarms(createSession: () => Session, trials: readonly Recording[], options: AlarmOptions): AlarmRun {
  const session = createSession();
  session.setPoint(options.setPoint);
  const hash = createHash("sha256");
  const results = trials.map((trial, i): AlarmTrial => {
    const alarms = alarmsOf(session, trial, options, (text) => hash.update(text));
    options.onTrial?.(i + 1, trials.length);
    return {
      name: trial.name,
      subject: trial.subject,
      isEvent: trial.labels.includes(options.alarm + 1),
      frames: trial.labels.length,
      alarms,
    };
  });
  return { trials: results, sha256: hash.digest("hex") };
}

function alarmsOf(session: Session, trial: Recording, options: AlarmOptions, note: (text: string) => void): number[] {
  const { stableDecisions, isSmoothed = false } = options;
  const shown = new ShownLabel({ stableDecisions, isSmoothed, holdFrames: 0 });
  const alarms: number[] = [];
  session.reset();
  for (let i = 0; i < trial.labels.length; i++) {
    const { decision } = session.pushFrame(frameAt(trial, i), i + 1);
    if (!decision) continue;
    const { tick, label, exit, confidenceQ15, why } = decision;
    note(`${tick} ${label} ${exit} ${confidenceQ15} ${why}\n`);
    const change = shown.decide({ label, isSure: why === "exit", isAsked: false, isOnline: false, tick });
    if (change?.label === options.alarm) alarms.push(i);
  }
  return alarms;
}

/** How good alarms are. Null where no trial can say. */
export interface AlarmScore {
  readonly sensitivity: number | null; // share of the events' trials with an alarm
  readonly specificity: number | null; // share of the other trials without one
  readonly falseAlarmsPerHour: number | null; // of the other trials
}

export function scoreAlarms(trials: readonly AlarmTrial[], rateHz: number): AlarmScore {
  const events = trials.filter(({ isEvent }) => isEvent);
  const others = trials.filter(({ isEvent }) => !isEvent);
  const falseAlarms = others.reduce((sum, { alarms }) => sum + alarms.length, 0);
  return {
    sensitivity: ratio(events.filter(({ alarms }) => alarms.length > 0).length, events.length),
    specificity: ratio(others.filter(({ alarms }) => alarms.length === 0).length, others.length),
    falseAlarmsPerHour: ratio(falseAlarms, countHours(others, rateHz)),
  };
}

/** Hours that trials last. */
export function countHours(trials: readonly AlarmTrial[], rateHz: number): number {
  return trials.reduce((sum, { frames }) => sum + frames, 0) / rateHz / 3600;
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
