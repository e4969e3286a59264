import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { recordingsOf } from "../../agent/recording.ts";
import { ConfigError, DataError } from "../../core/errors.ts";
import { makeFolders } from "../../core/folder.ts";
import { writeWhole } from "../../core/private-file.ts";
import { fingerprintOf } from "../fingerprint.ts";
import { shortRecipe } from "./short-training.ts";
import type { Measured, Study } from "./study.ts";

const partSchema = z.strictObject({
  settings: z.string(),
  seconds: z.number().nonnegative(),
  measured: z.array(z.strictObject({ row: z.string(), seed: z.int(), values: z.record(z.string(), z.number()) })),
});

/** A part that was computed, and how long it took. */
export interface FinishedPart {
  readonly measured: readonly Measured[];
  readonly seconds: number;
}

/** The folder of a study's finished parts, a file each. */
export interface PartFiles {
  path(part: string): string;
  /** Undefined: not computed yet. Throws STUDY_OTHER or BAD_STUDY_PART. */
  read(part: string): FinishedPart | undefined;
  write(part: string, finished: FinishedPart): void;
  /** Forgets every part, and the ensemble beside them. */
  clear(): void;
}

export function partFiles(study: Study): PartFiles {
  const { outDir } = study.plan;
  const settings = settingsOf(study);
  const path = (part: string): string => join(outDir, "parts", `${part}.json`);
  return {
    path,
    read(part) {
      if (!existsSync(path(part))) return undefined;
      const parsed = parsePart(path(part));
      if (parsed.settings !== settings)
        throw new ConfigError(
          "STUDY_OTHER",
          `${path(part)} was computed with other recordings, another recipe or other --steps. Give the same ones to go on, --fresh to start anew, or another --out.`,
        );
      return parsed;
    },
    write(part, finished) {
      makeFolders(dirname(path(part)));
      writeWhole(path(part), `${JSON.stringify({ settings, ...finished }, undefined, 1)}\n`);
    },
    clear() {
      for (const folder of ["parts", "ensemble"]) rmSync(join(outDir, folder), { recursive: true, force: true });
    },
  };
}

function parsePart(path: string): z.infer<typeof partSchema> {
  try {
    return partSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new DataError("BAD_STUDY_PART", `${path} is no finished part of a study. Delete it: the same command computes it again.`, {
      cause,
    });
  }
}

/** Hash of all that decides a part's result, but for its name. */
function settingsOf({ name, plan: { training, dataset, steps } }: Study): string {
  const { config, features, classOf, split } = training;
  const fingerprint = fingerprintOf({
    ...{ config, features, classOf, seed: 0 },
    recipe: shortRecipe(training.recipe, steps),
    recordings: recordingsOf(dataset, [...split.fit, ...split.select, ...split.calibrate]),
  });
  const { fit, select, calibrate } = split;
  const members = training.ensemble?.members.map((member) => [member.name, member.seed, member.training.recipe]);
  return createHash("sha256")
    .update(JSON.stringify([name, fingerprint, fit, select, calibrate, training.ensemble?.distillation, members]))
    .digest("hex")
    .slice(0, 16);
}
