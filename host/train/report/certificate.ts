import { EXIT_NEVER } from "../../../assembly/layout.ts";
import { countText, percentText } from "../../core/system/table.ts";
import type { CertificationMetrics } from "../metrics.ts";
import type { OpenThresholds } from "../open-thresholds.ts";

interface Certified {
  readonly exits: readonly { readonly thresholdQ15: number }[];
  readonly certification?: CertificationMetrics | undefined;
}

/** The warning that no exit is certified, and what would certify one; undefined if one is, or if none needs to be. */
export function uncertifiedText({ exits, certification }: Certified): string | undefined {
  if (!certification || (!certification.open && exits.some(({ thresholdQ15 }) => thresholdQ15 < EXIT_NEVER))) return undefined;
  const { wearers, windows, hops, leastAnswered, open } = certification;
  const found = `${countText(wearers, "calibrate wearer")} gave ${countText(windows, "window")} and ${countText(hops, "streamed decision")}`;
  const fix =
    Math.min(windows, hops) < leastAnswered
      ? "Record more wearers, or more of each."
      : "There are enough, but too few were confident, or too many of those were wrong. Train longer, or on more wearers.";
  const what = open ? openText(open) : "No exit is certified: this agent asks about every decision.";
  return `${what} ${found}; certifying takes at least ${leastAnswered} confident answers of each without an error. ${fix}`;
}

function openText({ accuracy, fullAccuracy, asked, computeShare }: OpenThresholds): string {
  const cost = ((fullAccuracy - accuracy) * 100).toFixed(2);
  return `Not certified: exits answer from thresholds that cost ${cost} points on the calibrate wearers (${percentText(accuracy, 2)} right, ${percentText(fullAccuracy, 2)} at full depth) at ${percentText(computeShare)} of the compute; ${percentText(asked, 1)} of the decisions are asked about.`;
}
