import type { PhoneSample } from "../../web/phone-messages.ts";
import type { CapturedSample } from "./capture-source.ts";
import { type MeasuredRate, RateMeter } from "./rate-meter.ts";

/** A phone's rate is judged anew after so long. */
const JUDGE_MILLIS = 2000;
/** A rate is another one from this share on. */
const CHANGE = 0.1;
/** Slower than this share of the agent's rate, a phone is refused: interpolation would invent what it did not measure. */
const LEAST_SHARE = 0.8;
/** A longer gap is not bridged: the recording is split there. */
const GAP_MILLIS = 250;

/**
 * Brings a phone's samples to the agent's beat by linear interpolation. A browser chooses its own rate, and may change it: each change is
 * told, and too slow a phone is refused until it is fast enough.
 */
export class PhoneResampler {
  readonly #rateHz: number;
  readonly #tell: (text: string) => void;
  readonly #meter = new RateMeter();
  #last: PhoneSample | undefined;
  #samples = 0;
  #judged = { atMillis: 0, samples: 0, hz: 0 }; // hz 0: not yet
  #startMillis: number | undefined;
  #next = 0; // count of the next sample on the beat
  #trouble = "";

  constructor(rateHz: number, tell: (text: string) => void) {
    this.#rateHz = rateHz;
    this.#tell = tell;
  }

  /** The phone's own rate. */
  rate(): MeasuredRate | undefined {
    return this.#meter.measured();
  }

  /** Why nothing is recorded; "": it is. */
  get trouble(): string {
    return this.#trouble;
  }

  /** Takes a sample; returns those on the beat that it completes. Late and repeated ones are left out. */
  push(sample: PhoneSample): CapturedSample[] {
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
    const isSlow = hz < LEAST_SHARE * this.#rateHz;
    this.#trouble = isSlow
      ? `The phone sends ${hz.toFixed(0)} samples per second${was}; the agent needs ${this.#rateHz}. Nothing is recorded meanwhile: end its low-power mode, or use another browser.`
      : "";
    this.#tell(this.#trouble || `The phone sends ${hz.toFixed(0)} samples per second${was}: resampled to ${this.#rateHz}.`);
  }
}
