import type { LoopStep } from "../agent/loop-types.ts";

/** An alarm belongs to an event if it is about a time from so long before the event's label begins to so long after it ends. */
const SLACK_SECONDS = { before: 4, after: 8 };

/** How good a day's alarms were. */
export interface AlarmTally {
  readonly events: number; // stretches whose truth is the alarm's label
  readonly found: number; // with an alarm
  readonly alarms: number; // raised
  readonly falseAlarms: number; // that belong to no event
}

/** The critical success index of alarms: found of all that were found, missed or false; 1 where there was nothing to tell. */
export function criticalSuccessIndex({ events, found, falseAlarms }: AlarmTally): number {
  return events + falseAlarms === 0 ? 1 : found / (events + falseAlarms);
}

export interface AlarmWatch {
  onStep(step: LoopStep): void;
  tally(): AlarmTally;
}

/** Counts the alarms of a day against its truth, from the steps of the loop. An alarm counts at the tick that it is about. */
export function createAlarmWatch(alarm: string, rateHz: number): AlarmWatch {
  const events: { readonly from: number; to: number }[] = [];
  const alarms: number[] = [];
  let isRunning = false;
  return {
    onStep(step) {
      if (step.kind === "event" && step.label === alarm) alarms.push(step.tick);
      if (step.kind !== "decision") return;
      const { tick, truth } = step.record;
      if (truth !== alarm) isRunning = false;
      else if (isRunning) events.at(-1)!.to = tick;
      else {
        events.push({ from: tick, to: tick });
        isRunning = true;
      }
    },
    tally() {
      const isAbout = (tick: number, { from, to }: { from: number; to: number }): boolean =>
        tick >= from - SLACK_SECONDS.before * rateHz && tick <= to + SLACK_SECONDS.after * rateHz;
      return {
        events: events.length,
        found: events.filter((event) => alarms.some((tick) => isAbout(tick, event))).length,
        alarms: alarms.length,
        falseAlarms: alarms.filter((tick) => !events.some((event) => isAbout(tick, event))).length,
      };
    },
  };
}
