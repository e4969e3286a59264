/** What stopping at an exit at the latest did on the tuning wearers, in one state, sure or unsure. */
export interface DepthRow {
  readonly unsure: number; // share of the decisions that no exit was sure of
  readonly wrong: number; // share of all decisions whose label was wrong
  readonly wrongUnsure: number; // of the unsure ones
  readonly macs: number; // mean, catch-up included
  /** Wrong share here less that at the deepest exit, on the same decisions: upper 95 % bound over wearers (`lowerMeanBound`), −1…1. */
  readonly mostLoss: number;
}

/** Unsure decisions that were put to the cloud. None: nobody has measured what asking gains. */
export interface AskGain {
  readonly decisions: number;
  readonly wrongBefore: number; // by the device's label
  readonly wrongAfter: number; // by that of the surer of the two
  /** (wrongBefore − wrongAfter) / decisions: lower 95 % bound over wearers (`lowerMeanBound`), −1…1. */
  readonly leastGain: number;
}

/** How decisions turn out, by whether the one before was in unsure: made on wearers who are not scored. One row an exit. */
export interface CostTable {
  readonly sure: readonly DepthRow[]; // the decision before was sure
  readonly unsure: readonly DepthRow[];
  /** What asking did for the unsure decisions of the tuning wearers. */
  readonly asked: AskGain;
}

/** What things cost, all in joules: an exchange rate, declared by the agent, makes joules of errors, of missing answers and of bytes. */
export interface Prices {
  readonly wrongJoules: number; // a wrong label for one hop
  readonly deferredJoules: number; // a hop without a guaranteed answer, where the gain of asking was never measured
  readonly latencyJoulesPerSecond: number; // of waiting for an answer
  readonly privacyJoulesPerByte: number; // of sensor data that leaves the device
}

/** An ask as it would be now, and at the next time when the radio is up anyway. */
export interface AskOffer {
  readonly isPossible: boolean; // link up, budget open, bytes left of the privacy budget
  readonly nowJoules: number;
  readonly laterJoules: number;
  readonly laterSeconds: number; // until then; Infinity = there is no such time
  readonly latencySeconds: number; // expected, from asking to the answer
  readonly deadlineSeconds: number;
  readonly bytes: number; // of sensor data
  readonly priceFactor: number; // at least 1: how scarce joules are
}

export type AskPlan = "now" | "later" | "never";

/** The best plan for the next decision. */
export interface Choice {
  readonly maxExit: number;
  readonly ask: AskPlan; // what to do if no exit is sure
  readonly expectedJoules: number;
}

export interface ChoiceInput {
  readonly table: CostTable;
  readonly prices: Prices;
  readonly isUnsure: boolean;
  /** Deepest exit that may run, and the first that may answer: fewer are not looked at. */
  readonly exits: { readonly first: number; readonly last: number };
  readonly joulesPerMac: number;
  readonly ask: AskOffer;
  /** Decisions that an answer settles: as long as the doubt lasts, at most the agent's hold time. */
  readonly settledDecisions: number;
}

/**
 * The plan with the least expected cost among {stop at exit k at the latest} × {ask now, ask later, defer}:
 * compute + wrong·P(wrong) + P(unsure)·min(ask, defer). A shallower exit than the deepest allowed one is considered only if it was measured
 * to be wrong less often, beyond the error of that measurement (`mostLoss` < 0). Who may answer is not up for choice: an exit answers from
 * its certified threshold on, and what no exit is sure of is never passed off as answered. Ties go to the shallower exit, then to asking less.
 */
export function choosePlan(input: ChoiceInput): Choice {
  const { table, prices, exits, joulesPerMac, ask } = input;
  const rows = input.isUnsure ? table.unsure : table.sure;
  let best: Choice | undefined;
  for (let maxExit = exits.first; maxExit <= exits.last; maxExit++) {
    const row = rows[maxExit]!;
    if (maxExit < exits.last && row.mostLoss >= 0) continue;
    const { plan, joules } = cheapestAsk(input);
    const compute = row.macs * joulesPerMac * ask.priceFactor;
    const expectedJoules = compute + prices.wrongJoules * row.wrong + row.unsure * Math.max(0, joules); // an answer makes good a doubt, no more
    if (best === undefined || expectedJoules < best.expectedJoules) best = { maxExit, ask: plan, expectedJoules };
  }
  return best!;
}

/**
 * What an unsure decision costs beyond its chance to be wrong: the least of asking now, asking later and going without. An answer is worth
 * the errors that it takes away, at the lower bound of what was measured: nothing or less, and nothing is asked.
 */
function cheapestAsk({ table, prices, ask, settledDecisions }: ChoiceInput): { plan: AskPlan; joules: number } {
  const without = prices.deferredJoules;
  if (!ask.isPossible || ask.latencySeconds > ask.deadlineSeconds) return { plan: "never", joules: without };
  const { decisions, leastGain } = table.asked;
  const gain = settledDecisions * (decisions === 0 ? prices.deferredJoules : prices.wrongJoules * leastGain);
  const send = ask.bytes * prices.privacyJoulesPerByte;
  const now = without - gain + ask.nowJoules * ask.priceFactor + send + ask.latencySeconds * prices.latencyJoulesPerSecond;
  const waited = ask.laterSeconds + ask.latencySeconds;
  const later =
    waited > ask.deadlineSeconds
      ? Number.POSITIVE_INFINITY
      : without - gain * laterShare(ask) + ask.laterJoules * ask.priceFactor + send + waited * prices.latencyJoulesPerSecond;
  if (without <= now && without <= later) return { plan: "never", joules: without };
  return now <= later ? { plan: "now", joules: now } : { plan: "later", joules: later };
}

/** A doubt may be over when its time comes: what is left of an answer's worth. */
function laterShare({ laterSeconds, deadlineSeconds }: AskOffer): number {
  return Math.max(0, 1 - laterSeconds / deadlineSeconds);
}
