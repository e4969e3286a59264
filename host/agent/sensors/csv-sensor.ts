import type { Manifest } from "../../core/image/image-types.ts";
import { DataError } from "../../core/system/errors.ts";
import type { Dataset } from "../../data/recording.ts";
import type { Sensor } from "./sensor.ts";

/** Ticks between two recordings: more than any agent's gap limit, so that the state is reset. */
const RECORDING_GAP_TICKS = 1000;

/** Replays recordings whose label i is the manifest's label i − 1, one after the other, maybe of one wearer alone. */
export function csvSensor(
  data: Dataset,
  chosen: { readonly user?: number | string; readonly experiment?: number },
  { labels, channels, frameRateHz }: Manifest,
  path: string,
): Sensor {
  const recordings = data.recordings.filter(
    ({ subject }) => chosen.experiment === undefined && (chosen.user === undefined || subject === String(chosen.user)),
  );
  if (recordings.length === 0) {
    const subjects = [...new Set(data.recordings.map(({ subject }) => subject))];
    throw new DataError(
      "REPLAY_EMPTY",
      `${path} has no gapless recording for this choice; it has wearers ${subjects.join(", ") || "none"}. They are chosen by a wearer alone, as in replay:DIR#user=${subjects[0] ?? 2}, CSV recordings also by file.`,
    );
  }
  return {
    name: `replay:${path}`,
    rateHz: frameRateHz,
    channels: channels.length,
    frames: recordings.reduce((sum, { labels: truth }) => sum + truth.length, 0),
    async *[Symbol.asyncIterator]() {
      let first = 0;
      for (const { frames, labels: truth } of recordings) {
        for (let i = 0; i < truth.length; i++) {
          const frame = frames.subarray(i * channels.length, (i + 1) * channels.length);
          yield { tick: (first + i) >>> 0, frame, truth: labels[truth[i]! - 1] };
        }
        first = (first + truth.length + RECORDING_GAP_TICKS) >>> 0;
      }
    },
  };
}
