import { lstatSync, readdirSync, readFileSync, readlinkSync, symlinkSync, unlinkSync } from "node:fs";
import { basename, dirname } from "node:path";
import { MqttError } from "../../core/system/errors.ts";
import { NAMELESS_BOOT, systemSteadyClock } from "./log-time.ts";

/** Holds until released or until the process is gone, however it went. */
export interface OutboxLock {
  release(): void;
}

/** Contenders that may come in between before we give up. */
const MAX_TRIES = 64;

/**
 * One process at a time. The lock is a symbolic link `{path}.lock.{n}` whose target names its holder: made in one step with its
 * content, without a block of disk, so also on a full one. The link with the highest n counts, and it is never deleted but by the
 * holder of a higher one: whoever finds the holder dead (or the lock freed) makes n + 1, which only one can, and then looks whether
 * somebody is higher still. No moment exists in which two hold it.
 *
 * A holder is a process id with its start time and the machine's boot id; where either side cannot read the boot id, the other two
 * decide. Processes of another container or machine cannot be judged
 * from here: do not share a folder between those.
 */
export function lockOutbox(path: string, boot = systemSteadyClock.boot): OutboxLock {
  const me = holderOf(process.pid, boot);
  try {
    return take(path, me, boot);
  } catch (cause) {
    if (cause instanceof MqttError) throw cause;
    throw new MqttError(
      "OUTBOX_UNWRITABLE",
      `the outbox ${path} cannot be locked: ${(cause as Error).message}. Give it a writable folder on a file system with symbolic links.`,
      { cause },
    );
  }
}

function take(path: string, me: string, boot: string): OutboxLock {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const highest = locksOf(path).at(-1) ?? 0;
    const holder = highest === 0 ? undefined : targetOf(path, highest);
    if (holder !== undefined && holder !== FREE && isAlive(holder, boot)) {
      throw new MqttError(
        "OUTBOX_LOCKED",
        `the outbox ${path} is in use by process ${holder.split(":")[0]}. Stop that one, or give this one a data folder of its own.`,
      );
    }
    const mine = highest + 1;
    if (!link(path, mine, me)) continue; // somebody was faster
    const all = locksOf(path);
    if (all.at(-1) !== mine) {
      unlinkSync(nameOf(path, mine));
      continue; // somebody is higher: a late comer on an old view
    }
    for (const old of all.slice(0, -1)) unlinkQuietly(nameOf(path, old));
    return {
      release() {
        // Freed by a higher link, not by deleting this one: the highest never goes away under a contender's eyes.
        try {
          if (targetOf(path, mine) === me && link(path, mine + 1, FREE)) unlinkQuietly(nameOf(path, mine));
        } catch {
          // No room for a link: it is held until this process ends.
        }
      },
    };
  }
  throw new MqttError("OUTBOX_LOCKED", `the outbox ${path} is fought over by other processes. Let one of them have it, and start again.`);
}

const FREE = "free";

function nameOf(path: string, n: number): string {
  return `${path}.lock.${n}`;
}

/** The numbers of the locks, rising; looked up until two looks agree, since a folder may change while it is read. */
function locksOf(path: string): number[] {
  const prefix = `${basename(path)}.lock.`;
  const look = () =>
    readdirSync(dirname(path))
      .filter((name) => name.startsWith(prefix) && /^\d{1,15}$/.test(name.slice(prefix.length)))
      .map((name) => Number(name.slice(prefix.length)))
      .sort((a, b) => a - b);
  for (let seen = look(), tries = 0; ; tries++) {
    const again = look();
    if (again.at(-1) === seen.at(-1) || tries >= MAX_TRIES) return again;
    seen = again;
  }
}

function link(path: string, n: number, target: string): boolean {
  try {
    symlinkSync(target, nameOf(path, n));
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw cause;
  }
}

function targetOf(path: string, n: number): string | undefined {
  try {
    return readlinkSync(nameOf(path, n));
  } catch {
    return lstatSync(nameOf(path, n), { throwIfNoEntry: false }) === undefined ? undefined : FREE; // not a link: free
  }
}

function unlinkQuietly(name: string): void {
  try {
    unlinkSync(name);
  } catch {
    // Another holder tidied it.
  }
}

/** `pid:start:boot`; a process id alone comes back after a crash as somebody else. */
function holderOf(pid: number, boot: string): string {
  return `${pid}:${startOf(pid) ?? ""}:${boot}`;
}

function isAlive(holder: string, ourBoot: string): boolean {
  const [pid = "", start = "", boot = ""] = holder.split(":");
  const isOfAnotherStart = boot !== ourBoot && boot !== NAMELESS_BOOT && ourBoot !== NAMELESS_BOOT;
  if (!/^[1-9]\d{0,9}$/.test(pid) || isOfAnotherStart) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false; // EPERM: alive, another user's
  }
  const now = startOf(Number(pid));
  return now === undefined || start === "" || now === start;
}

/** Clock ticks since boot at which a process began, on Linux; a zombie has ended. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name may hold spaces
    return fields[0] === "Z" || fields[0] === "X" ? "ended" : fields[19];
  } catch {
    return undefined;
  }
}
