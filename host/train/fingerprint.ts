import { createHash } from "node:crypto";
import { ConfigError } from "../core/system/errors.ts";
import type { TrainNetOptions } from "./train-net.ts";

/** What decides a training's result, each part by its hash or value: two runs with the same parts give the same bits. */
export type Fingerprint = Readonly<Record<"net" | "features" | "recipe" | "classes" | "seed" | "recordings" | "teachers", string>>;

/** What one changes on the command line or in train.ts to change a part. */
const partNames: Record<keyof Fingerprint, string> = {
  net: "the net's shape",
  features: "the features' steps and zero points",
  recipe: "the recipe (steps, batches, learning rate, …)",
  classes: "which label is which class",
  seed: "the seed",
  recordings: "the recordings or the wearers that are trained on",
  teachers: "the ensemble or how it is learned from",
};

/** Fingerprint of a training: about 20 ms for the frames of HAPT. */
export function computeFingerprint({ config, features, recipe, classOf, seed, recordings, teaching }: TrainNetOptions): Fingerprint {
  const data = createHash("sha256");
  for (const { name, subject, channels, frames, labels, segments, scoredLabels } of recordings) {
    data.update(JSON.stringify([name, subject, channels, labels.length, scoredLabels, segments]));
    data.update(new Uint8Array(frames.buffer, frames.byteOffset, frames.byteLength));
    data.update(labels);
  }
  const hashOf = (value: unknown): string => createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
  return {
    net: hashOf(config),
    features: hashOf(features),
    recipe: hashOf(recipe),
    classes: hashOf(Array.from({ length: 256 }, (_, label) => classOf(label))),
    seed: String(seed),
    recordings: data.digest("hex").slice(0, 16),
    teachers: teaching ? hashOf({ ...teaching, teachers: teaching.teachers.length }) : "none",
  };
}

/** Throws CHECKPOINT_OTHER where a checkpoint was made by another training, and names what differs. */
export function checkFingerprint(found: Fingerprint, expected: Fingerprint, path: string): void {
  const other = (Object.keys(partNames) as (keyof Fingerprint)[]).filter((part) => found[part] !== expected[part]);
  if (other.length === 0) return;
  throw new ConfigError(
    "CHECKPOINT_OTHER",
    `${path} is the checkpoint of another training: ${other.map((part) => partNames[part]).join("; ")} differ${other.length === 1 ? "s" : ""}. Give the same data and options to go on with it, --fresh to start anew, or another --out.`,
  );
}
