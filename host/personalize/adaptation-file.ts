import { existsSync } from "node:fs";
import { dirname } from "node:path";
import type { Lda } from "../core/image/image-types.ts";
import { type FloatTensors, readSafetensors, writeSafetensors } from "../core/image/safetensors.ts";
import { DataError } from "../core/system/errors.ts";
import { makePrivateFolder, writeWhole } from "../core/system/private-file.ts";
import { readWhole } from "../core/system/read-whole.ts";
import { type Adaptation, MOST_WINDOWS } from "./adapter.ts";
import { hashLda } from "./prior.ts";

const FORMAT = "dormouse-adaptation-1";
/** An older name of the same tensors, which is read, too; its metadata has the head's hash as `evidence`. */
const OLDER_FORMAT = "dormouse-wearer-1";

/** Writes an adaptation as a safetensors file of a few kilobytes, bound to the image's LDA head by its hash. */
export function writeAdaptation({ windows, sums }: Adaptation, lda: Lda): Uint8Array {
  return writeSafetensors({
    tensors: {
      windows: { shape: [windows.length], values: Float32Array.from(windows) },
      sums: { shape: [windows.length, sums.length / windows.length], values: Float32Array.from(sums) }, // below 2^24: exact
    },
    metadata: { format: FORMAT, lda: hashLda(lda) },
  });
}

/** Reads what writeAdaptation wrote. Throws BAD_ADAPTATION, and ADAPTATION_MISMATCH if it was learned with another image. */
export function readAdaptation(bytes: Uint8Array, lda: Lda, path: string): Adaptation {
  const bad = (what: string, cause?: unknown): DataError =>
    new DataError("BAD_ADAPTATION", `${path}: ${what}. Name another file to personalize, or delete this one to start anew.`, { cause });
  const { tensors, metadata } = readTensors(bytes, bad);
  if (metadata.format !== FORMAT && metadata.format !== OLDER_FORMAT)
    throw bad(`metadata format is "${metadata.format}", "${FORMAT}" expected`);
  if ((metadata.lda ?? metadata.evidence) !== hashLda(lda))
    throw new DataError(
      "ADAPTATION_MISMATCH",
      `${path} was learned with another model image than the agent's. Name another file to personalize, or delete this one to start anew.`,
    );
  const nClasses = lda.bias.length;
  const size = lda.means.length;
  const { windows, sums } = tensors;
  if (windows?.values.length !== nClasses || sums?.values.length !== nClasses * size)
    throw bad(`windows and sums of ${nClasses} classes and ${size} statistics expected`);
  if (!windows.values.every((count) => Number.isInteger(count) && count >= 0 && count <= MOST_WINDOWS))
    throw bad(`a class has a number of windows that is not within 0…${MOST_WINDOWS}`);
  const isWithin = (sum: number, i: number): boolean =>
    Number.isInteger(sum) && Math.abs(sum) <= windows.values[Math.floor(i / size)]! * lda.limits[i % size]!;
  if (!sums.values.every(isWithin)) throw bad("a sum is larger than its windows make it, or not whole");
  return { windows: Uint16Array.from(windows.values), sums: Float64Array.from(sums.values) };
}

function readTensors(bytes: Uint8Array, bad: (what: string, cause: unknown) => DataError): FloatTensors {
  try {
    return readSafetensors(bytes);
  } catch (cause) {
    throw bad("it is no whole safetensors file", cause);
  }
}

/** Reads the adaptation in a file; undefined if there is no such file yet. */
export function openAdaptation(path: string, lda: Lda): Adaptation | undefined {
  if (!existsSync(path)) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = readWhole(path);
  } catch (cause) {
    throw new DataError("BAD_ADAPTATION", `cannot read ${path}: check its permissions, or name another file.`, { cause });
  }
  return readAdaptation(bytes, lda, path);
}

/** Writes the file atomically, readable by its owner alone: it describes how a person moves. */
export function saveAdaptation(path: string, adaptation: Adaptation, lda: Lda): void {
  makePrivateFolder(dirname(path));
  writeWhole(path, writeAdaptation(adaptation, lda), { isPrivate: true });
}
