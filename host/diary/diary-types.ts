/** A stretch of time with one label. Times are wall milliseconds. */
export interface Bout {
  readonly label: string;
  readonly fromMillis: number;
  readonly toMillis: number;
  /** Mean of the decisions' probabilities, 0…1. */
  readonly probability: number;
}

/** A label that its agent declares as alarm. */
export interface DiaryAlarm {
  readonly label: string;
  readonly atMillis: number;
  readonly probability: number; // 0…1
}

/** Bouts that gave way to younger ones: their sum stays, so totals stay exact. */
export interface FoldedBouts {
  readonly label: string;
  readonly bouts: number;
  readonly millis: number;
}

/** What an agent noted of one day, oldest first; bouts do not overlap. */
export interface DiaryDay {
  readonly agent: string;
  /** The label that the agent declares as alarm. Its bouts say nothing about what the wearer does. */
  readonly alarm?: string | undefined;
  readonly startMillis: number; // of the local day
  readonly bouts: readonly Bout[];
  readonly alarms: readonly DiaryAlarm[];
  readonly folded: readonly FoldedBouts[];
  readonly foldedAlarms: number;
}
