import { ConfigError } from "../core/system/errors.ts";
import { findSegments } from "./find-segments.ts";
import type { Recording } from "./recording.ts";

/**
 * Which label a window has. whole: the one that all its frames have. majority: the one that more than half of them have. any>20%: one
 * that more than 20 % of them have and that is not the background, the most frequent of these; else the background's, if that has more than half. centre: that of the frame in its middle.
 */
export const labelRules = ["whole", "majority", "any>20%", "centre"] as const;
export type LabelRule = (typeof labelRules)[number];

/** The windows that an agent is trained and scored on. */
export interface WindowRule {
  readonly rule: LabelRule;
  readonly frames: number; // of a window
  readonly background?: string; // of any>20%: the label that events stand out from
}

const ANY_SHARE = 0.2;

/** Throws unless `rule` names a label rule. */
export function readLabelRule(rule: string): LabelRule {
  const found = labelRules.find((one) => one === rule);
  if (found !== undefined) return found;
  throw new ConfigError("LABEL_RULE", `there is no label rule "${rule}": choose one of ${labelRules.join(", ")}.`);
}

/**
 * A recording by a rule for windows: each frame's label becomes that of the window which ends with it (whole: its own stays), and its
 * bouts keep what was recorded. `background`: the label's number.
 */
export function withWindows(recording: Recording, { rule, frames }: WindowRule, background: number | undefined): Recording {
  const bouts = recording.segments;
  if (rule === "whole") return { ...recording, windowFrames: frames, bouts };
  const labels = labelEnds(recording.labels, rule, frames, background);
  const windows = [];
  for (let start = 0; start + frames <= labels.length; start += frames / 2) {
    const label = labels[start + frames - 1]!;
    if (label > 0) windows.push({ start, label });
  }
  return { ...recording, labels, segments: findSegments(labels), windowFrames: frames, windows, bouts };
}

/** The label of the window that ends with each frame; 0 where there is no whole window, or none of the labels has it. */
function labelEnds(labels: Uint8Array, rule: Exclude<LabelRule, "whole">, frames: number, background: number | undefined): Uint8Array {
  const out = new Uint8Array(labels.length);
  const counts = new Int32Array(1 + labels.reduce((most, label) => Math.max(most, label), 0));
  for (let end = 0; end < labels.length; end++) {
    counts[labels[end]!]!++;
    if (end >= frames) counts[labels[end - frames]!]!--;
    if (end < frames - 1) continue;
    out[end] = rule === "centre" ? labels[end - frames / 2]! : labelOf(counts, frames, rule === "majority" ? undefined : background);
  }
  return out;
}

/** The label of a window with so many frames of each label; `background`: events stand out from it. */
function labelOf(counts: Int32Array, frames: number, background: number | undefined): number {
  const most = (isCounted: (label: number) => boolean): number =>
    counts.reduce((best, count, label) => (label > 0 && isCounted(label) && count > (counts[best] ?? 0) ? label : best), -1);
  const event = background === undefined ? -1 : most((label) => label !== background && counts[label]! > ANY_SHARE * frames);
  const whole = event > 0 ? event : most((label) => 2 * counts[label]! > frames);
  return Math.max(0, whole);
}
