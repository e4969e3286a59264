import { existsSync } from "node:fs";

import type { Manifest } from "../core/image/image-types.ts";
import { areImuChannels, channelsText, IMU_CHANNELS } from "../core/image/imu-channels.ts";
import { DataError } from "../core/system/errors.ts";
import { loadCsv } from "./csv/csv-dataset.ts";
import { holdsCsv } from "./csv/csv-folder.ts";
import { loadHapt } from "./hapt.ts";
import type { Dataset } from "./recording.ts";
import { loadSisFall } from "./sisfall.ts";

/** Layouts of recordings that an agent may name. */
export type RecordingLayout = "hapt" | "sisfall" | "csv";

/** Recordings for a model: CSV files if the agent names them or the folder holds some, else the layout that the agent names. Throws DataError. */
export function openRecordings(path: string, manifest: Manifest, layout: RecordingLayout | undefined): Dataset {
  if (layout === "csv" || (existsSync(path) && holdsCsv(path))) return loadCsv(path, manifest);
  checkImuCounts(path, manifest);
  switch (layout) {
    case "sisfall":
      return loadSisFall(path);
    case "hapt":
    case undefined:
      return loadHapt(path);
    default:
      return layout satisfies never; // a new layout is read here
  }
}

/** Throws DataError unless the model takes what HAPT and SisFall are read as: an IMU's channels in the shared counts. */
export function checkImuCounts(path: string, { name, channels }: Manifest): void {
  if (areImuChannels(channels) && channels.every(({ countsPerUnit }, c) => countsPerUnit === IMU_CHANNELS[c]!.countsPerUnit)) return;
  throw new DataError(
    "RECORDINGS_CHANNELS",
    `${path}: its recordings are read as ${channelsText(IMU_CHANNELS)}; model ${name} takes ${channelsText(channels)}. Give CSV recordings with these channels.`,
  );
}
