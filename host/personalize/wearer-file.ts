import { existsSync } from "node:fs";
import { dirname } from "node:path";
import type { Lda } from "../core/image/image-types.ts";
import { type FloatTensors, readSafetensors, writeSafetensors } from "../core/image/safetensors.ts";
import { DataError } from "../core/system/errors.ts";
import { makePrivateFolder, writeWhole } from "../core/system/private-file.ts";
import { readWhole } from "../core/system/read-whole.ts";
import { MOST_WINDOWS, type Taught } from "./adapter.ts";
import { hashLda } from "./prior.ts";

const FORMAT = "dormouse-wearer-1";

/** What a wearer has taught, as a file that fits the image's evidence alone: a few kilobytes, all of them whole numbers. */
export function writeTaught({ windows, sums }: Taught, lda: Lda): Uint8Array {
  return writeSafetensors({
    tensors: {
      windows: { shape: [windows.length], values: Float32Array.from(windows) },
      sums: { shape: [windows.length, sums.length / windows.length], values: Float32Array.from(sums) }, // below 2^24: exact
    },
    metadata: { format: FORMAT, lda: hashLda(lda) },
  });
}

/** Reads what writeTaught wrote. Throws BAD_WEARER, and WEARER_MISMATCH where it was learned with another image. */
export function readTaught(bytes: Uint8Array, lda: Lda, path: string): Taught {
  const bad = (what: string, cause?: unknown): DataError =>
    new DataError("BAD_WEARER", `${path}: ${what}. Name another file with --wearer, or delete this one to learn anew.`, { cause });
  const { tensors, metadata } = readTensors(bytes, bad);
  if (metadata.format !== FORMAT) throw bad(`metadata format is "${metadata.format}", "${FORMAT}" expected`);
  if (metadata.lda !== hashLda(lda))
    throw new DataError(
      "WEARER_MISMATCH",
      `${path} was learned with another model image than the agent's. Name another file with --wearer, or delete this one to learn anew.`,
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

/** What a file has of a wearer; undefined where it is not there yet. */
export function openTaught(path: string, lda: Lda): Taught | undefined {
  if (!existsSync(path)) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = readWhole(path);
  } catch (cause) {
    throw new DataError("BAD_WEARER", `cannot read ${path}: check its permissions, or name another file with --wearer.`, { cause });
  }
  return readTaught(bytes, lda, path);
}

/** Writes it whole or not at all, readable by its owner alone: how somebody walks is theirs. */
export function saveTaught(path: string, taught: Taught, lda: Lda): void {
  makePrivateFolder(dirname(path));
  writeWhole(path, writeTaught(taught, lda), { isPrivate: true });
}
