import * as device from "../../assembly/device/layout.ts";
import { FRAME_TYPES, type FrameType, type LinkResult } from "./frame.ts";

/** An `ack`, either way: the frame with this sequence arrived and was dealt with. */
export interface Ack {
  readonly sequence: number; // u16
  readonly type: FrameType;
  readonly credits: number; // link frames that may be under way beyond it
  readonly status: number; // 0, or ACK_ and STATUS_ codes: why it was refused
  readonly number: number; // of an ask; of a chunk the offset that comes next; else 0
}

const typeNames = new Map(Object.entries(FRAME_TYPES).map(([name, number]) => [number as number, name as FrameType]));

/** u16 sequence, u8 type, u8 credits, s32 status, u32 number. */
export function encodeAck(ack: Ack): Uint8Array {
  const payload = new Uint8Array(device.ACK_BYTES);
  const view = new DataView(payload.buffer);
  view.setUint16(0, ack.sequence, true);
  payload[2] = FRAME_TYPES[ack.type];
  payload[3] = ack.credits;
  view.setInt32(4, ack.status, true);
  view.setUint32(8, ack.number, true);
  return payload;
}

/** Reads the payload of an `ack` frame. Any bytes are safe. */
export function decodeAck(payload: Uint8Array): LinkResult<Ack> {
  if (payload.length !== device.ACK_BYTES) return { ok: false, reason: `${payload.length} B are no ack` };
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const type = typeNames.get(payload[2]!);
  if (type === undefined) return { ok: false, reason: `an ack of type ${payload[2]}` };
  const ack = {
    sequence: view.getUint16(0, true),
    type,
    credits: payload[3]!,
    status: view.getInt32(4, true),
    number: view.getUint32(8, true),
  };
  return { ok: true, value: ack };
}
