import type { SignalChunk } from "./messages.ts";

/** The last samples of a few channels, evenly spaced: a fixed amount of memory. */
export class SignalRing {
  readonly #columns: readonly Float32Array[];
  readonly #rateHz: number;
  readonly #capacity: number;
  #pushed = 0;
  #seconds = 0; // of the newest sample

  constructor(channels: number, rateHz: number, capacity: number) {
    this.#columns = Array.from({ length: channels }, () => new Float32Array(capacity));
    this.#rateHz = rateHz;
    this.#capacity = capacity;
  }

  get length(): number {
    return Math.min(this.#pushed, this.#capacity);
  }

  /** Adds one sample per channel. */
  push(seconds: number, values: readonly number[]): void {
    const at = this.#pushed++ % this.#capacity;
    for (const [channel, column] of this.#columns.entries()) column[at] = values[channel] ?? 0;
    this.#seconds = seconds;
  }

  /** The time of the i-th sample held, 0 being the oldest. */
  secondsAt(i: number): number {
    return this.#seconds - (this.length - 1 - i) / this.#rateHz;
  }

  value(channel: number, i: number): number {
    return this.#columns[channel]![(Math.max(0, this.#pushed - this.#capacity) + i) % this.#capacity]!;
  }

  /** The last `samples` of each channel. */
  last(samples: number): SignalChunk {
    const first = Math.max(0, this.length - samples);
    const values = this.#columns.map((_, channel) =>
      Array.from({ length: this.length - first }, (_, i) => Number(this.value(channel, first + i).toPrecision(4))),
    );
    return { seconds: this.length === 0 ? 0 : Number(this.secondsAt(first).toFixed(3)), values };
  }

  /** Adds the samples of a chunk. */
  append({ seconds, values }: SignalChunk): void {
    const count = values[0]?.length ?? 0;
    for (let i = 0; i < count; i++)
      this.push(
        seconds + i / this.#rateHz,
        values.map((channel) => channel[i]!),
      );
  }

  clear(): void {
    this.#pushed = 0;
  }
}
