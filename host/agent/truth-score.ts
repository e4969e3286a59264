import { AlarmScorer, type AlarmTallies } from "./alarm-tally.ts";

/** How often labels were right, of the decisions whose truth is known; and how good the alarms were. */
export interface TruthCounts {
  readonly decisions: number; // all but the last, scored a hop later
  readonly localRight: number; // the net alone: its label, decision by decision
  readonly deviceRight: number; // the steady label as it would be without any answer of the cloud
  readonly shownRight: number; // the steady label, answers included
  /** Of an agent with an alarm, which is shown longer than its event lasts: its labels say little. */
  readonly alarms?: AlarmTallies;
}

/** The labels of one decision. */
export interface ScoredLabels {
  readonly local: string;
  readonly device: string | undefined;
  readonly shown: string | undefined;
}

/** Scores a run of a synthetic or labelled wearer against its truth. */
export class TruthScore {
  readonly #labels: readonly string[];
  readonly #counts = { decisions: 0, localRight: 0, deviceRight: 0, shownRight: 0 };
  /** Of an agent with an alarm. */
  readonly alarms: AlarmScorer | undefined;

  /** `labels`: the model's; a truth that is none of them is not scored. */
  constructor(labels: readonly string[], alarm: string | undefined, rateHz: number) {
    this.#labels = labels;
    this.alarms = alarm === undefined ? undefined : new AlarmScorer(alarm, rateHz);
  }

  judge(truth: string | undefined, { local, device, shown }: ScoredLabels): void {
    if (truth === undefined || !this.#labels.includes(truth)) return;
    this.#counts.decisions++;
    if (local === truth) this.#counts.localRight++;
    if (device === truth) this.#counts.deviceRight++;
    if (shown === truth) this.#counts.shownRight++;
  }

  counts(): TruthCounts {
    const alarms = this.alarms?.tallies();
    return { ...this.#counts, ...(alarms && { alarms }) };
  }
}
