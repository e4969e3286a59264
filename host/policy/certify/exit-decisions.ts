import { largest } from "./softmax.ts";

/** Decisions whose truth is known, with the logits of every exit. */
export interface LabelledLogits {
  readonly labels: Uint8Array; // (n,) class of each decision
  readonly logits: readonly Float32Array[]; // per exit (n, nClasses)
  readonly scores?: readonly Float32Array[]; // what the decisions before make of them, where they weigh
}

/** What an exit's logits are divided by, and the smoothed scores. */
export interface ExitTemperatures {
  readonly alone: number;
  readonly smoothed: number;
}

/** What each exit would have answered: whether it was right, and the value that its threshold is compared with. */
export interface GradedDecisions {
  readonly right: readonly Uint8Array[]; // per exit (n,), 1 = right
  readonly gateProbabilityQ15: readonly Float64Array[]; // per exit (n,), 0…32768
}

/** The same with how confident it was. */
export interface ExitDecisions extends GradedDecisions {
  readonly confidenceQ15: readonly Float64Array[]; // per exit (n,), 0…32768
}

/** Reads logits and scores as the core does, but without its rounding: the best label, and its probability at the exit's temperatures. */
export function exitDecisions(group: LabelledLogits, temperatures: readonly ExitTemperatures[]): ExitDecisions {
  const n = group.labels.length;
  const right: Uint8Array[] = [];
  const confidenceQ15: Float64Array[] = [];
  const gateProbabilityQ15: Float64Array[] = [];
  group.logits.forEach((all, k) => {
    const classes = all.length / n;
    right.push(new Uint8Array(n));
    confidenceQ15.push(new Float64Array(n));
    gateProbabilityQ15.push(new Float64Array(n));
    for (let i = 0; i < n; i++) {
      const row = (values: Float32Array): Float32Array => values.subarray(i * classes, (i + 1) * classes);
      const logits = row(all);
      const scores = group.scores && row(group.scores[k]!);
      const label = largest(scores ?? logits);
      right[k]![i] = label === group.labels[i] ? 1 : 0;
      const { confidence, gateProbability } = assurance(label, logits, scores, temperatures[k]!);
      confidenceQ15[k]![i] = 32768 * confidence;
      gateProbabilityQ15[k]![i] = 32768 * gateProbability;
    }
  });
  return { right, confidenceQ15, gateProbabilityQ15 };
}

/** Confidence and gate probability of a label, 0…1: the scores are there where decisions before weigh. Core: assembly/policy.ts. */
export function assurance(
  label: number,
  logits: ArrayLike<number>,
  scores: ArrayLike<number> | undefined,
  { alone, smoothed }: ExitTemperatures,
): { readonly confidence: number; readonly gateProbability: number } {
  const own = probabilityOf(label, logits, alone);
  const confidence = scores ? probabilityOf(label, scores, smoothed) : own;
  return { confidence, gateProbability: Math.min(own, confidence) };
}

function probabilityOf(label: number, values: ArrayLike<number>, temperature: number): number {
  let sum = 0;
  for (let c = 0; c < values.length; c++) sum += Math.exp((values[c]! - values[label]!) / temperature);
  return 1 / sum;
}
