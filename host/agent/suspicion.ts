import type { Decision } from "../core/session/session-types.ts";
import { type LabelChange, type LabelSource, ShownLabel } from "./shown-label.ts";
import { isSuspicious, type SuspicionRule, suspectProbability } from "./suspicion-rule.ts";

/** How a suspicion ends: an alarm stands for it, the cloud dismissed it, or no answer came and the device's own rule decided. */
export type SuspicionEnd = "told" | "dismissed" | "expired";

/** A change of the shown label, and what it rests on. */
export interface TrackedChange extends LabelChange {
  readonly confidence: number; // 0…1
}

/** What the caller has to do, in order. `number` counts suspicions from 1. */
export type SuspicionStep =
  | { readonly kind: "suspected"; readonly number: number; readonly tick: number; readonly probability: number }
  /** Ask now; end the suspicion without an answer if that is not possible. */
  | { readonly kind: "ask"; readonly number: number; readonly decision: SuspectDecision }
  /** `isOwn`: no answer came, and the device's own rule tells an alarm. */
  | { readonly kind: "ended"; readonly number: number; readonly tick: number; readonly end: SuspicionEnd; readonly isOwn: boolean }
  /** Publish; an alarm if its label is the rule's. */
  | { readonly kind: "change"; readonly change: TrackedChange };

/** The part of a decision that suspicions read. */
export type SuspectDecision = Pick<Decision, "label" | "exit" | "confidenceQ15" | "why" | "tick">;

interface Suspicion {
  readonly number: number;
  readonly at: number; // frames
  readonly decision: SuspectDecision;
  askedAt: number | undefined; // undefined: waiting
}

/** A change by the device's own rule; one to the rule's label is an alarm of its own, which a suspicion may hold back. */
interface OwnChange extends TrackedChange {
  readonly at: number; // frames
  isHeld: boolean;
}

/**
 * Suspicions of one label, on sensor time: each waits for the end of its context, is asked about, and is told, dismissed or expired.
 *
 * The device's own rule (`ShownLabel` over every decision, as if nothing were asked) goes on beside it. While a suspicion is open, an alarm
 * of that rule is held back, and so are its later changes.
 * - Confirmed: one alarm, at the suspicion's tick. It stands for all that is held, for other open suspicions and for the device's own alarms in the quiet time after it.
 * - Dismissed: own alarms are dropped that began in its interval or in its context, unless an older suspicion is still open.
 * - No answer (offline, refused, past the deadline, state reset): own alarms that were held, or dropped less than the quiet time before it, are told with the tick that they have by the own rule.
 *
 * Hence: every alarm is the cloud's or the device's own, and told once. With every ask lost, the changes are those of the device alone, one
 * by one with the same ticks, later by at most afterFrames + deadlineFrames. An own alarm is dropped only if every suspicion about it was answered.
 */
export class SuspicionTracker {
  readonly #rule: SuspicionRule;
  readonly #own: ShownLabel;
  #now = 0; // frames since the first tick
  #tick: number | undefined;
  #last: SuspectDecision | undefined;
  #count = 0;
  #open: Suspicion[] = []; // oldest first
  #queue: OwnChange[] = []; // from the first held one on
  #dropped: OwnChange[] = []; // alarms of the own rule, no older than the quiet time
  #label: number | undefined;
  #source: LabelSource = "local";
  #raisedAt = Number.NEGATIVE_INFINITY;
  #dismissedTo = Number.NEGATIVE_INFINITY; // the last dismissal covers own alarms up to here
  #toldAt = Number.NEGATIVE_INFINITY;
  #coveredTo: number | undefined; // a confirmed alarm is shown until then

  constructor(rule: SuspicionRule, stableDecisions: number, isSmoothed = false) {
    this.#rule = rule;
    this.#own = new ShownLabel({ stableDecisions, isSmoothed, holdFrames: 0 });
  }

