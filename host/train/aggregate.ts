import { largest, softmax } from "../policy/certify/softmax.ts";

/** Ways to make one soft label of what the members of an ensemble say. */
export const aggregations = ["mean-probability", "mean-logit", "majority-vote", "confidence-weighted", "reliability-weighted"] as const;
export type Aggregation = (typeof aggregations)[number];

/** Share of right answers among those that said class c, per member and class (nMembers, nClasses): from wearers that no member was fitted on. */
export type Reliability = readonly Float64Array[];

/**
 * Soft labels (n, nClasses) from the members' logits, each (n, nClasses); rows sum to 1.
 *
 * mean-probability: the mean of the softmaxes (Hinton, Vinyals, Dean 2015, arXiv 1503.02531). mean-logit: the softmax of the mean
 * logits, a geometric mean. majority-vote: the share of members whose first largest logit it is. confidence-weighted: the mean of the
 * softmaxes weighted by each one's largest. reliability-weighted: member m's probability of class c counts by `reliability[m][c]`.
 */
export function aggregate(
  kind: Aggregation,
  logits: readonly Float32Array[],
  nClasses: number,
  reliability: Reliability | undefined,
): Float32Array {
  const out = new Float32Array(logits[0]!.length);
  const row = new Float64Array(nClasses);
  for (let at = 0; at < out.length; at += nClasses) {
    row.fill(0);
    logits.forEach((all, m) => {
      const own = all.subarray(at, at + nClasses);
      if (kind === "mean-logit") addTo(row, own, 1 / logits.length);
      else if (kind === "majority-vote") row[largest(own)]! += 1;
      else {
        const p = softmax(own);
        const weight = kind === "confidence-weighted" ? p[largest(p)]! : 1;
        const trust = kind === "reliability-weighted" ? reliability?.[m] : undefined;
        addTo(row, trust ? p.map((value, c) => value * trust[c]!) : p, weight);
      }
    });
    const label = kind === "mean-logit" ? softmax(row) : normalised(row);
    out.set(label, at);
  }
  return out;
}

/** Reliability of members from their logits (n, nClasses) on labelled rows: right and said c, over said c, each with one imagined right answer. */
export function computeReliability(logits: readonly Float32Array[], labels: ArrayLike<number>, nClasses: number): Reliability {
  return logits.map((all) => {
    const said = new Float64Array(nClasses).fill(1);
    const right = new Float64Array(nClasses).fill(1);
    for (let i = 0; i < labels.length; i++) {
      const c = largest(all.subarray(i * nClasses, (i + 1) * nClasses));
      said[c]! += 1;
      if (c === labels[i]) right[c]! += 1;
    }
    return right.map((value, c) => value / said[c]!);
  });
}

function addTo(sum: Float64Array, values: ArrayLike<number>, weight: number): void {
  for (let c = 0; c < sum.length; c++) sum[c]! += weight * values[c]!;
}

function normalised(values: Float64Array): Float64Array {
  const sum = values.reduce((a, b) => a + b, 0);
  return values.map((value) => value / sum);
}
