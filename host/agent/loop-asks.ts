import type { PushResult } from "../core/session/session-types.ts";
import type { Asker } from "../mqtt/asks/asker-types.ts";
import { type AskInputs, createAskInputs } from "../policy/govern/ask-inputs.ts";
import { type AskPurpose, type AskState, mayAsk } from "../policy/govern/may-ask.ts";
import type { LoopOptions } from "./loop-types.ts";
import type { SuspectDecision } from "./suspicion.ts";

/** Ids that are remembered: as many as the asker's ledger keeps. */
const ISSUED_IDS = 65_536;

/** The asks of a running loop: whether one may go, what it carries, and which ids are this run's own. */
export class LoopAsks {
  readonly #options: LoopOptions;
  readonly #asker: () => Asker | undefined;
  readonly #inputs: AskInputs;
  readonly #issued = new Set<string>(); // the last asks of this run; an outbox may bring back older ones, which decide nothing

  constructor(options: LoopOptions, asker: () => Asker | undefined) {
    this.#options = options;
    this.#asker = asker;
    this.#inputs = createAskInputs(options.session, options.model, options.asks, options.governor?.privacy);
  }

  /** Keeps of a frame what an ask may carry. */
  gather(frame: Int16Array, result: PushResult): void {
    this.#inputs.gather(frame, result);
  }

  /** Whether an ask may go at the time of `tick`. */
  mayAsk(purpose: AskPurpose, tick: number, state: Omit<AskState, "leastBytes" | "allowedBytes">): boolean {
    const { privacy, leastBytes } = this.#inputs;
    return mayAsk(purpose, { ...state, leastBytes, allowedBytes: privacy.allowedBytes(this.#seconds(tick)) });
  }

  /** Sends an ask about a decision, with the data that may leave the device. Returns its id; undefined without data or without an asker. */
  send(decision: SuspectDecision, deadlineSeconds: number): string | undefined {
    const { agent, model, governor } = this.#options;
    const { label, confidenceQ15, exit, tick } = decision;
    const content = this.#inputs.take(this.#seconds(tick), governor?.askPatches());
    if (content === undefined) return undefined;
    const id = this.#asker()?.ask({
      agent,
      imageHash: model.imageHash,
      labels: model.labels,
      tick,
      ...content,
      local: { label, confidenceQ15, exit },
      deadlineMillis: Math.round(deadlineSeconds * 1000),
    });
    if (id === undefined) return undefined;
    this.#issued.add(id);
    if (this.#issued.size > ISSUED_IDS) this.#issued.delete(this.#issued.values().next().value!);
    governor?.onAsk(content.patches.length);
    return id;
  }

  /** An ask that was turned away has ended already. */
  isPending(id: string): boolean {
    return this.#asker()?.ledger().get(id) === "pending";
  }

  isOwn(id: string): boolean {
    return this.#issued.has(id);
  }

  /** Asks of this run that the asker's ledger does not know. */
  lost(): number {
    const ledger = this.#asker()?.ledger();
    return [...this.#issued].filter((id) => !ledger?.has(id)).length;
  }

  /** Device time: the governor's, which counts rests, or else the frames'. */
  #seconds(tick: number): number {
    return this.#options.governor?.seconds ?? tick / this.#options.rateHz;
  }
}
