import * as nodeFs from "node:fs";
import { dirname } from "node:path";
import { crc32 } from "../core/crc32.ts";
import { MqttError } from "../core/errors.ts";

/**
 * An append-only file of checked records, little-endian:
 *
 * | bytes | what                                     |
 * |-------|------------------------------------------|
 * | 8     | "DMOB", u32 version 1 (once)             |
 * | 4     | u32 body length n, 1…MAX_BODY_BYTES      |
 * | 4     | u32 CRC-32 of the body                   |
 * | n     | body                                     |
 *
 * Reading stops at the first record that is cut or fails its CRC: the longest valid prefix counts, the rest is reported
 * and overwritten. A write that fails half way is cut off again before the next.
 */
export const MAX_BODY_BYTES = 135_168;

const HEADER = Uint8Array.of(0x44, 0x4d, 0x4f, 0x42, 1, 0, 0, 0);
const RECORD_HEADER_BYTES = 8;

/** The file calls that the log makes; injected so that a test can fill the disk. */
export type LogFs = Pick<
  typeof nodeFs,
  "openSync" | "writeSync" | "readFileSync" | "ftruncateSync" | "fdatasyncSync" | "closeSync" | "renameSync" | "unlinkSync" | "existsSync"
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
  readonly bytes: number;
  append(bodies: readonly Uint8Array[], options: { readonly sync: boolean }): LogResult;
  /** Compacts: a new file with these bodies replaces the old one in one rename. */
  rewrite(bodies: readonly Uint8Array[]): LogResult;
  close(): void;
}

/** The bodies of the longest valid prefix. Any bytes are safe; the bodies share memory with `file`. */
export function recoverLog(file: Uint8Array): { readonly bodies: Uint8Array[]; readonly validBytes: number; readonly reason?: string } {
  const bodies: Uint8Array[] = [];
  if (file.length === 0) return { bodies, validBytes: 0 };
  for (let i = 0; i < HEADER.length; i++) {
    if (i >= file.length) return { bodies, validBytes: 0, reason: "the header is cut" };
    if (file[i] !== HEADER[i]) return { bodies, validBytes: 0, reason: "not an outbox log of version 1" };
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let at = HEADER.length;
  while (at < file.length) {
    const stop = (reason: string) => ({ bodies, validBytes: at, reason: `record ${bodies.length} at byte ${at}: ${reason}` });
    if (file.length - at < RECORD_HEADER_BYTES) return stop("the header is cut");
    const length = view.getUint32(at, true);
    if (length === 0 || length > MAX_BODY_BYTES) return stop(`a length of ${length}`);
    if (file.length - at - RECORD_HEADER_BYTES < length) return stop("the body is cut");
    const body = file.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length);
    if (crc32(body) !== view.getUint32(at + 4, true)) return stop("the CRC differs");
    bodies.push(body);
    at += RECORD_HEADER_BYTES + length;
  }
  return { bodies, validBytes: at };
}

/** Opens or creates a log, synced or left to the system, and returns it with the bodies it holds. Throws MqttError when the folder cannot be written at all. */
export function openLog(
  path: string,
  options: { readonly sync: boolean; readonly fs?: LogFs | undefined },
): { readonly log: AppendLog; readonly bodies: readonly Uint8Array[] } {
  const { sync: isSynced, fs = nodeFs } = options;
  const temporary = `${path}.tmp`;
  let descriptor: number;
  let end: number; // bytes known to be good
  let isTorn = false; // bytes beyond `end` may exist
  let found: ReturnType<typeof recoverLog>;
  let recovery: LogRecovery;
  try {
    const file = fs.existsSync(path) ? fs.readFileSync(path) : new Uint8Array();
    found = recoverLog(file);
    const isForeign = found.validBytes === 0 && file.length >= HEADER.length;
    const setAside = isForeign ? `${path}.bad` : undefined;
    if (setAside) fs.renameSync(path, setAside);
    recovery = {
      records: found.bodies.length,
      validBytes: found.validBytes,
      droppedBytes: file.length - found.validBytes,
      ...(found.reason ? { reason: found.reason } : {}),
      ...(setAside ? { setAside } : {}),
    };
    descriptor = fs.openSync(path, fs.existsSync(path) ? "r+" : "w+");
    end = found.validBytes;
    fs.ftruncateSync(descriptor, end);
    if (end === 0) {
      writeAll(fs, descriptor, HEADER, 0);
      end = HEADER.length;
    }
    if (isSynced) fs.fdatasyncSync(descriptor);
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
    append(bodies, { sync }) {
      const bytes = frame(bodies);
      try {
        if (isTorn) fs.ftruncateSync(descriptor, end);
        isTorn = true;
        writeAll(fs, descriptor, bytes, end);
        if (sync) fs.fdatasyncSync(descriptor);
        isTorn = false;
        end += bytes.length;
        return { ok: true };
      } catch (error) {
        return { ok: false, reason: (error as Error).message };
      }
    },
    rewrite(bodies) {
      const bytes = frame(bodies, HEADER);
      let next: number | undefined;
      try {
        next = fs.openSync(temporary, "w+");
        writeAll(fs, next, bytes, 0);
        if (isSynced) fs.fdatasyncSync(next);
        fs.renameSync(temporary, path);
      } catch (error) {
        if (next !== undefined) fs.closeSync(next);
        if (fs.existsSync(temporary)) fs.unlinkSync(temporary);
        return { ok: false, reason: (error as Error).message };
      }
      fs.closeSync(descriptor);
      descriptor = next;
      end = bytes.length;
      isTorn = false;
      if (isSynced) syncFolder(fs, path);
      return { ok: true };
    },
    close() {
      fs.closeSync(descriptor);
    },
  };
  return { log, bodies: found.bodies };
}

function frame(bodies: readonly Uint8Array[], header = new Uint8Array()): Uint8Array {
  const bytes = new Uint8Array(header.length + bodies.reduce((sum, body) => sum + RECORD_HEADER_BYTES + body.length, 0));
  const view = new DataView(bytes.buffer);
  bytes.set(header);
  let at = header.length;
  for (const body of bodies) {
    view.setUint32(at, body.length, true);
    view.setUint32(at + 4, crc32(body), true);
    bytes.set(body, at + RECORD_HEADER_BYTES);
    at += RECORD_HEADER_BYTES + body.length;
  }
  return bytes;
}

function writeAll(fs: LogFs, descriptor: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) done += fs.writeSync(descriptor, bytes, done, bytes.length - done, position + done);
}

/** Makes a rename itself durable, where the system lets a folder be synced. */
function syncFolder(fs: LogFs, path: string): void {
  try {
    const folder = fs.openSync(dirname(path), "r");
    fs.fdatasyncSync(folder);
    fs.closeSync(folder);
  } catch {
    // Windows and some network file systems do not; the rename is still atomic.
  }
}
