import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../core/system/errors.ts";
import type { Dataset, Recording } from "./recording.ts";
import { readPackedTrials } from "./sisfall-packed.ts";
import { parseSisFallTrial } from "./sisfall-text.ts";
import { parseTrialName, RAW_COLUMNS, type RawTrial, trialNameText } from "./sisfall-trial.ts";

/** A trial's label, on every frame of it: SisFall records what was done in a trial, not when. */
export const SISFALL_DAILY = 1;
export const SISFALL_FALL = 2;
/** How the frames are turned: SisFall's own axes are x to the right, y down, z forward. */
export const SISFALL_ORIENTATION = "waist, belt buckle, as in SisFall: x up when standing, y to the right, z forward";

/** True for the wearers of 60 years and more, false for the young ones. */
export function isElderly(subject: string): boolean {
  return subject.startsWith("SE");
}

/** The official folder of a wearer. */
const wearerFolder = /^S[AE]\d\d$/;

/**
 * Reads SisFall, a recording a trial, in order of wearer, activity and trial. `dir` is its folder or that folder's parent, in either form:
 * the official one, a text file a trial (`SA01/D01_SA01_R01.txt`, 200 Hz), whose frames are averaged by four; or one packed that way
 * (`index.json` beside `sisfall_50hz_6ch.i16`). Both give the same frames. Source: Sucerquia, López, Vargas-Bonilla, "SisFall: A Fall and
 * Movement Dataset", Sensors 17(1):198, 2017.
 */
export function loadSisFall(dir: string): Dataset {
  for (const folder of [dir, join(dir, "sisfall"), join(dir, "SisFall"), join(dir, "SisFall_dataset")]) {
    if (existsSync(join(folder, "index.json"))) return datasetOf(readPackedTrials(folder));
    const wearers = existsSync(folder) ? readdirSync(folder).filter((name) => wearerFolder.test(name)) : [];
    if (wearers.length > 0) return datasetOf(wearers.flatMap((wearer) => readWearer(join(folder, wearer), wearer)));
  }
  throw new DataError(
    "SISFALL_MISSING",
    `${dir} holds neither SA01/D01_SA01_R01.txt nor index.json: it is not SisFall. Unpack the archive and name its folder, or that folder's parent.`,
  );
}

function readWearer(folder: string, wearer: string): RawTrial[] {
  const trials: RawTrial[] = [];
  for (const file of readdirSync(folder)) {
    const name = file.endsWith(".txt") ? parseTrialName(file.slice(0, -4)) : undefined;
    if (name === undefined) continue; // the archive's own readme, a system's leavings
    const path = join(folder, file);
    if (name.subject !== wearer)
      throw new DataError("SISFALL_MISPLACED", `${path} is a trial of another wearer than ${wearer}. Unpack the archive again.`);
    trials.push({ name, counts: parseSisFallTrial(readFileSync(path), path) });
  }
  return trials;
}

function datasetOf(trials: readonly RawTrial[]): Dataset {
  const key = ({ name }: RawTrial): string => `${name.subject} ${trialNameText(name)}`;
  return { recordings: [...trials].sort((a, b) => (key(a) < key(b) ? -1 : 1)).map(recordingOf) };
}

function recordingOf({ name, counts }: RawTrial): Recording {
  const n = counts.length / RAW_COLUMNS;
  const label = name.activity.startsWith("F") ? SISFALL_FALL : SISFALL_DAILY;
  return {
    name: trialNameText(name),
    subject: name.subject,
    channels: RAW_COLUMNS,
    frames: framesOf(counts),
    labels: new Uint8Array(n).fill(label),
    segments: [{ label, start: 0, end: n }],
  };
}

/**
 * Raw counts to 1/2048 g and 1/16 °/s, half up, clamped to int16; axes (right, down, forward) to (up, right, forward), a rotation.
 * A raw count is 32/2^13 g (ADXL345, 13 bits, ±16 g) and 4000/2^16 °/s (ITG3200, 16 bits, ±2000 °/s).
 */
function framesOf(counts: Int16Array): Int16Array {
  const frames = new Int16Array(counts.length);
  for (let i = 0; i < counts.length; i += 3) {
    const scale = i % RAW_COLUMNS === 0 ? 8 : 125 / 128;
    frames[i] = toCounts(-counts[i + 1]! * scale);
    frames[i + 1] = toCounts(counts[i]! * scale);
    frames[i + 2] = toCounts(counts[i + 2]! * scale);
  }
  return frames;
}

function toCounts(value: number): number {
  return Math.max(-32768, Math.min(32767, Math.floor(value + 0.5)));
}
