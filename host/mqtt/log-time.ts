import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { uptime } from "node:os";
import type { Clock } from "../core/clock.ts";

/** Time that no one can set: since the machine started, its sleep included, the same for all processes of one start. */
export interface SteadyClock {
  readonly boot: string; // 32 hex digits: which start of the machine
  steady(): number; // milliseconds
  wall(): number;
}

/** A wall clock before this has not been set: a board without a battery starts in 1970. */
const PLAUSIBLE_WALL_MILLIS = Date.UTC(2023, 0, 1);

/** The machine's own: on Linux CLOCK_BOOTTIME. Where a start has no name, each process counts as one. */
export const systemSteadyClock: SteadyClock = { boot: bootId(), steady: () => uptime() * 1000, wall: () => Date.now() };

/** An injected clock as a steady one, of one start of its own. */
export function steadyOf(clock: Clock, boot = randomBytes(16).toString("hex")): SteadyClock {
  return { boot, steady: () => clock.now(), wall: () => clock.wall() };
}

/** Where a log left its time: the last epoch record, and the last stamp of any kind. */
export interface LogMark {
  readonly boot: string;
  readonly epochSteady: number;
  readonly epochAt: number;
  readonly lastAt: number;
  readonly lastWall: number;
}

/**
 * Log time: milliseconds on an axis that belongs to the log and never runs backwards, so that an age is a difference on it. Within one
 * start of the machine it follows the steady clock, through any number of processes and whatever happens to the wall clock. Across
 * starts only the wall clock knows how long the power was off: it is believed where it is plausible and went forward; else that time
 * counts as nothing, and an ask keeps the age that it had at the last record.
 */
export function createLogTime(clock: SteadyClock, mark: LogMark | undefined): () => number {
  const start = clock.steady();
  const startAt = mark === undefined ? 0 : resumed(clock, mark, start);
  let latest = startAt;
  return () => {
    latest = Math.max(latest, startAt + clock.steady() - start);
    return latest;
  };
}

function resumed(clock: SteadyClock, mark: LogMark, steady: number): number {
  if (mark.boot === clock.boot) return Math.max(mark.lastAt, mark.epochAt + steady - mark.epochSteady);
  const isKnown = mark.lastWall >= PLAUSIBLE_WALL_MILLIS && clock.wall() >= PLAUSIBLE_WALL_MILLIS;
  return mark.lastAt + (isKnown ? Math.max(0, clock.wall() - mark.lastWall) : 0);
}

function bootId(): string {
  try {
    const id = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").replaceAll("-", "").trim();
    if (/^[0-9a-f]{32}$/.test(id)) return id;
  } catch {
    // Not Linux.
  }
  return randomBytes(16).toString("hex");
}
