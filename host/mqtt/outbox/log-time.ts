import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { uptime } from "node:os";
import { type Clock, isClockSet, systemClock } from "../../core/system/clock.ts";

/** Time that no one can set: since the machine started, its sleep included, the same for all processes of one start. */
export interface SteadyClock {
  readonly boot: string; // 32 hex digits: which start of the machine, or NAMELESS_BOOT
  steady(): number; // milliseconds
  wall(): number;
}

/** Boot id when the real one cannot be read (not Linux, or /proc is hidden). Two such boots look alike. */
export const NAMELESS_BOOT = "0".repeat(32);

/** The machine's own: on Linux the time since it started (/proc/uptime). */
export const systemSteadyClock: SteadyClock = {
  boot: bootId(),
  steady: createUptime(() => uptime() * 1000, systemClock),
  wall: systemClock.wall,
};

/** How long the process's own clock may stand in for the machine's, in milliseconds. */
const UPTIME_MILLIS = 1000;
/** By how much wall clock and process's clock may part meanwhile. */
const PARTED_MILLIS = 50;

/**
 * Milliseconds since the machine started. `readMillis` opens a file, and an ask needs the time about six times: so between two readings the
 * process's own clock counts on. That one stands still while the machine sleeps, and the wall clock does not: when they part, the machine
 * slept or somebody set the clock, and the file is read anew.
 */
export function createUptime(readMillis: () => number, clock: Pick<Clock, "now" | "wall">): () => number {
  let readAt = Number.NEGATIVE_INFINITY;
  let wallAhead = 0; // wall clock minus the process's, when it was read
  let millis = 0;
  return () => {
    const at = clock.now();
    const ahead = clock.wall() - at;
    if (at - readAt >= UPTIME_MILLIS || Math.abs(ahead - wallAhead) > PARTED_MILLIS) {
      millis = readMillis();
      readAt = at;
      wallAhead = ahead;
    }
    return millis + at - readAt;
  };
}

/** An injected clock as a steady one, of one start of its own. */
export function createSteadyClock(clock: Clock, boot = randomBytes(16).toString("hex")): SteadyClock {
  return { boot, steady: () => clock.now(), wall: () => clock.wall() };
}

/** Where a log left its time: the last epoch record, and the last stamp of any kind. */
export interface LogMark {
  readonly boot: string; // empty where no epoch was recorded
  readonly epochSteady: number;
  readonly epochAt: number;
  readonly lastAt: number;
  readonly lastWall: number;
}

/**
 * Log time: milliseconds on an axis that belongs to the log and never runs backwards, so that an age is a difference on it. Within one
 * start of the machine it follows the steady clock, through any number of processes and whatever happens to the wall clock. Across
 * starts only the wall clock knows how long the power was off: it is believed where it is plausible and went forward; else that time
 * counts as nothing, and an ask keeps the age that it had at the last record. Where a start has no name, a steady clock that is not
 * behind the log's last record goes on in it: less than that cannot have gone by, and a wall clock that was just set says anything.
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
  const here = mark.epochAt + steady - mark.epochSteady; // if the machine has not started since
  const isNameless = mark.boot === NAMELESS_BOOT || (mark.boot !== "" && clock.boot === NAMELESS_BOOT);
  if (isNameless && here >= mark.lastAt) return here;
  if (!isNameless && mark.boot === clock.boot) return Math.max(mark.lastAt, here);
  const isKnown = isClockSet(mark.lastWall) && isClockSet(clock.wall());
  return mark.lastAt + (isKnown ? Math.max(0, clock.wall() - mark.lastWall) : 0);
}

function bootId(): string {
  try {
    const id = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").replaceAll("-", "").trim();
    if (/^[0-9a-f]{32}$/.test(id)) return id;
  } catch {
    // Not Linux, or hidden.
  }
  return NAMELESS_BOOT;
}
