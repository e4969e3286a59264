import type { AskOutcome } from "../mqtt/wire/ask.ts";
import type { SuspicionCounts, SuspicionLoopStep } from "./loop-types.ts";
import type { LabelSource } from "./shown-label.ts";
import { type SuspectDecision, type SuspicionStep, SuspicionTracker, type TrackedChange } from "./suspicion.ts";
import type { SuspicionRule } from "./suspicion-rule.ts";

export interface SuspicionWatchOptions {
  readonly rule: SuspicionRule;
  readonly stableDecisions: number;
  readonly isSmoothed?: boolean | undefined; // of the image, as in ShownLabelOptions
  readonly label: string; // the rule's, by name
  /** Sends an ask about a suspicion, with the context up to now, and returns its id; undefined: none could be sent. */
  readonly ask: (decision: SuspectDecision) => string | undefined;
  readonly onChange: (change: TrackedChange) => void;
  readonly onStep: (step: SuspicionLoopStep) => void;
}

/** The suspicions of a running loop: asks when they are due, matches answers by the ids of asks, and tells of each state. */
export class SuspicionWatch {
  readonly #options: SuspicionWatchOptions;
  readonly #tracker: SuspicionTracker;
  readonly #byAsk = new Map<string, number>(); // pending asks: their suspicions' numbers
  readonly #probabilities = new Map<number, number>(); // of open suspicions
  readonly #counts = { raised: 0, told: 0, dismissed: 0, expired: 0 };

  constructor(options: SuspicionWatchOptions) {
    this.#options = options;
    this.#tracker = new SuspicionTracker(options.rule, options.stableDecisions, options.isSmoothed);
  }

  /** The label to show. Undefined until one was stable. */
  get label(): number | undefined {
    return this.#tracker.label;
  }

  get source(): LabelSource {
    return this.#tracker.source;
  }

  /** Where the oldest open suspicion stands; undefined: none is open. */
  get standing(): "waiting" | "asked" | undefined {
    const { open } = this.#tracker;
    return open && (open.isAsked ? "asked" : "waiting");
  }

  counts(): SuspicionCounts {
    return { ...this.#counts };
  }

  /** Time has come to `tick`: call after each frame that the model got. */
  advance(tick: number): void {
    this.take(this.#tracker.advance(tick));
  }

  /** Takes a decision; the label is up to date at once. Give the steps to `take` once the decision was told. */
  decide(decision: SuspectDecision, canAsk: boolean): readonly SuspicionStep[] {
    return this.#tracker.decide(decision, canAsk);
  }

  /** The model's state was reset. */
  reset(): void {
    this.take(this.#tracker.reset());
  }

  /** Ends what is open without an answer: no more frames and no more answers will come. */
  finish(): void {
    this.take(this.#tracker.finish());
  }

  /** An ask has ended. Returns whether it was about a suspicion. */
  onOutcome(outcome: AskOutcome): boolean {
    const number = this.#byAsk.get(outcome.id);
    if (number === undefined) return false;
    this.#byAsk.delete(outcome.id);
    for (const step of this.#tracker.end(number, outcome.answer))
      this.#take(step, "number" in step && step.number === number ? outcome : undefined);
    return true;
  }

  take(steps: readonly SuspicionStep[]): void {
    for (const step of steps) this.#take(step);
  }

  #take(step: SuspicionStep, outcome?: AskOutcome): void {
    if (step.kind === "change") this.#options.onChange(step.change);
    else if (step.kind === "ask") this.#ask(step.number, step.decision);
    else if (step.kind === "suspected") {
      this.#counts.raised++;
      this.#probabilities.set(step.number, step.probability);
      this.#tell(step.number, step.tick, "waiting");
    } else {
      this.#counts[step.end]++;
      this.#tell(step.number, step.tick, step.end, { isOwn: step.isOwn, outcome });
      this.#probabilities.delete(step.number);
    }
  }

  #ask(number: number, decision: SuspectDecision): void {
    const id = this.#options.ask(decision);
    if (id === undefined) {
      this.take(this.#tracker.end(number));
      return;
    }
    this.#byAsk.set(id, number);
    this.#tell(number, decision.tick, "asked", { id });
  }

  #tell(
    number: number,
    tick: number,
    state: SuspicionLoopStep["state"],
    more: Partial<Pick<SuspicionLoopStep, "id" | "isOwn" | "outcome">> = {},
  ): void {
    const { label, onStep } = this.#options;
    onStep({ kind: "suspicion", number, state, label, tick, probability: this.#probabilities.get(number)!, ...more });
  }
}
