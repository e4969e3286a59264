import { loopModel } from "../agent/loop-inputs.ts";
import { type LabelChange, ShownLabel } from "../agent/shown-label.ts";
import type { Decision } from "../core/session/session-types.ts";
import type { Answer, AskQuery } from "../mqtt/wire/ask.ts";
import { isCloudSurer } from "../policy/govern/word.ts";
import type { ShelvedAgent } from "./agent-shelf.ts";

/** A change of the label that a device's decisions and the cloud's answers come to. */
export interface MirroredChange {
  readonly label: string;
  readonly before: string | undefined;
  readonly source: LabelChange["source"];
}

/** The steady label of a device that decides itself, by the same rule as of an agent that runs here. */
export class MirroredLabel {
  readonly #known: ShelvedAgent | undefined;
  readonly #shown: ShownLabel;
  #asked: number | undefined; // tick of the decision that was asked about

  constructor(known: ShelvedAgent | undefined) {
    this.#known = known;
    const { events, asks, sensor } = known?.agent.definition ?? {};
    this.#shown = new ShownLabel({
      stableDecisions: events?.stableDecisions ?? 1,
      isSmoothed: known === undefined ? false : (loopModel(known.model).isSmoothed ?? false),
      holdFrames: (asks?.holdSeconds ?? 0) * (sensor?.rateHz ?? 0),
    });
  }

  asked({ tick }: { readonly tick: number }): void {
    this.#asked = tick;
  }

  decide({ label, why, tick }: Decision): MirroredChange | undefined {
    return this.#named(this.#shown.decide({ label, isSure: why === "exit", isAsked: this.#asked === tick, isOnline: true, tick }));
  }

  /** The ask about the decision at `tick` has ended. */
  answered(tick: number, local: AskQuery["local"], answer: Answer | undefined): MirroredChange | undefined {
    if (answer === undefined) {
      this.#shown.noAnswer(tick);
      return undefined;
    }
    const isKept = !isCloudSurer(answer.confidence, local.confidenceQ15) && answer.label !== local.label;
    return this.#named(this.#shown.answer({ label: answer.label, localLabel: local.label, tick, isKept }).change);
  }

  #named(change: LabelChange | undefined): MirroredChange | undefined {
    if (change === undefined) return undefined;
    const { label, before, source } = change;
    return { label: this.#name(label), before: before === undefined ? undefined : this.#name(before), source };
  }

  #name(label: number): string {
    return this.#known?.model.image.manifest.labels[label] ?? `label ${label}`;
  }
}
