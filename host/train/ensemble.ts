import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../core/system/errors.ts";
import { startJax } from "./device-arrays.ts";
import type { Teaching } from "./distill.ts";
import { computeFingerprint } from "./fingerprint.ts";
import { readFloatModel } from "./float-forward.ts";
import { memberDir } from "./member-dir.ts";
import { createNetEvaluator, type NetEvaluator } from "./net-evaluator.ts";
import { netOptions, type TrainRun } from "./run.ts";
import { runFiles } from "./run-folder.ts";
import type { Ensemble, EnsembleMember } from "./training.ts";

/**
 * Whether a member's run has ended, and was the one that `run` would make: of another phase, data set, recipe, length, LDA head or timing it is
 * none.
 */
export function isMemberTrained(outDir: string, member: EnsembleMember, run: Pick<TrainRun, "dataset" | "phase" | "steps">): boolean {
  const dir = memberDir(outDir, member);
  const config = join(dir, runFiles.config);
  if (!existsSync(join(dir, runFiles.metrics)) || !existsSync(config)) return false;
  const { image, lda } = member.training;
  const expected = madeBy({ fingerprint: computeFingerprint(netOptions(member.training, { ...run, seed: member.seed })), image, lda });
  try {
    return madeBy(JSON.parse(readFileSync(config, "utf8"))) === expected;
  } catch {
    return false; // no config.json of a training
  }
}

/** What a run's image follows from, of its config.json. Older runs call the LDA recipe `evidence`. */
function madeBy({
  fingerprint,
  image,
  evidence,
  lda = evidence,
}: Partial<Record<"fingerprint" | "image" | "evidence" | "lda", unknown>>): string {
  return JSON.stringify([fingerprint, image, lda]);
}

/** A trained member in floating point. Throws ENSEMBLE_MISSING. */
export function memberEvaluator(outDir: string, member: EnsembleMember): NetEvaluator {
  return evaluatorOf(readWeights(outDir, member));
}

/** The trained members below `outDir` as teachers. Throws ENSEMBLE_MISSING. */
export async function loadTeaching(ensemble: Ensemble, outDir: string): Promise<Teaching> {
  await startJax();
  const hash = createHash("sha256");
  const teachers = ensemble.members.map((member) => {
    const weights = readWeights(outDir, member);
    const readsCrops = member.training.recipe.cropEvery > 0;
    hash.update(weights.bytes).update(String(readsCrops));
    const evaluator = evaluatorOf(weights);
    return { logits: (patches: Float32Array, seqLen: number) => evaluator.sequences(patches, seqLen).at(-1)!, readsCrops };
  });
  return { ...ensemble.distillation, teachers, fingerprint: hash.digest("hex").slice(0, 16) };
}

interface Weights {
  readonly bytes: Uint8Array;
  readonly path: string;
}

function readWeights(outDir: string, member: EnsembleMember): Weights {
  const path = join(memberDir(outDir, member), runFiles.weights);
  if (existsSync(path)) return { bytes: new Uint8Array(readFileSync(path)), path };
  throw new ConfigError(
    "ENSEMBLE_MISSING",
    `${path} is missing: train the ensemble's member ${member.name} first (--teacher ${member.name}).`,
  );
}

function evaluatorOf({ bytes, path }: Weights): NetEvaluator {
  const { config, features, parameters } = readFloatModel(bytes, path);
  return createNetEvaluator({ config, parameters, scales: {}, residualMax: 1 }, features, false);
}
