import type { CapturedSample } from "./capture-source.ts";

/** Samples that may wait to be written: a minute at 50 Hz. */
const MOST_WAITING = 3000;

/** Samples between a sender that pushes and a capture that pulls, until the signal aborts. Bounded: the oldest go, and the counts show the gap. */
export class SampleQueue implements AsyncIterable<CapturedSample> {
  readonly #signal: AbortSignal;
  readonly #waiting: CapturedSample[] = [];
  #wake = (): void => {};

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake(), { once: true });
  }

  push(samples: readonly CapturedSample[]): void {
    this.#waiting.push(...samples);
    this.#waiting.splice(0, Math.max(0, this.#waiting.length - MOST_WAITING));
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<CapturedSample> {
    while (!this.#signal.aborted) {
      const next = this.#waiting.shift();
      if (next !== undefined) yield next;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
