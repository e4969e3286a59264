import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { EXIT_NEVER } from "../../assembly/layout.ts";
import { DataError } from "../core/system/errors.ts";

/** Mean and sample standard deviation (n − 1; null of one value) over seeds. */
export interface Spread {
  readonly mean: number;
  readonly sd: number | null;
}

/** summary.json: what seeds have in common, and how far they are apart. */
export interface RunSummary {
  readonly agent: string;
  readonly phase: string;
  readonly steps: number;
  readonly seeds: readonly number[];
  readonly heldOut: readonly string[]; // wearers
  /** By exit. */
  readonly window: readonly Spread[];
  readonly stream: readonly Spread[];
  /** By exit, of each seed: the least confidence that answers, null = it never does. Left out: a teacher, which has no thresholds. */
  readonly answersFrom?: readonly (readonly (number | null)[])[];
}

const accuracies = z.object({ accuracy: z.array(z.number()) });
const metricsSchema = z.object({
  agent: z.string(),
  seed: z.int(),
  phase: z.string(),
  steps: z.int(),
  wearers: z.object({ heldOut: z.array(z.string()) }),
  exits: z.array(z.object({ thresholdQ15: z.int() })),
  certification: z
    .object({
      ...{ wearers: z.int(), windows: z.int(), hops: z.int(), leastAnswered: z.int() },
      open: z
        .object({
          ...{ thresholdsQ15: z.array(z.int()), accuracy: z.number(), fullAccuracy: z.number(), computeShare: z.number() },
          ...{ coverage: z.array(z.number()), asked: z.number() },
        })
        .optional(),
    })
    .optional(),
  heldOut: z.object({ window: accuracies.extend({ windows: z.int() }), stream: accuracies }),
});
export type SeedMetrics = z.infer<typeof metricsSchema>;

/** Reads the metrics.json of a finished seed. Throws BAD_METRICS. */
export function readMetrics(path: string): SeedMetrics {
  const fail = (what: string, cause?: unknown): DataError =>
    new DataError("BAD_METRICS", `${path} ${what}. Run the same command again: finished seeds are not trained twice.`, { cause });
  if (!existsSync(path)) throw fail("is missing: its seed did not finish");
  try {
    return metricsSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw fail("holds no metrics of `dormouse train`", cause);
  }
}

/** Seeds of one training, in any order. */
export function summarize(metrics: readonly SeedMetrics[]): RunSummary {
  const sorted = [...metrics].sort((a, b) => a.seed - b.seed);
  const first = sorted[0]!;
  const byExit = (protocol: "window" | "stream"): Spread[] =>
    first.heldOut[protocol].accuracy.map((_, exit) => spread(sorted.map(({ heldOut }) => heldOut[protocol].accuracy[exit]!)));
  return {
    agent: first.agent,
    phase: first.phase,
    steps: first.steps,
    seeds: sorted.map(({ seed }) => seed),
    heldOut: first.wearers.heldOut,
    window: byExit("window"),
    stream: byExit("stream"),
    ...(sorted.every(({ certification }) => certification) && {
      answersFrom: first.exits.map((_, exit) => sorted.map(({ exits }) => confidenceOf(exits[exit]!.thresholdQ15))),
    }),
  };
}

function confidenceOf(thresholdQ15: number): number | null {
  return thresholdQ15 >= EXIT_NEVER ? null : thresholdQ15 / 32768;
}

/** "93.8 %" of one seed, "91.0 to 93.8 %, in 1 of 3 never" of more, or "never". */
export function answersFromText(seeds: readonly (number | null)[]): string {
  const sure = seeds.filter((confidence) => confidence !== null);
  if (sure.length === 0) return "never";
  const ends = [...new Set([Math.min(...sure), Math.max(...sure)].map((share) => (100 * share).toFixed(1)))];
  const never = seeds.length - sure.length;
  return `${ends.join(" to ")} %${never === 0 ? "" : `, in ${never} of ${seeds.length} never`}`;
}

/** "96.12 ± 0.34 %" of shares. */
export function spreadText({ mean, sd }: Spread): string {
  return sd === null ? `${(100 * mean).toFixed(2)} %` : `${(100 * mean).toFixed(2)} ± ${(100 * sd).toFixed(2)} %`;
}

export function spread(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length < 2) return { mean, sd: null };
  return { mean, sd: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)) };
}
