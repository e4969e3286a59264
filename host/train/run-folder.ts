import { appendFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DataError } from "../core/system/errors.ts";
import { makeFolders } from "../core/system/folder.ts";
import { writeWhole } from "../core/system/private-file.ts";

/** One line of progress.jsonl. */
export interface TrainProgress {
  readonly step: number; // steps done
  readonly steps: number;
  readonly loss: number; // mean since the line before
  readonly learningRate: number;
  readonly seconds: number; // of training so far, stops left out
  readonly accuracy?: number | undefined; // share of the held-out wearers' windows right at the last exit; measured now and then
}

/** Files of one seed's run. */
export const runFiles = {
  config: "config.json",
  progress: "progress.jsonl",
  checkpoint: "checkpoint.safetensors",
  metrics: "metrics.json",
  image: "model.dmm",
  weights: "model.safetensors",
  prior: "lda-prior.safetensors",
  report: "report.html",
  agent: "agent.ts", // of an agent of one's own
  card: "CARD.md",
  generated: "generated.json", // agent.ts and CARD.md as `train` last made them
} as const;

/** A run's folder. Writes replace whole files; progress.jsonl alone grows. */
export interface RunFolder {
  path(file: keyof typeof runFiles): string;
  write(file: keyof typeof runFiles, content: Uint8Array | string): void;
  checkpoint(): Uint8Array | undefined;
  append(progress: TrainProgress): void;
  progress(): TrainProgress[];
}

/** What is its author's, and how to know what of it is. */
const authored: readonly (keyof typeof runFiles)[] = ["agent", "card", "generated"];

/** Opens or makes a run's folder. `isFresh` empties it of an earlier run's files; agent.ts and CARD.md may be their author's and stay. */
export function openRunFolder(dir: string, isFresh: boolean): RunFolder {
  makeFolders(dir);
  const path = (file: keyof typeof runFiles): string => join(dir, runFiles[file]);
  if (isFresh)
    for (const file of Object.keys(runFiles) as (keyof typeof runFiles)[])
      if (!authored.includes(file)) rmSync(path(file), { force: true });
  return {
    path,
    write: (file, content) => writeWhole(path(file), content),
    checkpoint: () => (existsSync(path("checkpoint")) ? new Uint8Array(readFileSync(path("checkpoint"))) : undefined),
    append: (progress) => appendFileSync(path("progress"), `${JSON.stringify(progress)}\n`),
    progress: () => (existsSync(path("progress")) ? readProgress(readFileSync(path("progress"), "utf8"), path("progress")) : []),
  };
}

/** Leaves the lines up to `step`: those after it were written between a checkpoint and the end of the process, and come again. */
export function keepProgressUpTo(folder: RunFolder, step: number): void {
  const kept = folder.progress().filter((progress) => progress.step <= step);
  folder.write("progress", kept.map((progress) => `${JSON.stringify(progress)}\n`).join(""));
}

const progressSchema = z.object({
  step: z.int().positive(),
  steps: z.int().positive(),
  loss: z.number(),
  learningRate: z.number(),
  seconds: z.number(),
  accuracy: z.number().optional(),
});

/** Lines of progress.jsonl. A last line without its end was cut by a kill and is left out; any other bad line throws BAD_PROGRESS. */
function readProgress(text: string, path: string): TrainProgress[] {
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line, i) => {
    try {
      return progressSchema.parse(JSON.parse(line));
    } catch (cause) {
      throw new DataError("BAD_PROGRESS", `${path}:${i + 1}: no progress line of \`dormouse train\`. Start anew with --fresh.`, { cause });
    }
  });
}
