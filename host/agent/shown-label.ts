/** Whose word the shown label is. */
export type LabelSource = "local" | "cloud";

/** A change of the shown label. */
export interface LabelChange {
  readonly label: number;
  readonly before: number | undefined;
  readonly source: LabelSource;
  readonly tick: number;
}

/** What became of an answer: it set the label, agreed with it, left the word to the device, which was surer, or came too late to matter. */
export type AnswerUse = "applied" | "confirmed" | "kept" | "superseded";

export interface ShownLabelOptions {
  /** Sure decisions in a row that must agree before the label changes. */
  readonly stableDecisions: number;
  /** The image smooths its labels, so an unsure decision counts like a sure one. Otherwise unsure ones must be one more. Default false. */
  readonly isSmoothed?: boolean;
  /** Frames that the cloud's word holds while the model keeps saying the same unsure thing. */
  readonly holdFrames: number;
}

interface UnsureRun {
  readonly label: number;
  readonly since: number;
  isAsked: boolean; // an ask about it has not ended
  isAwaiting: boolean; // and the answer can come now: the local guess does not count meanwhile
  isInVain: boolean; // an ask about it brought nothing of use: none is waited for again
}

/**
 * Turns decisions and answers into one steady label.
 * A sure decision counts towards a change. An unsure one counts only when no answer is on its way, or one to the same doubt came
 * too late or not at all; without smoothing in the image, one more of them is needed. The cloud's answer changes the label at once, and holds for as long as the model goes on saying the same
 * unsure thing.
 */
export class ShownLabel {
  readonly #options: ShownLabelOptions;
  #label: number | undefined;
  #source: LabelSource = "local";
  #candidate: { label: number; count: number } | undefined;
  #run: UnsureRun | undefined;
  #correction: { from: number; to: number; source: LabelSource; since: number } | undefined;
  #tick = 0;

  constructor(options: ShownLabelOptions) {
    this.#options = options;
  }

  /** The label to show. Undefined until one was stable. */
  get label(): number | undefined {
    return this.#label;
  }

  get source(): LabelSource {
    return this.#source;
  }

  /** Whose word is in force by what came of an answer; undefined: nobody's. */
  get held(): LabelSource | undefined {
    return this.#correction?.source;
  }

  /** Asking again would only repeat the question: it is answered, or on its way. */
  get isAsked(): boolean {
    return this.held !== undefined || (this.#run?.isAsked ?? false);
  }

  /** Takes a decision. `isAsked`: the cloud was asked about it; `isOnline`: and can answer now. */
  decide(decision: { label: number; isSure: boolean; isAsked: boolean; isOnline: boolean; tick: number }): LabelChange | undefined {
    const { label, isSure, tick } = decision;
    this.#tick = tick;
    if (isSure) {
      this.#run = undefined;
      this.#correction = undefined;
      return this.#count(label, "local", this.#options.stableDecisions);
    }
    if (this.#run?.label !== label) this.#run = { label, since: tick, isAsked: false, isAwaiting: false, isInVain: false };
    if (decision.isAsked) this.#run.isAsked = true;
    if (decision.isAsked && decision.isOnline && !this.#run.isInVain) this.#run.isAwaiting = true;
    const correction = this.#correction;
    if (correction !== undefined && (correction.from !== label || age(tick, correction.since) > this.#options.holdFrames)) {
      this.#correction = undefined;
    }
    if (this.#correction !== undefined) return this.#count(this.#correction.to, this.#correction.source, 1);
    if (this.#run.isAwaiting) return undefined;
    const { stableDecisions, isSmoothed = false } = this.#options;
    return this.#count(label, "local", isSmoothed ? stableDecisions : stableDecisions + 1);
  }

  /**
   * Takes the cloud's answer to the decision at `tick`, which said `localLabel`. With `isKept` the device was surer than the cloud: its own
   * label counts from now on as an answer would.
   */
  answer(answer: { label: number; localLabel: number; tick: number; isKept?: boolean }): {
    use: AnswerUse;
    change: LabelChange | undefined;
  } {
    const { localLabel, isKept = false } = answer;
    const label = isKept ? localLabel : answer.label;
    const run = this.#run;
    const isCurrent = run !== undefined && run.label === localLabel && age(answer.tick, run.since) < 0x80000000;
    const isLate = age(this.#tick, answer.tick) > this.#options.holdFrames;
    if (isCurrent) this.#endAsk(run, isLate);
    if (!isCurrent || isLate) return { use: "superseded", change: undefined };
    const source = isKept ? "local" : "cloud";
    this.#correction = { from: localLabel, to: label, source, since: answer.tick };
    const change = this.#count(label, source, 1);
    return { use: isKept ? "kept" : label === localLabel ? "confirmed" : "applied", change };
  }

  /** The ask about the decision at `tick` ended without an answer: the local guess counts again, and it may ask again. */
  noAnswer(tick: number): void {
    const run = this.#run;
    if (run !== undefined && age(tick, run.since) < 0x80000000) this.#endAsk(run, true);
  }

  /** The link is down: the local guess counts again, while the ask waits. */
  stopWaiting(): void {
    if (this.#run !== undefined) this.#run.isAwaiting = false;
  }

  /** The model's state was reset: earlier decisions no longer count. */
  reset(): void {
    this.#run = undefined;
    this.#correction = undefined;
    this.#candidate = undefined;
  }

  #endAsk(run: UnsureRun, isInVain: boolean): void {
    run.isAsked = false;
    run.isAwaiting = false;
    run.isInVain = isInVain;
  }

  #count(label: number, source: LabelSource, needed: number): LabelChange | undefined {
    if (label === this.#label) {
      this.#candidate = undefined;
      this.#source = source;
      return undefined;
    }
    const count = this.#candidate?.label === label ? this.#candidate.count + 1 : 1;
    if (count < needed) {
      this.#candidate = { label, count };
      return undefined;
    }
    const before = this.#label;
    this.#candidate = undefined;
    this.#label = label;
    this.#source = source;
    return { label, before, source, tick: this.#tick };
  }
}

/** Frames from `earlier` to `later`, modulo 2^32; ≥ 2^31 when it is the other way round. */
function age(later: number, earlier: number): number {
  return (later - earlier) >>> 0;
}
