import type { Decision } from "../core/session/session-types.ts";
import { ShownLabel, type ShownLabelOptions } from "./shown-label.ts";
import type { SuspicionRule } from "./suspicion-rule.ts";
import { SuspicionWatch } from "./suspicion-watch.ts";

/** The steady label as it would be if no ask were ever answered: the other side of "with the cloud / without". */
export class AloneLabel {
  readonly #shown: ShownLabel;
  readonly #suspicions: SuspicionWatch | undefined;

  constructor(options: ShownLabelOptions, rule: SuspicionRule | undefined) {
    const { stableDecisions } = options;
    this.#shown = new ShownLabel(options);
    this.#suspicions =
      rule && new SuspicionWatch({ rule, stableDecisions, label: "", ask: () => undefined, onChange: () => {}, onStep: () => {} });
  }

  get label(): number | undefined {
    return (this.#suspicions ?? this.#shown).label;
  }

  /** Time has come to `tick`: call after each frame that the model got. */
  advance(tick: number): void {
    this.#suspicions?.advance(tick);
  }

  decide(decision: Decision): void {
    const { label, tick, why } = decision;
    if (this.#suspicions === undefined) this.#shown.decide({ label, isSure: why === "exit", isAsked: false, isOnline: false, tick });
    else this.#suspicions.take(this.#suspicions.decide(decision, false));
  }

  reset(): void {
    this.#shown.reset();
    this.#suspicions?.reset();
  }
}
