import type { Recording } from "./recording.ts";
import { SISFALL_DAILY, SISFALL_FALL } from "./sisfall.ts";

/** Of a fall's label around the impact, in frames at 50 Hz: from 0.2 to 2.8 s after it. */
const FALLEN_FRAMES = { from: 10, to: 140 };

/** A trial whose frames are daily life but for the fall itself, as a day's truth has it; its segments stay. Daily trials stay as they are. */
export function labelImpact<R extends Recording>(trial: R): R {
  if (!trial.labels.includes(SISFALL_FALL)) return trial;
  const impact = impactFrame(trial.frames);
  const labels = new Uint8Array(trial.labels.length).fill(SISFALL_DAILY);
  labels.fill(SISFALL_FALL, Math.max(0, impact + FALLEN_FRAMES.from), Math.max(0, impact + FALLEN_FRAMES.to));
  return { ...trial, labels };
}

/**
 * Frame of the impact in a fall trial, (n, 6) counts: the last time that |acceleration| comes to 0.7 of the trial's largest, or up to 0.3 s
 * before it, where it is largest. Fitted on the fit wearers: 744 of their 748 falls turn the trunk by more than 45° across it (largest of
 * all: 742). Who trips while jogging is shaken before the fall as hard as by it.
 */
export function impactFrame(frames: Int16Array): number {
  const n = frames.length / 6;
  const squares = Float64Array.from({ length: n }, (_, i) => frames[6 * i]! ** 2 + frames[6 * i + 1]! ** 2 + frames[6 * i + 2]! ** 2);
  const high = 0.7 ** 2 * squares.reduce((a, b) => Math.max(a, b), 0);
  const last = squares.findLastIndex((square) => square >= high);
  let impact = last;
  for (let i = Math.max(0, last - 15); i < last; i++) if (squares[i]! > squares[impact]!) impact = i;
  return impact;
}
