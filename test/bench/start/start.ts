import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { median } from "../measure.ts";

/** One way to start, and what it took: medians over the rounds, and the ratio to what it is compared with. */
export interface StartCost {
  readonly name: string;
  /** User and system time of the whole process. */
  readonly cpuMillis: number;
  readonly peakMiB: number;
  readonly against: string;
  readonly ratio: number;
}

const root = packageRoot();
const script = (name: string): string => join(root, "test", "bench", "start", name);
const cli = join(root, "dist", "dormouse.js");

/** What is started, and beside what its CPU time is put. */
export interface Start {
  readonly name: string;
  /** Arguments of node. */
  readonly args: readonly string[];
  readonly against: string;
}

export const STARTS: readonly Start[] = [
  { name: "node alone", args: [script("nothing.mjs")], against: "node alone" },
  { name: "first decision, by hand", args: [script("by-hand.mjs"), root], against: "first decision, by hand" },
  { name: "first decision, by the library", args: [script("by-library.mjs"), root], against: "first decision, by hand" },
  { name: "dormouse --version", args: [cli, "--version"], against: "node alone" },
  { name: "dormouse boards", args: [cli, "boards"], against: "node alone" },
  { name: "dormouse --help", args: [cli, "--help"], against: "node alone" },
];

function measure(args: readonly string[]): { readonly cpuMillis: number; readonly peakMiB: number } {
  const ran = spawnSync(process.execPath, ["--require", script("report-cpu.cjs"), ...args], {
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    encoding: "utf8",
    timeout: 60_000,
  });
  if (ran.status !== 0) throw new Error(`${args.join(" ")} ended with ${ran.status}: ${ran.stderr}`);
  return JSON.parse(String(ran.output[3])) as { cpuMillis: number; peakMiB: number };
}

/** CPU time of each start, in turn, round by round; the ratio is the median of the rounds' own ratios, so that a busy minute hits both. */
export function benchStart(rounds: number, starts: readonly Start[] = STARTS): StartCost[] {
  const measured = starts.map((): { cpuMillis: number; peakMiB: number }[] => []);
  for (let round = 0; round < rounds; round++) for (const [i, { args }] of starts.entries()) measured[i]!.push(measure(args));
  return starts.map(({ name, against }, i) => {
    const beside = measured[starts.findIndex((other) => other.name === against)]!;
    return {
      name,
      cpuMillis: median(measured[i]!.map(({ cpuMillis }) => cpuMillis)),
      peakMiB: median(measured[i]!.map(({ peakMiB }) => peakMiB)),
      against,
      ratio: median(measured[i]!.map(({ cpuMillis }, round) => cpuMillis / beside[round]!.cpuMillis)),
    };
  });
}
