import * as device from "../../assembly/device/layout.ts";
import { LinkError } from "../core/system/errors.ts";
import { cobsDecode, cobsEncode } from "./cobs.ts";
import { crc16 } from "./crc16.ts";

/**
 * A link frame, little-endian, before COBS; on the wire it is COBS-encoded and ends with one 0x00:
 *
 * | offset | bytes | what                                                                   |
 * |--------|-------|------------------------------------------------------------------------|
 * | 0      | 1     | bits 0–6 type (below); bit 7 more: the message goes on in the next frame of this type and agent |
 * | 1      | 2     | u16 sequence, counted by the sender, wrapping                          |
 * | 3      | 1     | u8 agent index; 255 = the device itself                                |
 * | 4      | n     | payload, 0…236 bytes                                                   |
 * | 4 + n  | 2     | u16 CRC-16/CCITT-FALSE of all before                                   |
 *
 * At most 242 bytes so, 243 as COBS, 244 with the delimiter: one BLE notification.
 */
export const MAX_WIRE_BYTES = device.LINK_WIRE_BYTES;
export const MAX_PAYLOAD_BYTES = device.LINK_PAYLOAD_BYTES;

const HEADER_BYTES = device.LINK_HEADER_BYTES;
const CRC_BYTES = device.LINK_CRC_BYTES;
const MORE = device.LINK_MORE;

/** Frame types by number. 1…8 go to the device, 16…19 come from it; hello and ack go both ways. `local-sensor` is the board's own. */
export const FRAME_TYPES = {
  hello: device.LINK_HELLO,
  sensor: device.LINK_SENSOR,
  "set-point": device.LINK_SET_POINT,
  command: device.LINK_COMMAND,
  answer: device.LINK_ANSWER,
  chunk: device.LINK_CHUNK,
  ack: device.LINK_ACK,
  "local-sensor": device.LINK_LOCAL_SENSOR,
  decision: device.LINK_DECISION,
  ask: device.LINK_ASK,
  telemetry: device.LINK_TELEMETRY,
  log: device.LINK_LOG,
} as const;

export type FrameType = keyof typeof FRAME_TYPES;

const typeNames = new Map(Object.entries(FRAME_TYPES).map(([name, number]) => [number as number, name as FrameType]));

export interface LinkFrame {
  readonly type: FrameType;
  readonly sequence: number; // u16
  readonly agent: number; // u8
  readonly more: boolean;
  readonly payload: Uint8Array;
}

/** What was read from a link, or why it could not be. Noise on a wire is never an exception. */
export type LinkResult<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** A frame as it goes over the wire, delimiter included. Throws LinkError for fields that do not fit. */
export function encodeFrame(frame: LinkFrame): Uint8Array {
  const { type, sequence, agent, more, payload } = frame;
  if (payload.length > MAX_PAYLOAD_BYTES || !isUint(sequence, 0xffff) || !isUint(agent, 0xff)) {
    throw new LinkError(
      "FRAME_FIELDS",
      `a ${type} frame with sequence ${sequence}, agent ${agent} and ${payload.length} B does not fit. Keep sequence in 0…65535, agent in 0…255 and split the payload into ${MAX_PAYLOAD_BYTES} B.`,
    );
  }
  const bytes = new Uint8Array(HEADER_BYTES + payload.length + CRC_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = FRAME_TYPES[type] | (more ? MORE : 0);
  view.setUint16(1, sequence, true);
  bytes[3] = agent;
  bytes.set(payload, HEADER_BYTES);
  view.setUint16(HEADER_BYTES + payload.length, crc16(bytes.subarray(0, -CRC_BYTES)), true);
  const stuffed = cobsEncode(bytes);
  const wire = new Uint8Array(stuffed.length + 1);
  wire.set(stuffed);
  return wire;
}

/** Reads what stood between two delimiters. Any bytes are safe. */
export function decodeFrame(stuffed: Uint8Array): LinkResult<LinkFrame> {
  if (stuffed.length >= MAX_WIRE_BYTES) return { ok: false, reason: `${stuffed.length} B are more than a frame has` };
  const bytes = cobsDecode(stuffed);
  if (bytes === undefined) return { ok: false, reason: "not COBS" };
  if (bytes.length < HEADER_BYTES + CRC_BYTES) return { ok: false, reason: `${bytes.length} B are less than a frame has` };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (crc16(bytes.subarray(0, -CRC_BYTES)) !== view.getUint16(bytes.length - CRC_BYTES, true))
    return { ok: false, reason: "the CRC differs" };
  const type = typeNames.get(bytes[0]! & ~MORE);
  if (type === undefined) return { ok: false, reason: `type ${bytes[0]! & ~MORE} is unknown` };
  const payload = bytes.subarray(HEADER_BYTES, -CRC_BYTES);
  return { ok: true, value: { type, sequence: view.getUint16(1, true), agent: bytes[3]!, more: (bytes[0]! & MORE) !== 0, payload } };
}

function isUint(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}
