import { readFileSync } from "node:fs";
import { ConfigError } from "../../host/core/system/errors.ts";

/** Resident memory of a process in KiB, from Linux's /proc. Undefined where it is gone. */
export function residentKiB(pid: number): number | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/status`, "utf8");
  } catch (cause) {
    if (pid !== process.pid) return undefined;
    throw new ConfigError("SOAK_NEEDS_PROC", "memory is read from /proc, and this system has none. Run the soak on Linux.", { cause });
  }
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(text);
  return match ? Number(match[1]) : undefined;
}

/** A process's resident memory over time, and what it says. */
export interface MemorySeries {
  readonly process: string;
  readonly minutes: readonly number[]; // since the start
  readonly residentMiB: readonly number[];
  /** Over what followed the warm-up: the least-squares line's rise. */
  readonly slopeMiBPerMinute: number;
  readonly firstMiB: number; // lowest of the first fifth after the warm-up
  readonly lastMiB: number; // lowest of the last fifth
  readonly isFlat: boolean;
}

/** Share of the time that caches and ledgers may take to fill. */
const WARM_UP = 0.3;
/**
 * Flat: the lowest of the last fifth is at most so much above the lowest of the first. Garbage that waits to be collected makes a saw, and
 * its mean tells where in a tooth a fifth was cut; what a collection leaves is the floor, and a leak lifts it.
 */
const FLAT_SHARE = 0.05;

export function memorySeries(process: string, samples: readonly { readonly minute: number; readonly kiB: number }[]): MemorySeries {
  const until = samples.at(-1)?.minute ?? 0;
  const steady = samples.filter(({ minute }) => minute >= until * WARM_UP).map(({ minute, kiB }) => ({ x: minute, y: kiB / 1024 }));
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
  const mx = mean(steady.map(({ x }) => x));
  const my = mean(steady.map(({ y }) => y));
  const spread = steady.reduce((sum, { x }) => sum + (x - mx) ** 2, 0);
  const slope = spread === 0 ? 0 : steady.reduce((sum, { x, y }) => sum + (x - mx) * (y - my), 0) / spread;
  const fifth = Math.max(1, Math.floor(steady.length / 5));
  const floor = (part: typeof steady) => Math.min(...part.map(({ y }) => y));
  const [first, last] = [floor(steady.slice(0, fifth)), floor(steady.slice(-fifth))];
  return {
    process,
    minutes: samples.map(({ minute }) => round(minute, 2)),
    residentMiB: samples.map(({ kiB }) => round(kiB / 1024, 1)),
    slopeMiBPerMinute: round(slope, 3),
    firstMiB: round(first, 1),
    lastMiB: round(last, 1),
    isFlat: last <= first * (1 + FLAT_SHARE),
  };
}

const round = (value: number, digits: number) => Math.round(value * 10 ** digits) / 10 ** digits;
