import type { CapturedSample } from "./capture-source.ts";
import { type MeasuredRate, RateMeter } from "./rate-meter.ts";

/** A sample with its own time in ms: the time, then a value per channel. */
export type TimedSample = readonly [millis: number, ...values: number[]];

/** Who sends, for the sentences about its rate. */
export interface Sender {
  readonly name: string; // "phone"
  /** What helps if it is too slow. */
  readonly mend: string;
}

/** A rate is judged anew after so long. */
const JUDGE_MILLIS = 2000;
/** A rate is another one from this share on. */
const CHANGE = 0.1;
/** Slower than this share of the agent's rate, samples are refused: interpolation would invent what it did not measure. */
const LEAST_SHARE = 0.8;
/** A longer gap is not bridged: the recording is split there. */
const GAP_MILLIS = 250;

/**
 * Brings samples with times of their own to the agent's beat by linear interpolation. A phone's browser chooses its rate, and may change
 * it: each change is told, and too slow a sender is refused until it is fast enough.
 */
export class BeatResampler {
  readonly #rateHz: number;
  readonly #sender: Sender;
  readonly #tell: (text: string) => void;
  readonly #meter = new RateMeter();
  #last: TimedSample | undefined;
  #samples = 0;
  #judged = { atMillis: 0, samples: 0, hz: 0 }; // hz 0: not yet
  #startMillis: number | undefined;
  #next = 0; // count of the next sample on the beat
  #trouble = "";

  constructor(rateHz: number, sender: Sender, tell: (text: string) => void) {
    this.#rateHz = rateHz;
    this.#sender = sender;
    this.#tell = tell;
  }

  /** The sender's own rate. */
  rate(): MeasuredRate | undefined {
    return this.#meter.measured();
  }

  /** Why nothing is recorded; "": it is. */
  get trouble(): string {
    return this.#trouble;
  }

  /** Takes a sample; returns those on the beat that it completes. Late and repeated ones are left out. */
  push(sample: TimedSample): CapturedSample[] {
    const last = this.#last;
    const [millis] = sample;
    if (last !== undefined && millis <= last[0]) return [];
    this.#last = sample;
    this.#meter.add(this.#samples++, millis);
    const isGap = last !== undefined && millis - last[0] > GAP_MILLIS;
    if (last === undefined || isGap) this.#judged = { ...this.#judged, atMillis: millis, samples: this.#samples };
    else if (millis - this.#judged.atMillis >= JUDGE_MILLIS) this.#judge(millis);
    if (this.#judged.hz === 0 || last === undefined) return [];
    this.#startMillis ??= millis;
    const beat = (count: number): number => this.#startMillis! + (count * 1000) / this.#rateHz;
    if (isGap || this.#trouble !== "") {
      this.#next = Math.ceil(((millis - this.#startMillis) * this.#rateHz) / 1000);
      if (this.#trouble !== "") return [];
    }
    const done: CapturedSample[] = [];
    for (; beat(this.#next) <= millis; this.#next++) {
      const share = Math.max(0, (beat(this.#next) - last[0]) / (millis - last[0]));
      done.push({ count: this.#next, values: sample.slice(1).map((value, c) => last[c + 1]! + share * (value - last[c + 1]!)) });
    }
    return done;
  }

  #judge(millis: number): void {
    const { atMillis, samples, hz: before } = this.#judged;
    const hz = ((this.#samples - samples) * 1000) / (millis - atMillis);
    const isOther = before === 0 || Math.abs(hz / before - 1) > CHANGE;
    this.#judged = { atMillis: millis, samples: this.#samples, hz: isOther ? hz : before };
    if (!isOther) return;
    const was = before === 0 ? "" : `, ${before.toFixed(0)} before`;
    const { name, mend } = this.#sender;
    const sends = `The ${name} sends ${hz.toFixed(0)} samples per second${was}`;
    const isSlow = hz < LEAST_SHARE * this.#rateHz;
    this.#trouble = isSlow ? `${sends}; the agent needs ${this.#rateHz}. Nothing is recorded meanwhile: ${mend}.` : "";
    this.#tell(this.#trouble || `${sends}: resampled to ${this.#rateHz}.`);
  }
}
