import { EXIT_NEVER } from "../../../assembly/layout.ts";

export interface DriftOptions {
  /** Mean disagreement of the cloud with each of the device's labels while all is well, 0…1: the largest of wearers that nobody learned from. */
  readonly usualDisagreement: readonly number[];
  /** Chance of a false alarm, ever, with a wearer with whom the cloud disagrees no more than usual. Default 0.05. */
  readonly falseAlarm?: number;
}

/** Thresholds of each step, Q15: as certified, then stricter, then nobody answers but the cloud. */
export const TIGHTENED_Q15 = [0, 32440, EXIT_NEVER] as const;

/** Watches the guarantee by the cloud's answers to decisions that were drawn without regard to what they were. */
export interface DriftMonitor {
  /** 0 = as certified; each alarm is one more, until nothing is answered locally. */
  readonly step: number;
  /** Least threshold that the step asks of every exit, Q15. */
  readonly thresholdQ15: number;
  readonly answers: number;
  readonly meanDisagreement: number;
  /** Answers about each label, and their mean disagreement. */
  byLabel(): readonly { readonly answers: number; readonly meanDisagreement: number }[];
  /** Number of the answer at which each alarm came. */
  readonly alarms: readonly number[];
  /** E-value against "every disagreement is as usual", since the last alarm. */
  readonly eValue: number;
  /** The cloud's disagreement with one decision, 0…1: 1 − its confidence in the device's label. */
  onAnswer(label: number, disagreement: number): void;
}

/** What disagreement may have grown to, as multiples of the usual: one e-process each; their mean is the e-value. */
const GROWTHS = [1.5, 2.5, 5] as const;
const MOST_USUAL = 0.45;

/**
 * An e-process against "for every label, the cloud's mean disagreement with it is at most as usual", updated per answer: each label's
 * e-values grow by 1 + λ(x − p₀), λ best against a disagreement of 0 or 1 with a mean of 1.5, 2.5 or 5 times the usual. Under the
 * hypothesis the mean of all e-values ever reaches 1/ε with probability ε at most, whenever one looks (Ville 1939; Waudby-Smith and Ramdas,
 * arXiv 2010.09686). A label of its own each, because a fault may spare what a wearer does most. The truth is proxied by the cloud: an
 * error that both make is seen only by the disagreement that it leaves. Step k's alarm is tested at falseAlarm/2^k, so that all together stay
 * below falseAlarm.
 */
export function createDriftMonitor({ usualDisagreement, falseAlarm = 0.05 }: DriftOptions): DriftMonitor {
  const usual = usualDisagreement.map(bounded);
  let step = 0;
  const fresh = () => usual.map(() => GROWTHS.map(() => 1)); // by label, by growth
  let eValues = fresh();
  let answers = 0;
  let disagreements = 0;
  const ofLabel = usual.map(() => ({ answers: 0, sum: 0 }));
  const alarms: number[] = [];
  const mean = (): number => eValues.flat().reduce((a, b) => a + b, 0) / Math.max(1, usual.length * GROWTHS.length);
  return {
    get step() {
      return step;
    },
    get thresholdQ15() {
      return TIGHTENED_Q15[step]!;
    },
    get answers() {
      return answers;
    },
    get meanDisagreement() {
      return answers === 0 ? 0 : disagreements / answers;
    },
    byLabel: () => ofLabel.map((own) => ({ answers: own.answers, meanDisagreement: own.sum / Math.max(1, own.answers) })),
    alarms,
    get eValue() {
      return mean();
    },
    onAnswer(label, disagreement) {
      const x = Math.max(0, Math.min(1, disagreement));
      const p = usual[label];
      if (p === undefined) return;
      answers++;
      disagreements += x;
      const own = ofLabel[label]!;
      own.answers++;
      own.sum += x;
      eValues[label] = eValues[label]!.map((before, i) => before * (1 + bestBet(p, GROWTHS[i]!) * (x - p)));
      if (step + 1 >= TIGHTENED_Q15.length || mean() < 2 ** (step + 1) / falseAlarm) return;
      step++;
      eValues = fresh();
      alarms.push(answers);
    },
  };
}

/**
 * Answers about one of `labels` labels within which the first alarm comes with probability `power`, if disagreements of usually `usual` have
 * grown `growth`-fold, each being 0 or 1: the least telling way to have that mean. Exact, by carrying the distribution of their number.
 * Infinity beyond `most`.
 */
export function answersToNotice(usual: number, growth: number, labels: number, falseAlarm = 0.05, power = 0.95, most = 3000): number {
  const p = bounded(usual);
  const noticed = Math.min(0.95, p * growth);
  const processes = GROWTHS.map((one) => bestBet(p, one)).map((bet) => ({ up: Math.log1p(bet * (1 - p)), down: Math.log1p(-bet * p) }));
  const bar = (2 / falseAlarm) * GROWTHS.length * labels; // as if the other labels' e-values were 0
  let alive = Float64Array.of(1); // by the number of ones: probability of that and of no alarm yet
  let alarmed = 0;
  for (let n = 1; n <= most; n++) {
    const next = new Float64Array(n + 1);
    for (let ones = 0; ones <= n; ones++) {
      const weight = (ones > 0 ? alive[ones - 1]! * noticed : 0) + (ones < n ? alive[ones]! * (1 - noticed) : 0);
      if (weight === 0) continue;
      const eValues = processes.reduce((sum, { up, down }) => sum + Math.exp(ones * up + (n - ones) * down), 0);
      if (eValues >= bar) alarmed += weight;
      else next[ones] = weight;
    }
    if (alarmed >= power) return n;
    alive = next;
  }
  return Number.POSITIVE_INFINITY;
}

function bounded(disagreement: number): number {
  return Math.max(0.005, Math.min(MOST_USUAL, disagreement));
}

/** Largest expected log growth against a disagreement of 0 or 1 with mean q = growth·p, at most 0.95: (q − p)/(p(1 − p)). */
function bestBet(p: number, growth: number): number {
  return (Math.min(0.95, growth * p) - p) / (p * (1 - p));
}
