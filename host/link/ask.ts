import * as device from "../../assembly/device/layout.ts";
import { outcomeOutOfRange } from "./decision.ts";
import type { LinkResult } from "./frame.ts";

/** An `ask` of a device: what the cloud needs to answer it. */
export interface DeviceAsk {
  readonly number: number; // u32, differs from one start of the device to the next
  readonly tick: number;
  readonly imageCrc32: number; // of the image that asks
  readonly confidenceQ15: number;
  readonly label: number;
  readonly exit: number;
  readonly patchBytes: number;
  readonly patches: Int8Array; // (n, patchBytes), oldest first
}

/** Reads an `ask` message, its fragments joined. Any bytes are safe. */
export function decodeAsk(payload: Uint8Array): LinkResult<DeviceAsk> {
  if (payload.length < device.ASK_HEADER_BYTES) return { ok: false, reason: `${payload.length} B are less than an ask has` };
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const patchBytes = view.getUint16(18, true);
  const bytes = device.ASK_HEADER_BYTES + view.getUint16(16, true) * patchBytes;
  if (payload.length !== bytes) return { ok: false, reason: `${payload.length} B instead of ${bytes} B for an ask` };
  const outcome = { confidenceQ15: view.getUint16(12, true), label: payload[14]!, exit: payload[15]! };
  const outOfRange = outcomeOutOfRange(outcome);
  if (outOfRange !== undefined) return { ok: false, reason: `an ask with ${outOfRange}` };
  return {
    ok: true,
    value: {
      number: view.getUint32(0, true),
      tick: view.getUint32(4, true),
      imageCrc32: view.getUint32(8, true),
      ...outcome,
      patchBytes,
      patches: Int8Array.from(payload.subarray(device.ASK_HEADER_BYTES), (byte) => (byte << 24) >> 24),
    },
  };
}

/** The payload of an `answer` frame: u32 number of the ask, u16 confidence, u8 label, u8 0. */
export function encodeAnswer(answer: { readonly number: number; readonly label: number; readonly confidenceQ15: number }): Uint8Array {
  const payload = new Uint8Array(device.ANSWER_BYTES);
  const view = new DataView(payload.buffer);
  view.setUint32(0, answer.number, true);
  view.setUint16(4, answer.confidenceQ15, true);
  payload[6] = answer.label;
  return payload;
}
