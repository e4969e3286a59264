import type { Track } from "../image/image-types.ts";

/**
 * What is kept of the decisions before: the score that every label starts from at the next one, (nClasses,) Q10, at most 0. Over a
 * session's tail, or on its own to replay decisions under another policy. Core: assembly/track.ts.
 */
export class ScoreTrack {
  readonly #track: Track | undefined;
  readonly #kept: Int32Array;
  #isTracked: boolean;

  constructor(
    { track, nClasses }: { readonly nClasses: number; readonly track?: Track | undefined },
    kept: Int32Array = new Int32Array(nClasses),
    isTracked = false,
  ) {
    this.#track = track;
    this.#kept = kept;
    this.#isTracked = isTracked;
  }

  reset(): void {
    this.#kept.fill(0);
    this.#isTracked = false;
  }

  /** Whether a decision before weighs on the next. */
  get isTracked(): boolean {
    return this.#isTracked;
  }

  /** Scores (nClasses,) Q10 of a decision from `logits` (Q10): with what every label starts from; the logits where nothing is tracked. */
  scores(logits: Int16Array): Int32Array {
    const scores = Int32Array.from(logits);
    if (this.#track) for (let j = 0; j < scores.length; j++) scores[j]! += this.#kept[j]!;
    return scores;
  }

  /** The decision was made from `logits`, `patches` patches after the last: a label's next score is the best that reaches it. */
  keep(logits: Int16Array, patches: number): void {
    if (!this.#track) return;
    this.#isTracked = true;
    const { costs, shift } = this.#track;
    const weight = Math.min(patches, 2 ** shift);
    const scores = this.#kept.map((score, j) => score + ((logits[j]! * weight + ((2 ** shift) >> 1)) >> shift));
    const best = Math.max(...scores);
    const n = scores.length;
    for (let j = 0; j < n; j++) {
      let top = Number.NEGATIVE_INFINITY;
      for (let i = 0; i < n; i++) top = Math.max(top, scores[i]! - costs[i * n + j]!);
      this.#kept[j] = top - best;
    }
  }
}
