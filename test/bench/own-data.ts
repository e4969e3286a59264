import { ConfigError } from "../../host/core/system/errors.ts";
import { makeFolders } from "../../host/core/system/folder.ts";
import { writeBeatRecordings } from "../support/own-data/beats.ts";
import { writeGasRecordings } from "../support/own-data/gas.ts";
import { writeHalfHour } from "../support/own-data/half-hour.ts";
import { writeHaptRecordings, writeSisFallRecordings } from "../support/own-data/public-sets.ts";

/** Writes one of five data sets as CSV recordings. */
export function writeOwnData(set: string, dir: string, dataDir: string | undefined): void {
  makeFolders(dir);
  const generated = { gas: writeGasRecordings, beats: writeBeatRecordings, "half-hour": writeHalfHour }[set];
  const recorded = { hapt: writeHaptRecordings, sisfall: writeSisFallRecordings }[set];
  if (generated !== undefined) generated(dir);
  else if (recorded !== undefined && dataDir !== undefined) recorded(dir, dataDir);
  else
    throw new ConfigError(
      "OWN_DATA",
      `no data set "${set}"${recorded ? " without --data DIR" : ""}: choose gas, beats, half-hour, hapt or sisfall.`,
    );
}
