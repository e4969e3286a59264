import { EXIT_NEVER } from "../../../assembly/layout.ts";
import type { CertificationMetrics } from "../metrics.ts";

interface Certified {
  readonly exits: readonly { readonly thresholdQ15: number }[];
  readonly certification?: CertificationMetrics | undefined;
}

/** What it means that no exit is certified, and what it would take; undefined where one is, or where nothing needs to be. */
export function uncertifiedText({ exits, certification }: Certified): string | undefined {
  if (!certification || exits.some(({ thresholdQ15 }) => thresholdQ15 < EXIT_NEVER)) return undefined;
  const { wearers, windows, hops, leastAnswered } = certification;
  const found = `${countOf(wearers, "calibrate wearer")} gave ${countOf(windows, "window")} and ${countOf(hops, "streamed decision")}`;
  const mend =
    Math.min(windows, hops) < leastAnswered
      ? "Record more wearers, or more of each."
      : "There are enough of them: too few were sure, or too many of the sure ones wrong. Train longer, or on more wearers.";
  return `No exit is certified: this agent asks about every decision. ${found}; at least ${leastAnswered} of each must be answered surely, without an error. ${mend}`;
}

/** 1,389 windows, 1 window. */
export function countOf(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}
