import { FIXED_LOGIT_BITS } from "../../../assembly/layout.ts";
import { LabelSmoother } from "../../core/arithmetic/smoothing.ts";
import type { Exit, ModelImage, Smoothing } from "../../core/image/image-types.ts";
import { assurance, type ExitTemperatures, type LabelledLogits } from "./exit-decisions.ts";
import { largest } from "./softmax.ts";
import { computeTemperature } from "./temperature.ts";

/** One hop of a recording as every exit saw it at full depth. */
export interface HopLogits {
  readonly truth: number; // class, −1 = not labelled: it is decided, and not scored
  readonly logits: readonly Int16Array[]; // per exit (nClasses,), Q10
}

/** What of a model its decisions follow from, once the logits are known. */
export interface DecisionRule {
  readonly nClasses: number;
  readonly hopPatches: number;
  readonly temperatures: readonly ExitTemperatures[]; // one an exit
  readonly smoothing?: Smoothing | undefined;
}

export function decisionRule({ nClasses, hopPatches, exits, smoothing }: ModelImage): DecisionRule {
  return { nClasses, hopPatches, temperatures: exits.map(exitTemperatures), smoothing };
}

/** The temperatures that an image's exit was calibrated with; the same twice without smoothing. */
function exitTemperatures({ temperature, smoothedTemperature }: Exit): ExitTemperatures {
  return { alone: computeTemperature(temperature), smoothed: computeTemperature(smoothedTemperature ?? temperature) };
}

/** A decision as the core would have made it. */
export interface Replayed {
  readonly exit: number;
  readonly label: number;
  readonly confidenceQ15: number;
  readonly isSure: boolean; // false: no exit up to the deepest was
}

/** A logit of 1 as the core writes it. */
export const LOGIT_ONE = 2 ** FIXED_LOGIT_BITS;

/**
 * Makes the decisions of logits that were computed once, under any thresholds: the first exit that is sure enough, or the deepest, and a
 * smoother of what was decided. As the core does, but without the rounding of its softmax; and logits after a rebuild are not known here.
 */
export class Replay {
  readonly #rule: DecisionRule;
  readonly #smoother: LabelSmoother;

  constructor(rule: DecisionRule) {
    this.#rule = rule;
    this.#smoother = new LabelSmoother(rule);
  }

  /** A recording begins. */
  reset(): void {
    this.#smoother.reset();
  }

  decide(logits: HopLogits["logits"], thresholdsQ15: readonly number[], maxExit = logits.length - 1): Replayed {
    const { temperatures, hopPatches } = this.#rule;
    for (let exit = 0; ; exit++) {
      const own = logits[exit]!;
      const scores = this.#smoother.scores(own);
      const label = largest(scores);
      const { alone, smoothed } = temperatures[exit]!;
      const fixed = { alone: alone * LOGIT_ONE, smoothed: smoothed * LOGIT_ONE };
      const { confidence, gateProbability } = assurance(label, own, this.#smoother.isSmoothed ? scores : undefined, fixed);
      const isSure = 32768 * gateProbability >= thresholdsQ15[exit]!;
      if (!isSure && exit < maxExit) continue;
      this.#smoother.keep(own, hopPatches);
      return { exit, label, confidenceQ15: 32768 * confidence, isSure };
    }
  }
}

/** What each exit would decide by itself, recording after recording: labelled decisions alone. */
export function labelledScores(recordings: readonly (readonly HopLogits[])[], rule: Omit<DecisionRule, "temperatures">): LabelledLogits {
  const truths = recordings.flat().flatMap(({ truth }) => (truth < 0 ? [] : [truth]));
  const nExits = recordings.flat()[0]?.logits.length ?? 0;
  const empty = (): Float32Array[] => Array.from({ length: nExits }, () => new Float32Array(truths.length * rule.nClasses));
  const [logits, scores] = [empty(), empty()];
  for (let exit = 0; exit < nExits; exit++) {
    const smoothing = new LabelSmoother(rule);
    let at = 0;
    for (const recording of recordings) {
      smoothing.reset();
      for (const hop of recording) {
        const own = hop.logits[exit]!;
        if (hop.truth >= 0) {
          logits[exit]!.set(Float32Array.from(own, toReal), at);
          scores[exit]!.set(Float32Array.from(smoothing.scores(own), toReal), at);
          at += rule.nClasses;
        }
        smoothing.keep(own, rule.hopPatches);
      }
    }
  }
  return { labels: Uint8Array.from(truths), logits, ...(rule.smoothing && { scores }) };
}

function toReal(score: number): number {
  return score / LOGIT_ONE;
}
