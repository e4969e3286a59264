import type { Clock } from "../core/system/clock.ts";
import type { Diary } from "../diary/diary.ts";
import type { LoopStep } from "./loop-types.ts";

export interface DiaryFeedOptions {
  readonly diary: Pick<Diary, "observe" | "alarm" | "interrupt">;
  readonly rateHz: number;
  /** The label that the agent declares as alarm. */
  readonly alarm: string | undefined;
  /** Wall time of the first frame of a recording or a simulation; later frames by their ticks. Left out: the clock's wall time. */
  readonly startMillis?: number | undefined;
  readonly clock: Pick<Clock, "wall">;
}

/** Writes the steps of a loop into a diary: the shown label of each decision, alarms, and where frames were lost. */
export function createDiaryFeed({ diary, rateHz, alarm, startMillis, clock }: DiaryFeedOptions): (step: LoopStep) => void {
  let lastTick = 0;
  let frames = 0; // since tick 0; ticks wrap
  const timeOf = (tick: number): number => {
    if (startMillis === undefined) return clock.wall();
    const step = (tick - lastTick) >>> 0;
    if (step < 0x80000000) {
      frames += step;
      lastTick = tick;
    }
    return startMillis + (frames * 1000) / rateHz;
  };
  return (step) => {
    switch (step.kind) {
      case "decision": {
        const { tick, shown, label, confidence } = step.record;
        const atMillis = timeOf(tick);
        // The model's probability is of its own label; another one is shown where the cloud corrected it, or before it is steady.
        if (shown !== undefined) diary.observe({ atMillis, label: shown, probability: label === shown ? confidence : 1 - confidence });
        return;
      }
      case "event":
        if (step.label === alarm) diary.alarm({ atMillis: timeOf(step.tick), label: step.label, probability: step.confidence });
        return;
      case "gap":
        if (step.isReset) diary.interrupt();
        return;
      default:
        return;
    }
  };
}
