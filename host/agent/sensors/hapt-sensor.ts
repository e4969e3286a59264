import { DataError } from "../../core/system/errors.ts";
import { HAPT_CHANNELS, haptExperiment } from "../../data/hapt.ts";
import type { Dataset, Recording } from "../../data/recording.ts";
import type { Sensor } from "./sensor.ts";

const RATE_HZ = 50;
/** Ticks between two recordings: more than any agent's gap limit, so that the state is reset. */
const RECORDING_GAP_TICKS = 1000;

/** Names of HAPT's activities 1–12, the six postural transitions under one name. */
const NAMES = ["walking", "upstairs", "downstairs", "sitting", "standing", "laying"] as const;

/** The label name of a HAPT activity number, undefined where the recording is unlabelled. */
export function haptLabelName(label: number): string | undefined {
  if (label === 0) return undefined;
  return NAMES[label - 1] ?? "transition";
}

/** Replays HAPT recordings, chosen by wearer and experiment, one after the other. */
export function haptSensor(data: Dataset, chosen: { user?: number | string; experiment?: number }, path: string): Sensor {
  const recordings = data.recordings.filter(
    (one) =>
      (chosen.user === undefined || one.subject === String(chosen.user)) &&
      (chosen.experiment === undefined || haptExperiment(one) === chosen.experiment),
  );
  if (recordings.length === 0) {
    const wanted = Object.entries({ user: chosen.user, exp: chosen.experiment }).filter(([, value]) => value !== undefined);
    const choice = wanted.map(([key, value]) => `${key}=${value}`).join(",");
    throw new DataError("REPLAY_EMPTY", `${path} has no recording with ${choice}. It has ${available(data)}.`);
  }
  return {
    name: `replay:${path}`,
    rateHz: RATE_HZ,
    channels: HAPT_CHANNELS,
    frames: recordings.reduce((sum, { labels: truth }) => sum + truth.length, 0),
    async *[Symbol.asyncIterator]() {
      let first = 0;
      for (const recording of recordings) {
        yield* replay(recording, first);
        first = (first + recording.labels.length + RECORDING_GAP_TICKS) >>> 0;
      }
    },
  };
}

function* replay({ frames, labels }: Recording, first: number) {
  for (let i = 0; i < labels.length; i++) {
    const frame = frames.subarray(i * HAPT_CHANNELS, (i + 1) * HAPT_CHANNELS);
    yield { tick: (first + i) >>> 0, frame, truth: haptLabelName(labels[i]!) };
  }
}

function available({ recordings }: Dataset): string {
  const list = recordings.slice(0, 6).map((one) => `user=${one.subject},exp=${haptExperiment(one)}`);
  return `${list.join("  ")}${recordings.length > list.length ? ` … (${recordings.length} in all)` : ""}`;
}
