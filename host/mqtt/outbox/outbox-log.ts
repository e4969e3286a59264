import * as nodeFs from "node:fs";
import { dirname } from "node:path";
import { MqttError } from "../../core/system/errors.ts";
import { PRIVATE_MODE } from "../../core/system/private-file.ts";
import { frameRecords, LOG_HEADER, recoverLog } from "./recover-log.ts";

/** The file calls that the log makes; injected so that a test can fill the disk. */
export type LogFs = Pick<
  typeof nodeFs,
  | "openSync"
  | "writeSync"
  | "readFileSync"
  | "ftruncateSync"
  | "fdatasyncSync"
  | "closeSync"
  | "renameSync"
  | "unlinkSync"
  | "existsSync"
  | "chmodSync"
>;

/** What opening found. `setAside`: the file was not a log at all and was renamed, never deleted. */
export interface LogRecovery {
  readonly records: number;
  readonly validBytes: number;
  readonly droppedBytes: number;
  readonly reason?: string;
  readonly setAside?: string;
}

export type LogResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export interface AppendLog {
  readonly recovery: LogRecovery;
  readonly bytes: number; // records, without the room after them
  /**
   * Appends, all or nothing, and leaves at least `reserveBytes` of room taken after it: zeros already on the medium, into which later
   * records fit on a full disk. A write that fails half way leaves nothing behind.
   */
  append(bodies: readonly Uint8Array[], options: { readonly sync: boolean; readonly reserveBytes: number }): LogResult;
  /** Compacts: a new file with these bodies replaces the old one in one rename. */
  rewrite(bodies: readonly Uint8Array[], reserveBytes: number): LogResult;
  /** From now on nothing is written: the system gives the descriptor to the next file. */
  close(): void;
}

/** Room is taken in steps, so that few appends grow the file. */
const GROWTH_BYTES = 16_384;
const ZEROS = new Uint8Array(GROWTH_BYTES);
const CLOSED: LogResult = { ok: false, reason: "the outbox is closed" };

