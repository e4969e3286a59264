import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DataError } from "../core/system/errors.ts";
import { parseTrialName, RAW_COLUMNS, type RawTrial } from "./sisfall-trial.ts";

const SAMPLES_FILE = "sisfall_50hz_6ch.i16";

/** index.json of the packed form: raw counts of both sensors at 50 Hz, trials one after the other. */
const indexSchema = z.object({
  rateHz: z.literal(50),
  channels: z.tuple([z.literal("ax"), z.literal("ay"), z.literal("az"), z.literal("gx"), z.literal("gy"), z.literal("gz")]),
  records: z
    .array(
      z.tuple([z.string(), z.string(), z.int().min(1).max(99), z.int().min(0), z.int().min(1)]), // activity, subject, trial, first frame, frames
    )
    .min(1),
});

/** Trials of `folder`'s index.json, little-endian int16 from the file beside it. */
export function readPackedTrials(folder: string): RawTrial[] {
  const path = join(folder, "index.json");
  const { records } = readIndex(path);
  const samples = readSamples(join(folder, SAMPLES_FILE));
  const held = samples.length / RAW_COLUMNS;
  return records.map(([activity, subject, trial, start, frames], i) => {
    const text = `${activity}_${subject}_R${String(trial).padStart(2, "0")}`;
    const name = parseTrialName(text);
    if (name === undefined)
      throw badIndex(path, `record ${i + 1} names ${text}, which is no trial (activity D01…D19 or F01…F15, wearer SA01… or SE01…)`);
    if (start + frames > held)
      throw badIndex(path, `record ${i + 1} (${text}) ends at frame ${start + frames}, but ${SAMPLES_FILE} holds ${held}`);
    return { name, counts: samples.subarray(start * RAW_COLUMNS, (start + frames) * RAW_COLUMNS) };
  });
}

function readIndex(path: string): z.infer<typeof indexSchema> {
  try {
    return indexSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    const what = cause instanceof z.ZodError ? z.prettifyError(cause).split("\n").slice(0, 2).join(" ") : "it is no JSON";
    throw badIndex(path, what, cause);
  }
}

/** (n, 6) int16. */
function readSamples(path: string): Int16Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new DataError("SISFALL_MISSING", `${path} is missing or unreadable: it holds index.json's frames. Unpack both again.`, { cause });
  }
  if (bytes.length % (2 * RAW_COLUMNS) !== 0)
    throw new DataError("SISFALL_PACKED", `${path} has ${bytes.length} B, no multiple of ${2 * RAW_COLUMNS}: it was cut. Unpack it again.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Int16Array.from({ length: bytes.length / 2 }, (_, i) => view.getInt16(2 * i, true));
}

function badIndex(path: string, what: string, cause?: unknown): DataError {
  return new DataError("SISFALL_INDEX", `${path}: ${what}. Restore it from the archive.`, { cause });
}
