import { countText } from "../core/system/table.ts";

/** An alarm belongs to an event if it is about a time from so long before the event's label begins to so long after it ends. */
const SLACK_SECONDS = { before: 4, after: 8 };
/** An alarm is told at most so long after the time that it is about: older events are counted and forgotten. */
const KEPT_SECONDS = 600;

/** How good alarms were. */
export interface AlarmTally {
  readonly events: number; // stretches whose truth is the alarm's label
  readonly found: number; // with an alarm
  readonly alarms: number; // raised
  readonly falseAlarms: number; // that belong to no event
}

/** Alarms as they were told, and as the device would have told them without any answer of the cloud. */
export interface AlarmTallies {
  readonly label: string; // the alarm's
  readonly shown: AlarmTally;
  readonly device: AlarmTally;
}

/** Who tells an alarm. */
type AlarmSide = "shown" | "device";

const SIDES = ["shown", "device"] as const;

/** The critical success index of alarms: found of all that were found, missed or false; 1 where there was nothing to tell. */
export function criticalSuccessIndex({ events, found, falseAlarms }: AlarmTally): number {
  return events + falseAlarms === 0 ? 1 : found / (events + falseAlarms);
}

/** A tally in plain words: 3 of 3 falls told, 0 false alarms. */
export function tallyText({ events, found, falseAlarms }: AlarmTally, label: string): string {
  const told = events === 0 ? `no ${label} yet` : `${found} of ${countText(events, label)} told`;
  return `${told}, ${countText(falseAlarms, "false alarm")}`;
}

interface AlarmEvent {
  readonly from: number; // frames
  to: number;
  readonly isFound: Record<AlarmSide, boolean>;
}

/**
 * Counts alarms against the truth of a run, for both sides at once and in bounded memory. An alarm counts at the tick that it is about.
 * While the run lasts, an event counts as soon as the shown alarm is told, else once it is over, and a false alarm once no event can come
 * that it belongs to.
 */
export class AlarmScorer {
  readonly #label: string;
  readonly #slack: { readonly before: number; readonly after: number }; // frames
  readonly #keptFrames: number;
  readonly #past = { events: 0, shown: 0, device: 0 }; // events that were forgotten
  readonly #raised = { shown: 0, device: 0 };
  readonly #false = { shown: 0, device: 0 };
  #events: AlarmEvent[] = [];
  #open: { readonly side: AlarmSide; readonly at: number }[] = []; // belong to no event so far
  #now = 0; // frames since the first tick
  #tick: number | undefined;
  #isRunning = false;
  #isKnown = false;
  #isFinished = false;

  constructor(label: string, rateHz: number) {
    this.#label = label;
    this.#slack = { before: SLACK_SECONDS.before * rateHz, after: SLACK_SECONDS.after * rateHz };
    this.#keptFrames = KEPT_SECONDS * rateHz;
  }

  /** What the wearer really does at a tick; undefined where it is not known. */
  see(tick: number, truth: string | undefined): void {
    this.#now = this.#at(tick);
    this.#tick = tick;
    if (truth !== undefined) this.#isKnown = true;
    const isEvent = truth === this.#label;
    if (isEvent && this.#isRunning) this.#events.at(-1)!.to = this.#now;
    else if (isEvent) this.#events.push({ from: this.#now, to: this.#now, isFound: { shown: false, device: false } });
    this.#isRunning = isEvent;
    this.#settle();
  }

  /** An alarm about `tick` was told. */
  hear(side: AlarmSide, tick: number): void {
    this.#raised[side]++;
    this.#open.push({ side, at: this.#at(tick) });
    this.#settle();
  }

  /** The run is over: what is open counts. */
  finish(): void {
    this.#isFinished = true;
    this.#settle();
  }

  /** The counts so far; undefined where the truth was never known. */
  tallies(): AlarmTallies | undefined {
    if (!this.#isKnown) return undefined;
    const counted = this.#events.filter(({ to, isFound }) => this.#isFinished || isFound.shown || this.#now > to + this.#slack.after);
    const [shown, device] = SIDES.map(
      (side): AlarmTally => ({
        events: this.#past.events + counted.length,
        found: this.#past[side] + counted.filter(({ isFound }) => isFound[side]).length,
        alarms: this.#raised[side],
        falseAlarms: this.#false[side],
      }),
    );
    return { label: this.#label, shown: shown!, device: device! };
  }

  /** Frames since the first tick; ticks wrap at 2^32. */
  #at(tick: number): number {
    return this.#now + (this.#tick === undefined ? 0 : (tick - this.#tick) | 0);
  }

  #settle(): void {
    const { before, after } = this.#slack;
    this.#open = this.#open.filter(({ side, at }) => {
      const own = this.#events.filter(({ from, to }) => at >= from - before && at <= to + after);
      for (const { isFound } of own) isFound[side] = true;
      const isFalse = own.length === 0 && (this.#isFinished || this.#now > at + before);
      if (isFalse) this.#false[side]++;
      return own.length === 0 && !isFalse;
    });
    while (this.#events[0] !== undefined && this.#now > this.#events[0].to + this.#keptFrames) {
      const { isFound } = this.#events.shift()!;
      this.#past.events++;
      for (const side of SIDES) if (isFound[side]) this.#past[side]++;
    }
  }
}
