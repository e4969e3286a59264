import { expect, it } from "vitest";
import { findSegments } from "../../../host/data/find-segments.ts";
import type { Recording } from "../../../host/data/recording.ts";
import { rareClasses, scoreEvents } from "../../../host/eval/score-events.ts";

const labels = Uint8Array.from({ length: 3600 }, (_, i) => ((i >= 1000 && i < 1100) || (i >= 3000 && i < 3050) ? 2 : 1));
const recording: Recording = {
  ...{ name: "r", subject: "1", channels: 1, frames: new Int16Array(labels.length), labels, windowFrames: 32 },
  segments: findSegments(labels),
};

it("finds an event by a decision at it, or a window later; calls a run of decisions elsewhere one false alarm", () => {
  expect(rareClasses([recording], 3)).toEqual([1]);
  const said = new Set([500, 532, 1108, 2004]); // a run of two, one a little after the first event's end, one alone
  const shown = Array.from({ length: 112 }, (_, i) => 32 * i + 20).map((frame) => ({ frame, label: said.has(frame) ? 1 : 0 }));
  const [score] = scoreEvents(new Map([[recording, shown]]), [1], ["air", "smoke", "none"], 1);
  expect(score).toEqual({ label: "smoke", events: 2, found: 1, sensitivity: 0.5, falseAlarms: 2, hours: 1, falseAlarmsPerHour: 2 });
});