/** Opens or creates a log, synced or left to the system, and returns it with the bodies it holds. Throws MqttError when the folder cannot be written at all. */
export function openLog(
  path: string,
  options: { readonly sync: boolean; readonly fs?: LogFs | undefined },
): { readonly log: AppendLog; readonly bodies: readonly Uint8Array[] } {
  const { sync: isSynced, fs = nodeFs } = options;
  const temporary = `${path}.tmp`;
  let descriptor: number;
  let end: number; // records up to here
  let dirty: number; // zeros from here
  let length: number; // of the file
  let found: ReturnType<typeof recoverLog>;
  let recovery: LogRecovery;
  let isClosed = false;

  const write = (bytes: Uint8Array, position: number) => {
    for (let done = 0; done < bytes.length; ) {
      const count = fs.writeSync(descriptor, bytes, done, bytes.length - done, position + done);
      if (count <= 0) throw new MqttError("OUTBOX_UNWRITABLE", "the system wrote nothing");
      done += count;
    }
  };
  const zero = (from: number, to: number) => {
    for (let at = from; at < to; at += GROWTH_BYTES) write(ZEROS.subarray(0, Math.min(GROWTH_BYTES, to - at)), at);
  };
  /** Zeros whatever a failed write or a torn end left after the records. */
  const clean = () => {
    zero(end, Math.min(dirty, length));
    dirty = end;
  };
  const grow = (bytes: number) => {
    if (bytes <= length) return;
    const before = length;
    try {
      for (const wanted of [Math.max(bytes, before + GROWTH_BYTES), bytes]) {
        try {
          zero(before, wanted);
          length = wanted;
          return;
        } catch (error) {
          if (wanted === bytes) throw error;
        }
      }
    } catch (error) {
      fs.ftruncateSync(descriptor, before);
      throw error;
    }
  };

  try {
    const file = fs.existsSync(path) ? fs.readFileSync(path) : new Uint8Array();
    found = recoverLog(file);
    const isForeign = found.validBytes === 0 && file.length >= LOG_HEADER.length && found.usedBytes > 0;
    const setAside = isForeign ? `${path}.bad` : undefined;
    closeToOthers(fs, path);
    if (setAside) fs.renameSync(path, setAside);
    if (fs.existsSync(temporary)) fs.unlinkSync(temporary); // of a compaction that was killed
    recovery = {
      records: found.bodies.length,
      validBytes: found.validBytes,
      droppedBytes: found.usedBytes - found.validBytes,
      ...(found.reason ? { reason: found.reason } : {}),
      ...(setAside ? { setAside } : {}),
    };
    const isNew = !fs.existsSync(path);
    descriptor = fs.openSync(path, isNew ? "wx+" : "r+", PRIVATE_MODE);
    [end, dirty, length] = isForeign ? [0, 0, 0] : [found.validBytes, found.usedBytes, file.length];
    clean();
    if (end === 0) {
      write(LOG_HEADER, 0);
      end = dirty = LOG_HEADER.length;
      length = Math.max(length, end);
    }
    if (isSynced) fs.fdatasyncSync(descriptor);
    if (isSynced && isNew) syncFolder(fs, path);
  } catch (cause) {
    throw new MqttError(
      "OUTBOX_UNWRITABLE",
      `the outbox ${path} cannot be opened: ${(cause as Error).message}. Give it a folder that exists, is writable and has room.`,
      { cause },
    );
  }

  const log: AppendLog = {
    recovery,
    get bytes() {
      return end;
    },
    append(bodies, { sync, reserveBytes }) {
      if (isClosed) return CLOSED;
      const bytes = frameRecords(bodies);
      try {
        clean();
        grow(end + bytes.length + reserveBytes);
        dirty = end + bytes.length;
        write(bytes, end);
        if (sync) fs.fdatasyncSync(descriptor);
        end = dirty;
        return { ok: true };
      } catch (error) {
        try {
          clean();
        } catch {
          // Cleaned before the next append; until then a reader stops at `end` or finds whole records, never half ones.
        }
        return { ok: false, reason: (error as Error).message };
      }
    },
    rewrite(bodies, reserveBytes) {
      if (isClosed) return CLOSED;
      const records = frameRecords(bodies, LOG_HEADER);
      const bytes = new Uint8Array(records.length + reserveBytes);
      bytes.set(records);
      const old = descriptor;
      let next: number | undefined;
      try {
        next = fs.openSync(temporary, "wx+", PRIVATE_MODE);
        descriptor = next;
        write(bytes, 0);
        if (isSynced) fs.fdatasyncSync(next);
        fs.renameSync(temporary, path);
      } catch (error) {
        descriptor = old;
        if (next !== undefined) fs.closeSync(next);
        if (fs.existsSync(temporary)) fs.unlinkSync(temporary);
        return { ok: false, reason: (error as Error).message };
      }
      fs.closeSync(old);
      end = dirty = records.length;
      length = bytes.length;
      if (isSynced) syncFolder(fs, path);
      return { ok: true };
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      fs.closeSync(descriptor);
    },
  };
  return { log, bodies: found.bodies };
}

/** Asks hold what a wearer did. A file system without modes (FAT) has none to take away. */
function closeToOthers(fs: LogFs, path: string): void {
  try {
    if (fs.existsSync(path)) fs.chmodSync(path, PRIVATE_MODE);
  } catch {
    // Another user's file: whether it can be written shows when it is opened.
  }
}

/** Makes a new name itself durable, where the system lets a folder be synced. */
function syncFolder(fs: LogFs, path: string): void {
  try {
    const folder = fs.openSync(dirname(path), "r");
    fs.fdatasyncSync(folder);
    fs.closeSync(folder);
  } catch {
    // Windows and some network file systems do not; a rename is still atomic.
  }
}
