import { largest } from "./softmax.ts";

/** Decisions whose truth is known, with the logits of every exit. */
export interface LabelledLogits {
  readonly labels: Uint8Array; // (n,) class of each decision
  readonly logits: readonly Float32Array[]; // per exit (n, nClasses)
}

/** What each exit would have said: whether it was right, and how sure it was. */
export interface ExitDecisions {
  readonly right: readonly Uint8Array[]; // per exit (n,), 1 = right
  readonly confidenceQ15: readonly Float64Array[]; // per exit (n,), 0…32768
}

/** Reads logits as the core does, but without its rounding: the largest logit's label, its softmax at the exit's temperature. */
export function exitDecisions(group: LabelledLogits, temperatures: readonly number[]): ExitDecisions {
  const n = group.labels.length;
  const right: Uint8Array[] = [];
  const confidenceQ15: Float64Array[] = [];
  group.logits.forEach((logits, k) => {
    const classes = logits.length / n;
    right.push(new Uint8Array(n));
    confidenceQ15.push(new Float64Array(n));
    for (let i = 0; i < n; i++) {
      const row = logits.subarray(i * classes, (i + 1) * classes);
      const best = largest(row);
      right[k]![i] = best === group.labels[i] ? 1 : 0;
      let sum = 0;
      for (const value of row) sum += Math.exp((value - row[best]!) / temperatures[k]!);
      confidenceQ15[k]![i] = 32768 / sum;
    }
  });
  return { right, confidenceQ15 };
}
