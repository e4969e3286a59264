import type { CalibratedExit } from "../policy/certify/calibrate-exits.ts";
import { type ExitTemperatures, exitDecisions, type GradedDecisions } from "../policy/certify/exit-decisions.ts";
import { type Reliability, reliability } from "../policy/certify/reliability.ts";
import type { Comparison } from "./comparison.ts";
import { computeAccuracy, type ScoredWindows } from "./net-evaluator.ts";
import type { OpenThresholds } from "./open-thresholds.ts";
import type { Phase } from "./training.ts";

/** metrics.json of one seed's run. */
export interface RunMetrics {
  readonly agent: string;
  readonly seed: number;
  readonly phase: Phase;
  readonly steps: number;
  readonly seconds: number; // of training, stops left out
  readonly parameters: number;
  readonly imageBytes: number;
  readonly labels: readonly string[];
  readonly wearers: { readonly train: readonly string[]; readonly heldOut: readonly string[] };
  readonly exits: readonly CalibratedExit[];
  /** Left out: a teacher, which answers everything. */
  readonly certification?: CertificationMetrics;
  readonly heldOut: HeldOutMetrics;
  /** Of an agent of one's own: beside simple methods, on the held-out wearers. */
  readonly comparison?: Comparison;
}

/** What the exits' thresholds were tested on. */
export interface CertificationMetrics {
  readonly wearers: number; // that calibrate
  readonly windows: number; // decisions from a reset state
  readonly hops: number; // decisions of whole recordings
  readonly leastAnswered: number; // of either kind, without an error: fewer certify nothing
  /** Nothing is certified, and thresholds were chosen by what they cost on the calibrate wearers. */
  readonly open?: OpenThresholds | undefined;
}

/** How right a net is on the held-out wearers, and what the figures of its report show. */
export interface HeldOutMetrics {
  readonly window: ProtocolMetrics;
  readonly stream: ProtocolMetrics;
  /** Window protocol: every exit alone, and the first exit that is sure enough, at thresholds from lax to strict. */
  readonly tradeOff: {
    readonly exits: readonly { readonly macs: number; readonly accuracy: number }[];
    readonly cascade: readonly { readonly threshold: number; readonly macs: number; readonly accuracy: number }[];
  };
}

/** One protocol's figures. Confusion, reliability and asking are of the last exit. */
export interface ProtocolMetrics {
  readonly windows: number;
  readonly accuracy: readonly number[]; // by exit
  readonly confusion: readonly (readonly number[])[]; // [true class][said class]
  readonly reliability: Reliability;
  readonly asking: readonly AskingPoint[];
}

/** What is left when the least sure share of the windows is asked about. */
export interface AskingPoint {
  readonly asked: number; // share
  readonly answeredAccuracy: number; // of those answered here
  readonly accuracyAtBest: number; // of all, if every ask were answered rightly
}

const askingPoints = 21; // 0, 5 % … 100 %
/** Certainties that an exit must reach, from lax to strict. */
const cascadeThresholds = [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 1.01];

/** `macs[k]`: of a window that stops at exit k. */
export function heldOutMetrics(
  window: ScoredWindows,
  stream: ScoredWindows,
  temperatures: readonly ExitTemperatures[],
  macs: readonly number[],
): HeldOutMetrics {
  const decisions = exitDecisions(window, temperatures);
  return {
    window: protocolMetrics(window, temperatures),
    stream: protocolMetrics(stream, temperatures),
    tradeOff: {
      exits: macs.map((cost, k) => ({ macs: cost, accuracy: computeAccuracy(window, k) })),
      cascade: cascadeThresholds.map((threshold) => ({ threshold, ...cascadeAt(decisions, macs, threshold) })),
    },
  };
}

function protocolMetrics(scored: ScoredWindows, temperatures: readonly ExitTemperatures[]): ProtocolMetrics {
  const { right, confidenceQ15 } = exitDecisions(scored, temperatures);
  const confidence = Array.from(confidenceQ15.at(-1)!, (q15) => q15 / 32768);
  const isRight = Array.from(right.at(-1)!, (one) => one === 1);
  return {
    windows: scored.labels.length,
    accuracy: scored.logits.map((_, k) => computeAccuracy(scored, k)),
    confusion: confusionOf(scored),
    reliability: reliability(confidence, isRight),
    asking: askingCurve(confidence, isRight),
  };
}

/** (nClasses, nClasses) counts at the last exit. */
function confusionOf({ labels, logits, scores }: ScoredWindows): number[][] {
  const last = (scores ?? logits).at(-1)!;
  const n = labels.length === 0 ? 0 : last.length / labels.length;
  const counts = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  labels.forEach((label, i) => {
    const row = last.subarray(i * n, (i + 1) * n);
    counts[label]![row.indexOf(Math.max(...row))]!++;
  });
  return counts;
}

/** The least sure are asked first. */
export function askingCurve(confidence: readonly number[], isRight: readonly boolean[]): AskingPoint[] {
  const n = confidence.length;
  const order = confidence.map((_, i) => i).sort((a, b) => confidence[a]! - confidence[b]! || a - b);
  return Array.from({ length: askingPoints }, (_, point) => {
    const asked = Math.round((point / (askingPoints - 1)) * n);
    const answered = order.slice(asked);
    const right = answered.filter((i) => isRight[i]).length;
    return {
      asked: point / (askingPoints - 1),
      answeredAccuracy: answered.length === 0 ? 1 : right / answered.length,
      accuracyAtBest: n === 0 ? 1 : (right + asked) / n,
    };
  });
}

/** Every window stops at the first exit at least so sure, or at the last one. */
function cascadeAt({ right, gateProbabilityQ15 }: GradedDecisions, macs: readonly number[], threshold: number) {
  const n = right[0]!.length;
  let hits = 0;
  let cost = 0;
  for (let i = 0; i < n; i++) {
    let exit = 0;
    while (exit < macs.length - 1 && gateProbabilityQ15[exit]![i]! < threshold * 32768) exit++;
    hits += right[exit]![i]!;
    cost += macs[exit]!;
  }
  return { macs: cost / Math.max(1, n), accuracy: hits / Math.max(1, n) };
}
