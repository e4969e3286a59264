import { EXIT_NEVER } from "../../../assembly/layout.ts";

export interface DriftOptions {
  /** Mean doubt of the cloud about each of the device's labels while all is well, 0…1: of the most doubtful of wearers that nobody learned from. */
  readonly usualDoubt: readonly number[];
  /** Chance of a false alarm, ever, with a wearer about whom the cloud doubts no more than usual. Default 0.05. */
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
  readonly meanDoubt: number;
  /** Answers about each label, and their mean doubt. */
  byLabel(): readonly { readonly answers: number; readonly meanDoubt: number }[];
  /** Number of the answer at which each alarm came. */
  readonly alarms: readonly number[];
  /** E-value against "every disagreement is as usual", since the last alarm. */
  readonly eValue: number;
  /** The cloud's doubt about one decision, 0…1: 1 − its confidence in the device's label. */
  onAnswer(label: number, doubt: number): void;
}

/** What doubts may have grown to, as multiples of the usual: a bet on each, and what is won is their mean. */
const GROWTHS = [1.5, 2.5, 5] as const;
const MOST_USUAL = 0.45;

/**
 * Bets against "for every label, the cloud's mean doubt about it is at most as usual", one answer at a time: on each label, the wealth of
 * each bet grows by 1 + λ(x − p₀), λ best against a doubt of all or nothing with a mean of 1.5, 2.5 or 5 times the usual. Under the
 * hypothesis the mean of all wealth ever reaches 1/ε with probability ε at most, whenever one looks (Ville 1939; Waudby-Smith and Ramdas,
 * arXiv 2010.09686). A label of its own each, because a fault may spare what a wearer does most. The truth is proxied by the cloud: an
 * error that both make is seen only by the doubt that it leaves. Step k's alarm is tested at falseAlarm/2^k, so that all together stay
 * below falseAlarm.
 */
export function createDriftMonitor({ usualDoubt, falseAlarm = 0.05 }: DriftOptions): DriftMonitor {
  const usual = usualDoubt.map(bounded);
  let step = 0;
  const fresh = () => usual.map(() => GROWTHS.map(() => 1)); // by label, by bet
  let wealth = fresh();
  let answers = 0;
  let doubts = 0;
  const ofLabel = usual.map(() => ({ answers: 0, sum: 0 }));
  const alarms: number[] = [];
  const mean = (): number => wealth.flat().reduce((a, b) => a + b, 0) / Math.max(1, usual.length * GROWTHS.length);
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
    get meanDoubt() {
      return answers === 0 ? 0 : doubts / answers;
    },
    byLabel: () => ofLabel.map((own) => ({ answers: own.answers, meanDoubt: own.sum / Math.max(1, own.answers) })),
    alarms,
    get eValue() {
      return mean();
    },
    onAnswer(label, doubt) {
      const x = Math.max(0, Math.min(1, doubt));
      const p = usual[label];
      if (p === undefined) return;
      answers++;
      doubts += x;
      const own = ofLabel[label]!;
      own.answers++;
      own.sum += x;
      wealth[label] = wealth[label]!.map((before, i) => before * (1 + bestBet(p, GROWTHS[i]!) * (x - p)));
      if (step + 1 >= TIGHTENED_Q15.length || mean() < 2 ** (step + 1) / falseAlarm) return;
      step++;
      wealth = fresh();
      alarms.push(answers);
    },
  };
}

/**
 * Answers about one of `labels` labels within which the first alarm comes with probability `power`, if doubts of usually `usual` have
 * grown `growth`-fold, each being 0 or 1: the least telling way to have that mean. Exact, by carrying the distribution of their number.
 * Infinity beyond `most`.
 */
export function answersToNotice(usual: number, growth: number, labels: number, falseAlarm = 0.05, power = 0.95, most = 3000): number {
  const p = bounded(usual);
  const noticed = Math.min(0.95, p * growth);
  const bets = GROWTHS.map((one) => bestBet(p, one)).map((bet) => ({ up: Math.log1p(bet * (1 - p)), down: Math.log1p(-bet * p) }));
  const bar = (2 / falseAlarm) * GROWTHS.length * labels; // as if the other labels' bets had lost everything
  let alive = Float64Array.of(1); // by the number of ones: probability of that and of no alarm yet
  let alarmed = 0;
  for (let n = 1; n <= most; n++) {
    const next = new Float64Array(n + 1);
    for (let ones = 0; ones <= n; ones++) {
      const weight = (ones > 0 ? alive[ones - 1]! * noticed : 0) + (ones < n ? alive[ones]! * (1 - noticed) : 0);
      if (weight === 0) continue;
      const wealth = bets.reduce((sum, { up, down }) => sum + Math.exp(ones * up + (n - ones) * down), 0);
      if (wealth >= bar) alarmed += weight;
      else next[ones] = weight;
    }
    if (alarmed >= power) return n;
    alive = next;
  }
  return Number.POSITIVE_INFINITY;
}

function bounded(doubt: number): number {
  return Math.max(0.005, Math.min(MOST_USUAL, doubt));
}

/** Largest expected log growth against a doubt of 0 or 1 with mean q = growth·p, at most 0.95: (q − p)/(p(1 − p)). */
function bestBet(p: number, growth: number): number {
  return (Math.min(0.95, growth * p) - p) / (p * (1 - p));
}
