import { sensorFaultNames } from "../agent/sensor-fault.ts";
import type { Session } from "../core/session/session-types.ts";
import { labelledSpan, type SensedRecording } from "../data/recording.ts";
import { classAt } from "./evaluate-policy.ts";
import { frameAt } from "./protocols.ts";

/** A stream of one wearer, as a sound or a faulty sensor gave it. */
export interface WatchedStream {
  readonly frames: number;
  readonly raised: number; // times that the sensor became implausible
  readonly framesToFlag: number | undefined; // from the start; undefined: never flagged
  readonly faults: readonly string[]; // that were raised
  readonly decisions: number;
  readonly withheld: number;
  readonly withheldLabelled: number; // of the withheld, where the frame is labelled
  readonly answered: number; // at a certified exit, where the frame is labelled
  readonly answeredWrong: number;
}

/** A wearer's recordings while the sensor is worn, as one stream. */
export function joinRecordings(recordings: readonly SensedRecording[]): SensedRecording {
  const spans = recordings.map(labelledSpan);
  const { subject, channels, scoredLabels } = spans[0]!;
  const frames = new Int16Array(spans.reduce((sum, span) => sum + span.frames.length, 0));
  const labels = new Uint8Array(frames.length / channels);
  const segments: SensedRecording["segments"][number][] = [];
  let at = 0;
  for (const span of spans) {
    frames.set(span.frames, at * channels);
    labels.set(span.labels, at);
    segments.push(...span.segments.map((one) => ({ ...one, start: one.start + at, end: one.end + at })));
    at += span.labels.length;
  }
  return { name: subject, subject, channels, frames, labels, segments, ...(scoredLabels !== undefined && { scoredLabels }) };
}

/** Runs frames `start` ≤ i < `end` of a stream from a reset state, the core deciding at each hop of the set-point in force. */
export function watchStream(
  session: Session,
  recording: SensedRecording,
  betweenClass: number,
  start = 0,
  end = recording.labels.length,
): WatchedStream {
  session.reset();
  const names = new Set<string>();
  const counts = { raised: 0, decisions: 0, withheld: 0, withheldLabelled: 0, answered: 0, answeredWrong: 0 };
  let framesToFlag: number | undefined;
  let isFlagged = false;
  for (let i = start; i < end; i++) {
    if (recording.lost?.[i]) continue;
    const { decision } = session.pushFrame(frameAt(recording, i), i + 1);
    if (decision === undefined) continue;
    counts.decisions++;
    const { sensorFaults } = decision;
    if (sensorFaults !== undefined) {
      counts.withheld++;
      if (!isFlagged) counts.raised++;
      framesToFlag ??= i + 1 - start;
      for (const name of sensorFaultNames(sensorFaults)) names.add(name);
    }
    isFlagged = sensorFaults !== undefined;
    const label = classAt(recording, i, betweenClass);
    if (label < 0) continue;
    if (isFlagged) counts.withheldLabelled++;
    if (decision.why !== "exit") continue;
    counts.answered++;
    if (decision.label !== label) counts.answeredWrong++;
  }
  return { frames: end - start, framesToFlag, faults: [...names], ...counts };
}
