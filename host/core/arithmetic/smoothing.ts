import type { Smoothing } from "../image/image-types.ts";

/**
 * Viterbi smoothing over labels. Path scores: the score that every label starts from at the next decision, (nClasses,) Q10, at most 0. Over a
 * session's tail, or on its own to replay decisions under another policy. Core: assembly/heads/smoothing.ts.
 */
export class LabelSmoother {
  readonly #smoothing: Smoothing | undefined;
  readonly #pathScores: Int32Array;
  #isSmoothed: boolean;

  constructor(
    { smoothing, nClasses }: { readonly nClasses: number; readonly smoothing?: Smoothing | undefined },
    pathScores: Int32Array = new Int32Array(nClasses),
    isSmoothed = false,
  ) {
    this.#smoothing = smoothing;
    this.#pathScores = pathScores;
    this.#isSmoothed = isSmoothed;
  }

  reset(): void {
    this.#pathScores.fill(0);
    this.#isSmoothed = false;
  }

  /** Whether a decision before weighs on the next. */
  get isSmoothed(): boolean {
    return this.#isSmoothed;
  }

  /** Scores (nClasses,) Q10 of a decision from `logits` (Q10): plus the path scores; the logits alone without smoothing. */
  scores(logits: Int16Array): Int32Array {
    const scores = Int32Array.from(logits);
    if (this.#smoothing) for (let j = 0; j < scores.length; j++) scores[j]! += this.#pathScores[j]!;
    return scores;
  }

  /** The decision was made from `logits`, `patches` patches after the last: a label's next score is the best that reaches it. */
  keep(logits: Int16Array, patches: number): void {
    if (!this.#smoothing) return;
    this.#isSmoothed = true;
    const { transitionCosts, shift } = this.#smoothing;
    const weight = Math.min(patches, 2 ** shift);
    const scores = this.#pathScores.map((score, j) => score + ((logits[j]! * weight + ((2 ** shift) >> 1)) >> shift));
    const best = Math.max(...scores);
    const n = scores.length;
    for (let j = 0; j < n; j++) {
      let top = Number.NEGATIVE_INFINITY;
      for (let i = 0; i < n; i++) top = Math.max(top, scores[i]! - transitionCosts[i * n + j]!);
      this.#pathScores[j] = top - best;
    }
  }
}
