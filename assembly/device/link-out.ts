import {
  ACK_BYTES, DECISION_FLAG_HASH, DECISION_OUT_BYTES, LINK_ACK, LINK_CREDITS, LINK_CRC_BYTES, LINK_DECISION, LINK_DEVICE, LINK_HEADER_BYTES,
  LINK_LOG, LINK_MORE, LINK_PAYLOAD_BYTES, LINK_WIRE_BYTES, LOG_BYTES, OPTION_HASH,
} from "./layout";
import { DECISION_WORDS } from "../layout";
import { cobsEncode, crc16 } from "./cobs";
import { option, tick } from "./state";
import { writeLink } from "./wasi";

// Frames to the link: made in place, sent at once.

const raw = memory.data(LINK_HEADER_BYTES + LINK_PAYLOAD_BYTES + LINK_CRC_BYTES, 16);
const wire = memory.data(LINK_WIRE_BYTES, 16);

/** Where the payload of the next frame is written: 4-aligned, LINK_PAYLOAD_BYTES. */
export const payload: usize = raw + LINK_HEADER_BYTES;

let sequence: u32 = 0;

/** Sends what `payload` holds. */
export function send(type: i32, agent: i32, bytes: i32): void {
  store<u8>(raw, <u8>type);
  store<u8>(raw, <u8>sequence, 1);
  store<u8>(raw, <u8>(sequence >> 8), 2);
  store<u8>(raw, <u8>agent, 3);
  sequence = (sequence + 1) & 0xffff;
  const end = raw + LINK_HEADER_BYTES + <usize>bytes;
  const crc = crc16(raw, LINK_HEADER_BYTES + bytes);
  store<u8>(end, <u8>crc);
  store<u8>(end, <u8>(crc >> 8), 1);
  const length = cobsEncode(raw, LINK_HEADER_BYTES + bytes + LINK_CRC_BYTES, wire);
  store<u8>(wire + <usize>length, 0);
  writeLink(wire, length + 1);
}

/** A message of any length, in fragments. */
export function sendMessage(type: i32, agent: i32, p: usize, bytes: i32): void {
  while (bytes > LINK_PAYLOAD_BYTES) {
    memory.copy(payload, p, LINK_PAYLOAD_BYTES);
    send(type | LINK_MORE, agent, LINK_PAYLOAD_BYTES);
    p += LINK_PAYLOAD_BYTES;
    bytes -= LINK_PAYLOAD_BYTES;
  }
  memory.copy(payload, p, bytes);
  send(type, agent, bytes);
}

/** Acknowledges the frame with this sequence and type: `status`, and a number that the type gives a meaning to. */
export function sendAck(acked: u32, type: i32, status: i32, number: u32): void {
  store<u16>(payload, <u16>acked);
  store<u8>(payload, <u8>type, 2);
  store<u8>(payload, LINK_CREDITS, 3);
  store<i32>(payload, status, 4);
  store<u32>(payload, number, 8);
  send(LINK_ACK, LINK_DEVICE, ACK_BYTES);
}

/** One thing that happened, in numbers: LOG_ codes. */
export function sendLog(code: i32, agent: i32, value: i32): void {
  store<u8>(payload, <u8>code);
  store<u8>(payload, <u8>agent, 1);
  store<u16>(payload, 0, 2);
  store<u32>(payload, tick, 4);
  store<i32>(payload, value, 8);
  send(LINK_LOG, LINK_DEVICE, LOG_BYTES);
}

/** DECISION_ words, and the hash of logits and state where it is wanted. */
export function sendDecision(agent: i32, words: usize, hash: u32): void {
  memory.copy(payload, words, DECISION_WORDS << 2);
  store<u32>(payload, hash, DECISION_WORDS << 2);
  store<u32>(payload, option(OPTION_HASH) != 0 ? DECISION_FLAG_HASH : 0, (DECISION_WORDS << 2) + 4);
  send(LINK_DECISION, agent, DECISION_OUT_BYTES);
}
