import { crc32 } from "../../core/arithmetic/crc32.ts";

/**
 * An append-only file of checked records, little-endian:
 *
 * | bytes | what                                                                    |
 * |-------|-------------------------------------------------------------------------|
 * | 8     | "DMOB", u32 version 2 (once)                                            |
 * | 4     | u32 body length n, 1…MAX_BODY_BYTES                                     |
 * | 4     | u32 CRC-32 of the body                                                  |
 * | n     | body                                                                    |
 * | …     | zeros after the last record: room that is taken before it is needed     |
 *
 * Reading stops at the first record that is cut or fails its CRC: the longest valid prefix counts, the rest is reported and
 * overwritten.
 */
export const MAX_BODY_BYTES = 135_168;
export const LOG_HEADER = Uint8Array.of(0x44, 0x4d, 0x4f, 0x42, 2, 0, 0, 0);
export const RECORD_HEADER_BYTES = 8;

/** The longest valid prefix. `usedBytes`: up to the last byte that is not zero, at least `validBytes`. */
export interface RecoveredLog {
  readonly bodies: Uint8Array[]; // share memory with the file
  readonly validBytes: number;
  readonly usedBytes: number;
  readonly reason?: string; // why it ended before usedBytes
}

/** Any bytes are safe. */
export function recoverLog(file: Uint8Array): RecoveredLog {
  const bodies: Uint8Array[] = [];
  let usedBytes = file.length;
  while (usedBytes > 0 && file[usedBytes - 1] === 0) usedBytes--;
  const stop = (validBytes: number, reason: string) => ({ bodies, validBytes, usedBytes: Math.max(usedBytes, validBytes), reason });
  if (usedBytes === 0) return { bodies, validBytes: 0, usedBytes: 0 };
  for (let i = 0; i < LOG_HEADER.length; i++) {
    if (i >= file.length) return stop(0, "the header is cut");
    if (file[i] !== LOG_HEADER[i]) return stop(0, "not an outbox log of version 2");
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let at = LOG_HEADER.length;
  while (at < usedBytes) {
    const where = `record ${bodies.length} at byte ${at}`;
    if (file.length - at < RECORD_HEADER_BYTES) return stop(at, `${where}: the header is cut`);
    const length = view.getUint32(at, true);
    if (length === 0 || length > MAX_BODY_BYTES) return stop(at, `${where}: a length of ${length}`);
    if (file.length - at - RECORD_HEADER_BYTES < length) return stop(at, `${where}: the body is cut`);
    const body = file.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length);
    if (crc32(body) !== view.getUint32(at + 4, true)) return stop(at, `${where}: the CRC differs`);
    bodies.push(body);
    at += RECORD_HEADER_BYTES + length;
  }
  return { bodies, validBytes: at, usedBytes: at };
}

/** Bodies as records, after `header`. */
export function frameRecords(bodies: readonly Uint8Array[], header = new Uint8Array()): Uint8Array {
  const bytes = Buffer.allocUnsafe(header.length + bodies.reduce((sum, body) => sum + RECORD_HEADER_BYTES + body.length, 0));
  bytes.set(header);
  let at = header.length;
  for (const body of bodies) {
    bytes.writeUInt32LE(body.length, at);
    bytes.writeUInt32LE(crc32(body), at + 4);
    bytes.set(body, at + RECORD_HEADER_BYTES);
    at += RECORD_HEADER_BYTES + body.length;
  }
  return bytes;
}
