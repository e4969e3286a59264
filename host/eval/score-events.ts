import type { Model } from "../core/session/model.ts";
import { countWindowFrames, type Recording } from "../data/recording.ts";
import { frameAt } from "./protocols.ts";

/** Labels of less than so much of the labelled time are events: a share of windows says little of them. */
const RARE_SHARE = 0.1;

/** The label that is shown from a frame on, at each decision of a recording. */
export interface ShownDecision {
  readonly frame: number; // the last that was seen
  readonly label: number; // class
}

/** How well the events of one label are found. */
export interface EventScore {
  readonly label: string;
  readonly events: number; // bouts of the label
  readonly found: number; // of those: some decision has the label between the bout's begin and a window after its end
  readonly sensitivity: number | null; // null: there are none
  readonly falseAlarms: number; // decisions of the label in a row, none of them at an event
  readonly hours: number; // that were watched
  readonly falseAlarmsPerHour: number;
}

/** Classes whose bouts have less than a tenth of all labelled time. */
export function rareClasses(recordings: readonly Recording[], nClasses: number): number[] {
  const frames = new Float64Array(nClasses + 1);
  for (const { bouts, segments } of recordings) for (const { label, start, end } of bouts ?? segments) frames[label]! += end - start;
  const total = frames.reduce((sum, own) => sum + own, 0);
  return Array.from({ length: nClasses }, (_, c) => c).filter((c) => frames[c + 1]! > 0 && frames[c + 1]! < RARE_SHARE * total);
}

/** The model's decisions at every hop of a recording, everything answered, as on a device without a cloud. */
export function shownDecisions(model: Model, recordings: readonly Recording[]): Map<Recording, ShownDecision[]> {
  const { image } = model;
  const session = model.createSession();
  session.setPoint({
    ...{ maxExit: image.exits.length - 1, hopPatches: image.hopPatches, askAllowed: false, limitReason: "none", askIntervalHops: 1 },
    thresholds: image.exits.map(({ threshold }) => threshold),
  });
  return new Map(
    recordings.map((recording) => {
      session.reset();
      const shown: ShownDecision[] = [];
      for (let frame = 0; frame < recording.labels.length; frame++) {
        const { decision } = session.pushFrame(frameAt(recording, frame), frame + 1);
        if (decision) shown.push({ frame, label: decision.label });
      }
      return [recording, shown];
    }),
  );
}

/** Event scores of some classes over recordings and the decisions about them. */
export function scoreEvents(
  decisions: ReadonlyMap<Recording, readonly ShownDecision[]>,
  classes: readonly number[],
  labels: readonly string[],
  rateHz: number,
): EventScore[] {
  const frames = [...decisions.keys()].reduce((sum, recording) => sum + recording.labels.length, 0);
  const hours = frames / rateHz / 3600;
  return classes.map((c) => {
    let [events, found, falseAlarms] = [0, 0, 0];
    for (const [recording, shown] of decisions) {
      const window = countWindowFrames(recording);
      const bouts = (recording.bouts ?? recording.segments).filter(({ label }) => label === c + 1);
      const isAtBout = ({ frame }: ShownDecision): boolean => bouts.some(({ start, end }) => frame >= start && frame < end + window);
      events += bouts.length;
      found += bouts.filter(({ start, end }) =>
        shown.some(({ frame, label }) => label === c && frame >= start && frame < end + window),
      ).length;
      let run: ShownDecision[] = [];
      const close = (): void => {
        if (run.length > 0 && !run.some(isAtBout)) falseAlarms++;
        run = [];
      };
      for (const one of shown) {
        if (one.label === c) run.push(one);
        else close();
      }
      close();
    }
    return {
      label: labels[c]!,
      ...{ events, found, sensitivity: events === 0 ? null : found / events, falseAlarms, hours },
      falseAlarmsPerHour: falseAlarms / Math.max(hours, 1e-9),
    };
  });
}
