/** dormouse-edge/train: recordings to learn from, the plan of a training and its seeds as processes. Needs no toolchain but Node. */

export { openRecordings } from "../data/open-recordings.ts";
export type { Recording } from "../data/recording.ts";
export { type RunSummary, readMetrics, type SeedMetrics, summarize } from "../eval/seed-summary.ts";
export { planTraining, type TrainOptions } from "../train/plan.ts";
export { runFiles } from "../train/run-folder.ts";
export { memberJob, runJobs, type TrainJob } from "../train/run-jobs.ts";
