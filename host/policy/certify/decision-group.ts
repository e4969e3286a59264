import { EXIT_NEVER } from "../../../assembly/layout.ts";
import type { GradedDecisions } from "./exit-decisions.ts";
import { type DecisionRule, type HopLogits, Replay } from "./replay.ts";

/** Decisions that one exit answers. */
export interface Tally {
  readonly answered: number;
  readonly wrong: number;
}

/** Decisions that a threshold is tested on. */
export interface DecisionGroup {
  readonly nExits: number;
  readonly size: number; // decisions whose truth is known
  /** What exits first … last (one tally each exit, from 0) answer from a gate probability of `thresholdQ15` on, no exit going deeper than `last`. */
  answers(thresholdQ15: number, first: number, last: number): Tally[];
}

/** Decisions whose exits do not hang on which of them answered before: windows, and streams in which every exit has a smoother of its own. */
export function apart({ right, gateProbabilityQ15 }: GradedDecisions): DecisionGroup {
  const size = right[0]!.length;
  return {
    nExits: right.length,
    size,
    answers(thresholdQ15, first, last) {
      const tallies = emptyTallies(last);
      for (let i = 0; i < size; i++) {
        let exit = first;
        while (exit <= last && gateProbabilityQ15[exit]![i]! < thresholdQ15) exit++;
        if (exit <= last) count(tallies, exit, right[exit]![i] === 1);
      }
      return tallies;
    },
  };
}

/** Streaming decisions, made again under each threshold: what was decided before weighs on them. */
export function inSequence(recordings: readonly (readonly HopLogits[])[], rule: DecisionRule): DecisionGroup {
  const nExits = rule.temperatures.length;
  const replay = new Replay(rule);
  const run = (thresholdQ15: number, first: number, last: number): Tally[] => {
    const thresholds = rule.temperatures.map((_, k) => (k < first ? EXIT_NEVER : thresholdQ15));
    const tallies = emptyTallies(last);
    for (const recording of recordings) {
      replay.reset();
      for (const { truth, logits } of recording) {
        const { exit, label, isSure } = replay.decide(logits, thresholds, last);
        if (isSure && truth >= 0) count(tallies, exit, label === truth);
      }
    }
    return tallies;
  };
  return { nExits, size: recordings.flat().filter(({ truth }) => truth >= 0).length, answers: run };
}

function emptyTallies(last: number): { answered: number; wrong: number }[] {
  return Array.from({ length: last + 1 }, () => ({ answered: 0, wrong: 0 }));
}

function count(tallies: readonly { answered: number; wrong: number }[], exit: number, isRight: boolean): void {
  tallies[exit]!.answered++;
  if (!isRight) tallies[exit]!.wrong++;
}
