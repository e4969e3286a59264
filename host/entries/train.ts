/** dormouse-edge/train: recordings to learn from, and the metrics and files that a training (`dormouse train`) leaves. */

export { openRecordings } from "../data/open-recordings.ts";
export type { Recording } from "../data/recording.ts";
export { type RunSummary, readMetrics, type SeedMetrics, summarize } from "../eval/seed-summary.ts";
export { runFiles } from "../train/run-folder.ts";
