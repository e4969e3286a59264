import * as device from "../../assembly/device/layout.ts";
import type { LinkResult } from "./frame.ts";

/** What a device's log codes say, and what their value is. */
export const LOG_TEXTS = {
  [device.LOG_FRESH]: "started with a fresh state",
  [device.LOG_RESTORED]: "started with the state of its snapshot",
  [device.LOG_SNAPSHOT_REFUSED]: "its snapshot was refused, started with a fresh state; status",
  [device.LOG_IMAGE_REFUSED]: "an image was refused; status · 256 + slot",
  [device.LOG_UPDATED]: "runs a new image from now on; slot",
  [device.LOG_UPDATE_REFUSED]: "the new image was refused, the old one runs on; status",
  [device.LOG_NOT_WORN]: "not worn, the models sleep; frames without motion",
  [device.LOG_WORN]: "worn again; 1 = by command or the motion interrupt",
  [device.LOG_GAP]: "frames were lost, the state began anew; ticks lost",
  [device.LOG_TICKS_RESTARTED]: "the ticks began anew, and so did the state",
  [device.LOG_ASK_DROPPED]: "an ask gave way to a newer one; its number",
  [device.LOG_ASK_EXPIRED]: "an ask was not taken in time; its number",
  [device.LOG_STORE_FAILED]: "the store failed; WASI errno, −1 = it is no store of this version",
  [device.LOG_SAVED]: "saved state, counters and set-points; sequence of the record",
  [device.LOG_NO_MEMORY]: "too little memory for the image; bytes missing",
} as const satisfies Record<number, string>;

const NO_RIGHT = "the runtime gives no right to it: preopen its folder for reading and writing";

/** What a store that fails most often lacks, by WASI errno. */
const STORE_ERRORS: Readonly<Record<number, string>> = {
  2: NO_RIGHT, // EACCES
  8: "no folder is preopened: give the runtime the folder that holds the file `store`", // EBADF
  29: "input or output error", // EIO
  51: "no space left", // ENOSPC
  63: NO_RIGHT, // EPERM
  69: NO_RIGHT, // EROFS
  76: NO_RIGHT, // ENOTCAPABLE
};

/** Codes whose value counts or numbers something: it is a u32. */
const UNSIGNED: ReadonlySet<number> = new Set([
  device.LOG_NOT_WORN,
  device.LOG_GAP,
  device.LOG_ASK_DROPPED,
  device.LOG_ASK_EXPIRED,
  device.LOG_SAVED,
  device.LOG_NO_MEMORY,
]);

export interface DeviceLog {
  readonly code: number; // LOG_
  readonly agent: number; // 255 = the device
  readonly tick: number;
  readonly value: number; // s32, or u32 where it counts or numbers something
  readonly text: string;
}

/** Reads the payload of a `log` frame. Any bytes are safe. */
export function decodeLog(payload: Uint8Array): LinkResult<DeviceLog> {
  if (payload.length !== device.LOG_BYTES) return { ok: false, reason: `${payload.length} B are no log entry` };
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const code = payload[0]!;
  const value = UNSIGNED.has(code) ? view.getUint32(8, true) : view.getInt32(8, true);
  const reason = code === device.LOG_STORE_FAILED ? STORE_ERRORS[value] : undefined;
  const text = `${(LOG_TEXTS as Record<number, string>)[code] ?? `code ${code}`}${reason === undefined ? "" : ` (${reason})`}`;
  return { ok: true, value: { code, agent: payload[1]!, tick: view.getUint32(4, true), value, text } };
}
