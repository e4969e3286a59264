import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { LoadedAgent } from "../agent/loaded-agent.ts";
import type { SubjectList } from "../core/image/image-types.ts";
import type { Model } from "../core/session/model.ts";
import { DataError } from "../core/system/errors.ts";
import type { Output } from "../core/system/output.ts";
import { type Dataset, type Recording, selectRecordings } from "../data/recording.ts";

/** Lists of wearers that an evaluation may score. */
export const scoredLists = ["test", "calibrate", "select"] as const;
export type ScoredList = (typeof scoredLists)[number];

/** What every kind of evaluation needs. */
export interface EvalSetting {
  readonly out: Output;
  readonly agent: LoadedAgent;
  readonly model: Model;
  readonly dataset: Dataset;
  /** List of the image's manifest that is scored. */
  readonly list: ScoredList;
}

/** The agent with another image, and with the prior beside that, if there is one. */
export function withModel(agent: LoadedAgent, modelPath: string): LoadedAgent {
  const { prior } = agent.definition;
  const beside = prior === undefined ? undefined : join(dirname(modelPath), basename(prior));
  return { ...agent, modelPath, priorPath: beside !== undefined && existsSync(beside) ? beside : agent.priorPath };
}

/** Wearers by what they do in an evaluation. The scored ones choose nothing. */
export interface WearerRoles {
  readonly score: SubjectList;
  readonly tune: readonly SubjectList[]; // groups that operating points are chosen on
  readonly certify: SubjectList; // thresholds are certified on them
}

/**
 * Roles for scoring a list: the select and calibrate wearers tune, the calibrate ones certify. Scoring one of these two lists is a
 * rehearsal that leaves the test wearers alone: the other one then does both.
 */
export function wearerRoles({ select, calibrate, test }: Model["manifest"]["protocol"], list: ScoredList): WearerRoles {
  if (list === "test") return { score: test, tune: [select, calibrate].filter(({ length }) => length > 0), certify: calibrate };
  const [score, other] = list === "select" ? [select, calibrate] : [calibrate, select];
  return { score, tune: [other], certify: other };
}

/** Whether an image has learned from the select wearers too, as training's last phase does: its manifest's own metrics are of the others. */
export function hasLearnedFromSelect({ metrics }: Model["manifest"]): boolean {
  return Object.keys(metrics).some((name) => name.startsWith("calibrate"));
}

/** The recordings of wearers that an evaluation needs. Throws EVAL_NO_RECORDINGS if there are none. */
export function recordingsFor({ dataset, model }: Pick<EvalSetting, "dataset" | "model">, users: SubjectList): Recording[] {
  const recordings = selectRecordings(dataset, users);
  if (recordings.length > 0) return recordings;
  throw new DataError(
    "EVAL_NO_RECORDINGS",
    `the folder has no recording of the wearers ${users.join(" ")} that ${model.manifest.name} names in its manifest. Give the data that it was made with.`,
  );
}

/** Throws EVAL_NO_WINDOWS where `count` moments of the wearers could be scored: none. */
export function requireScored(count: number, users: SubjectList): void {
  if (count > 0) return;
  throw new DataError(
    "EVAL_NO_WINDOWS",
    `the recordings of the wearers ${users.join(" ")} have no labelled window: nothing can be scored. Label longer stretches.`,
  );
}

/** Class of what lies between two activities, −1 where the model has none. */
export function findBetweenClass({ manifest }: Model): number {
  return manifest.labels.indexOf("transition");
}
