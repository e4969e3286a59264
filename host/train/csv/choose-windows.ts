import { DataError } from "../../core/system/errors.ts";
import { type CsvFolder, rateText } from "../../data/csv/csv-folder.ts";
import type { LabelRule, WindowRule } from "../../data/window-rule.ts";
import { findLabelBouts, type LabelBouts } from "./label-bouts.ts";

/** What the command line says of windows. */
export interface WindowWishes {
  readonly seconds?: number | undefined;
  readonly rule?: LabelRule | undefined;
}

/** The windows of a training, and why. */
export interface WindowChoice {
  readonly rateHz: number; // that the recordings must be read at: lower than theirs if a window holds more than 128 frames
  readonly windows: WindowRule;
  readonly why: string; // a sentence for people
}

const longestFrames = 128;
const frameStep = 32; // 8 patches
/** Up to so many times the longest window's frames no other rate is chosen for it. */
const roundingRoom = 1.125;
/** Windows of one label alone are taken where every label keeps so much of its labelled time. */
const keptShare = 0.9;
/** A label with less of the labelled time, and bouts shorter than a window, is an event within another label. */
const eventShare = 0.25;

/** Chooses the length of windows and how they are labelled from how long each label lasts. Throws WINDOW_SHORT. */
export function chooseWindows(folder: CsvFolder, wishes: WindowWishes = {}): WindowChoice {
  const { rateHz } = folder;
  const bouts = findLabelBouts(folder);
  const { frames, rate } =
    wishes.seconds === undefined ? { frames: framesFor(bouts), rate: rateHz } : framesOfSeconds(wishes.seconds, rateHz);
  const own = bouts.map((bout) => scaled(bout, rate / rateHz));
  const rule = wishes.rule ?? ruleFor(own, frames);
  const background = own.reduce((most, bout) => (bout.frames > most.frames ? bout : most)).label;
  return {
    rateHz: rate,
    windows: { rule, frames, ...(rule === "any>20%" && { background }) },
    why: whyText(own, frames, rate, rule, wishes),
  };
}

/** The longest window, up to 128 frames, that the shortest label's bouts fill to a half. */
function framesFor(bouts: readonly LabelBouts[]): number {
  const shortest = Math.min(...bouts.map(({ median }) => median));
  return Math.max(frameStep, Math.min(longestFrames, frameStep * Math.floor((2 * shortest) / frameStep)));
}

function framesOfSeconds(seconds: number, rateHz: number): { readonly frames: number; readonly rate: number } {
  const frames = seconds * rateHz;
  if (frames > roundingRoom * longestFrames) return { frames: longestFrames, rate: longestFrames / seconds };
  if (frames >= frameStep / roundingRoom) return { frames: Math.max(frameStep, frameStep * Math.round(frames / frameStep)), rate: rateHz };
  throw new DataError(
    "WINDOW_SHORT",
    `a window of ${secondsText(seconds)} holds ${Math.round(frames)} frames at ${rateText(rateHz)}, at least ${frameStep} are needed. Choose --window ${secondsText(frameStep / rateHz)} or longer, or record at a higher rate.`,
  );
}

function scaled(bout: LabelBouts, factor: number): LabelBouts {
  return { ...bout, frames: bout.frames * factor, median: bout.median * factor, lengths: bout.lengths.map((length) => length * factor) };
}

function ruleFor(bouts: readonly LabelBouts[], frames: number): LabelRule {
  const kept = ({ lengths, frames: all }: LabelBouts): number =>
    lengths.reduce((sum, length) => sum + (length >= frames ? length : 0), 0) / Math.max(1, all);
  if (bouts.every((bout) => kept(bout) >= keptShare && bout.median >= 2 * frames)) return "whole";
  if (bouts.every(({ median }) => median >= frames)) return "majority";
  const total = bouts.reduce((sum, { frames: own }) => sum + own, 0);
  const long = bouts.filter(({ median, frames: own }) => median >= frames && own >= eventShare * total);
  return long.length > 0 ? "any>20%" : "centre";
}

function whyText(bouts: readonly LabelBouts[], frames: number, rateHz: number, rule: LabelRule, wishes: WindowWishes): string {
  const shortest = bouts.reduce((least, bout) => (bout.median < least.median ? bout : least));
  const length = secondsText(frames / rateHz);
  const lasts = `bouts of "${shortest.label}", the shortest, last ${secondsText(shortest.median / rateHz)} (median)`;
  const chosen = [wishes.seconds === undefined ? "" : "--window", wishes.rule === undefined ? "" : "--label-rule"].filter(
    (one) => one !== "",
  );
  const by = chosen.length === 0 ? lasts : `${lasts}; chosen by ${chosen.join(" and ")}`;
  return `Windows of ${length} (${frames} frames), label rule ${rule}: ${by}.`;
}

/** 0.512 s, 32 min, 2.13 h. */
export function secondsText(seconds: number): string {
  const [unit, size] = seconds < 120 ? ["s", 1] : seconds < 7200 ? ["min", 60] : ["h", 3600];
  return `${Number((seconds / size).toPrecision(3))} ${unit}`;
}
