import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../core/errors.ts";
import { startJax } from "./device-arrays.ts";
import type { Teaching } from "./distill.ts";
import { readFloatModel } from "./float-forward.ts";
import { createNetEvaluator } from "./net-evaluator.ts";
import { runFiles } from "./run-folder.ts";
import type { Ensemble, EnsembleMember } from "./training.ts";

/** Where a member's run lies, beside the students' runs in `outDir`. */
export function memberDir(outDir: string, { name, seed }: EnsembleMember): string {
  return join(outDir, "ensemble", name, `seed-${seed}`);
}

/** A member is trained once its run has ended. */
export function isMemberTrained(outDir: string, member: EnsembleMember): boolean {
  return existsSync(join(memberDir(outDir, member), runFiles.metrics));
}

/** The trained members below `outDir` as teachers, in floating point. Throws ENSEMBLE_MISSING. */
export async function loadTeaching(ensemble: Ensemble, outDir: string): Promise<Teaching> {
  await startJax();
  const hash = createHash("sha256");
  const teachers = ensemble.members.map((member) => {
    const path = join(memberDir(outDir, member), runFiles.weights);
    if (!isMemberTrained(outDir, member))
      throw new ConfigError(
        "ENSEMBLE_MISSING",
        `${path} is missing: train the ensemble's member ${member.name} first (--teacher ${member.name}).`,
      );
    const bytes = new Uint8Array(readFileSync(path));
    hash.update(bytes);
    const { config, features, parameters } = readFloatModel(bytes, path);
    const evaluator = createNetEvaluator({ config, parameters, scales: {}, residualMax: 1 }, features, false);
    const logits = (patches: Float32Array, seqLen: number): Float32Array => evaluator.sequences(patches, seqLen).at(-1)!;
    return { logits, readsCrops: member.training.recipe.cropEvery > 0 };
  });
  return { ...ensemble.distillation, teachers, fingerprint: hash.digest("hex").slice(0, 16) };
}