  /** The label to show. Undefined until one was stable. */
  get label(): number | undefined {
    return this.#label;
  }

  get source(): LabelSource {
    return this.#source;
  }

  /** The number of the oldest open suspicion and whether it is asked about; undefined: none is open. */
  get open(): { readonly number: number; readonly isAsked: boolean } | undefined {
    const first = this.#open[0];
    return first && { number: first.number, isAsked: first.askedAt !== undefined };
  }

  /** Time has come to `tick`. Call for every frame: asks fall due, and deadlines pass. */
  advance(tick: number): SuspicionStep[] {
    const passed = this.#tick === undefined ? 0 : (tick - this.#tick) >>> 0;
    if (passed >= 0x80000000) return []; // backwards: the session ignores such a frame
    this.#tick = tick;
    this.#now += passed;
    const steps = this.#due();
    if (this.#coveredTo !== undefined && this.#now >= this.#coveredTo) this.#uncover(steps);
    return steps;
  }

  /** Takes a decision. `canAsk`: an ask could go now; otherwise nothing new is suspected, and the own rule decides at once. */
  decide(decision: SuspectDecision, canAsk: boolean): SuspicionStep[] {
    const steps = this.advance(decision.tick);
    this.#last = decision;
    const { label, why, tick, confidenceQ15 } = decision;
    const change = this.#own.decide({ label, isSure: why === "exit", isAsked: false, isOnline: false, tick });
    const isAlarm = change?.label === this.#rule.label;
    if (canAsk && this.#maySuspect && (isAlarm || isSuspicious(this.#rule, decision))) {
      this.#raisedAt = this.#now;
      const number = ++this.#count;
      this.#open.push({ number, at: this.#now, decision, askedAt: undefined });
      steps.push({ kind: "suspected", number, tick, probability: suspectProbability(this.#rule, decision) }, ...this.#due());
    }
    if (change === undefined || this.#coveredTo !== undefined) return steps;
    const own = { ...change, confidence: confidenceQ15 / 32768, at: this.#now, isHeld: isAlarm && this.#open.length > 0 };
    if (isAlarm && !own.isHeld && this.#now <= this.#dismissedTo) this.#dropped.push(own);
    else this.#queue.push(own);
    this.#flush(steps);
    return steps;
  }

  /** A suspicion's ask has ended: `answer` is the cloud's, undefined if none came. One that has ended already is left alone. */
  end(number: number, answer?: { readonly label: number; readonly confidence: number }): SuspicionStep[] {
    const suspicion = this.#open.find((one) => one.number === number);
    if (suspicion === undefined) return [];
    this.#open = this.#open.filter((one) => one !== suspicion);
    if (answer === undefined) return this.#expire(suspicion);
    return answer.label === this.#rule.label ? this.#confirm(suspicion, answer.confidence) : this.#dismiss(suspicion);
  }

  /** The model's state was reset: no context is left to ask with, and earlier decisions no longer count. */
  reset(): SuspicionStep[] {
    this.#own.reset();
    return this.#open.filter(({ askedAt }) => askedAt === undefined).flatMap(({ number }) => this.end(number));
  }

  /** No more frames will come: what is open ends without an answer. */
  finish(): SuspicionStep[] {
    return this.#open.flatMap(({ number }) => this.end(number));
  }

  get #maySuspect(): boolean {
    const { intervalFrames, quietFrames } = this.#rule;
    return this.#now - this.#raisedAt >= intervalFrames && this.#now - this.#toldAt >= quietFrames;
  }

  /** Asks that are due, and suspicions past their deadline. */
  #due(): SuspicionStep[] {
    const steps: SuspicionStep[] = [];
    for (const one of [...this.#open]) {
      if (one.askedAt !== undefined && this.#now - one.askedAt >= this.#rule.deadlineFrames) steps.push(...this.end(one.number));
      else if (one.askedAt === undefined && this.#now - one.at >= this.#rule.afterFrames) {
        one.askedAt = this.#now;
        steps.push({ kind: "ask", number: one.number, decision: one.decision });
      }
    }
    return steps;
  }

  #confirm(suspicion: Suspicion, confidence: number): SuspicionStep[] {
    const { at, decision } = suspicion;
    const steps: SuspicionStep[] = [ended(suspicion, "told")];
    if (this.#toldAt >= at || this.#label === this.#rule.label) {
      this.#settle(steps, () => true); // part of the alarm that was told meanwhile, or lasts
      return steps;
    }
    for (const other of this.#open) steps.push(ended(other, "told"));
    [this.#open, this.#queue, this.#dropped] = [[], [], []];
    this.#show({ label: this.#rule.label, tick: decision.tick, confidence, source: "cloud" }, steps);
    this.#coveredTo = this.#now + this.#rule.quietFrames;
    return steps;
  }

  #dismiss(suspicion: Suspicion): SuspicionStep[] {
    const { at } = suspicion;
    const { afterFrames, intervalFrames } = this.#rule;
    this.#dismissedTo = Math.max(this.#dismissedTo, at + Math.max(afterFrames, intervalFrames));
    const steps: SuspicionStep[] = [ended(suspicion, "dismissed")];
    const dropped = this.#settle(steps, (own) => own.at <= this.#dismissedTo);
    this.#dropped.push(...dropped);
    return steps;
  }

  /** Own alarms that no open suspicion precedes any more are dropped or shown. Returns those that are dropped. */
  #settle(steps: SuspicionStep[], isDropped: (own: OwnChange) => boolean): OwnChange[] {
    const settled = this.#queue.filter((own) => own.isHeld && !this.#open.some(({ at }) => at <= own.at));
    const dropped = settled.filter(isDropped);
    for (const own of settled) own.isHeld = false;
    this.#queue = this.#queue.filter((own) => !dropped.includes(own));
    this.#flush(steps);
    return dropped;
  }

  #expire(suspicion: Suspicion): SuspicionStep[] {
    const since = suspicion.at - this.#rule.quietFrames;
    const steps: SuspicionStep[] = [];
    for (const own of this.#dropped.filter((one) => one.at >= since)) {
      const before = this.#label;
      this.#show(own, steps);
      if (this.#own.label !== this.#rule.label && before !== undefined)
        this.#show({ label: before, tick: this.#tick!, confidence: own.confidence, source: "local" }, steps);
    }
    this.#dropped = [];
    for (const own of this.#queue) own.isHeld = false;
    this.#flush(steps);
    const isOwn = steps.some((step) => step.kind === "change" && step.change.label === this.#rule.label);
    return [ended(suspicion, "expired", isOwn), ...steps];
  }

  /** The quiet time after a confirmed alarm is over: the device's own label is shown again. */
  #uncover(steps: SuspicionStep[]): void {
    this.#coveredTo = undefined;
    const { label } = this.#own;
    if (label === undefined) return;
    this.#show(
      { label, tick: this.#tick!, confidence: this.#last!.label === label ? this.#last!.confidenceQ15 / 32768 : 0, source: "local" },
      steps,
    );
  }

  #flush(steps: SuspicionStep[]): void {
    this.#dropped = this.#dropped.filter(({ at }) => this.#now - at <= this.#rule.quietFrames);
    while (this.#queue[0]?.isHeld === false) this.#show(this.#queue.shift()!, steps);
  }

  #show({ label, tick, confidence, source }: Omit<TrackedChange, "before">, steps: SuspicionStep[]): void {
    this.#source = source;
    if (label === this.#label) return;
    steps.push({ kind: "change", change: { label, before: this.#label, source, tick, confidence } });
    this.#label = label;
    if (label === this.#rule.label) this.#toldAt = this.#now;
  }
}

function ended({ number, decision }: Suspicion, end: SuspicionEnd, isOwn = false): SuspicionStep {
  return { kind: "ended", number, tick: decision.tick, end, isOwn };
}
