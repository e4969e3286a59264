import {
  ACK_BAD_COMMAND, ACK_BAD_PAYLOAD, ACK_BYTES, ACK_NO_AGENT, ACK_OK, ACK_UNKNOWN_ASK, ANSWER_BYTES, CHUNK_END, COMMAND_BYTES, COMMAND_OPTION,
  COMMAND_REBOOT, COMMAND_RESET, COMMAND_SNAPSHOT, COMMAND_TELEMETRY, COMMAND_WAKE, COUNTER_ANSWERS, COUNTER_LINK_BAD, COUNTER_LINK_BAD_BYTES,
  COUNTER_LINK_FRAMES, COUNTER_LINK_LOST, COUNTER_LINK_REPEATED, COUNTER_LINK_UNKNOWN, DEVICE_REBOOT, HELLO_FLAG_NEW_TICKS, HELLO_IN_BYTES,
  LINK_ACK, LINK_ANSWER, LINK_ASK, LINK_CHUNK, LINK_COMMAND, LINK_CRC_BYTES, LINK_CREDITS, LINK_DEVICE, LINK_HEADER_BYTES, LINK_HELLO,
  LINK_LOCAL_SENSOR, LINK_SENSOR, LINK_SET_POINT, LINK_WIRE_BYTES, SENSOR_HEADER_BYTES,
} from "./layout";
import { RUNS_BYTES, SETPOINT_WORDS, STATUS_OK } from "../layout";
import { Context } from "../context";
import { resetState } from "../model";
import { applySetPoint } from "../policy";
import { askTaken, dropAsks, resendAsks, wasAsked } from "./asks";
import { cobsDecode, crc16 } from "./cobs";
import { save } from "./journal";
import { sendAck } from "./link-out";
import { wake } from "./motion";
import { sendHello, sendTelemetry } from "./report";
import { allowNewTicks, takeSensor } from "./sense";
import { start } from "./start";
import { agentAt, agents, count, setOption } from "./state";
import { hasStore } from "./store";
import { stopUpdate, takeChunk, updateOffset } from "./update";
import { exit } from "./wasi";

// Bytes from the link to frames, frames to what they ask for. Any bytes are safe: what is no frame is counted.

const frame = memory.data(LINK_WIRE_BYTES, 16); // the stretch since the last delimiter, then what it decodes to
const payload: usize = frame + LINK_HEADER_BYTES;
let length: i32 = 0; // beyond LINK_WIRE_BYTES it is only counted, up to its largest value

let hasSequence: bool = false;
let expected: u32 = 0;
let unacked: i32 = 0; // frames since the last ack

// The last messages that were acknowledged: a repeat is acknowledged again, not done again.
const DONE: i32 = 8;
const DONE_BYTES = 16;
const done = memory.data(DONE * DONE_BYTES, 16); // (u32 sequence · 256 + type + 1 << 31, s32 status, u32 number, u32 0)
let nextDone: i32 = 0;

function forgetDone(): void {
  memory.fill(done, 0, DONE * DONE_BYTES);
  nextDone = 0;
}

function keyOf(sequence: u32, type: i32): u32 {
  return 0x80000000 | (sequence << 8) | <u32>type;
}

function findDone(key: u32): usize {
  for (let i = 0; i < DONE; i++) if (load<u32>(done + <usize>(i * DONE_BYTES)) == key) return done + <usize>(i * DONE_BYTES);
  return 0;
}

function noteDone(key: u32, status: i32, number: u32): void {
  const p = done + <usize>(nextDone * DONE_BYTES);
  store<u32>(p, key);
  store<i32>(p, status, 4);
  store<u32>(p, number, 8);
  nextDone = (nextDone + 1) & (DONE - 1);
}

function takeSetPoint(index: i32): i32 {
  const agent = agentAt(index);
  if (agent.image == 0) return ACK_NO_AGENT;
  const ctx = changetype<Context>(agent.model);
  memory.copy(ctx.staged, payload, SETPOINT_WORDS << 2);
  const status = applySetPoint(ctx);
  if (status == STATUS_OK) agent.hasSetPoint = 1;
  return status;
}

/** A set-point for one agent, or for all of them: the first refusal is the answer. */
function setPoint(to: i32, bytes: i32): i32 {
  if (bytes != SETPOINT_WORDS << 2) return ACK_BAD_PAYLOAD;
  if (to < agents) return takeSetPoint(to);
  if (to != LINK_DEVICE || agents == 0) return ACK_NO_AGENT;
  let status = STATUS_OK;
  for (let i = 0; i < agents; i++) {
    const one = takeSetPoint(i);
    if (status == STATUS_OK) status = one;
  }
  return status;
}

function reset(to: i32): i32 {
  if (to != LINK_DEVICE && (to >= agents || agentAt(to).image == 0)) return ACK_NO_AGENT;
  for (let i = 0; i < agents; i++) {
    if ((to == i || to == LINK_DEVICE) && agentAt(i).image != 0) resetState(changetype<Context>(agentAt(i).model));
  }
  return ACK_OK;
}

function command(to: i32, bytes: i32, sequence: u32): i32 {
  if (bytes != COMMAND_BYTES) return ACK_BAD_PAYLOAD;
  const verb = <i32>load<u8>(payload);
  if (verb == COMMAND_SNAPSHOT) return save();
  if (verb == COMMAND_RESET) return reset(to);
  if (verb == COMMAND_TELEMETRY) {
    sendTelemetry();
    return ACK_OK;
  }
  if (verb == COMMAND_OPTION) {
    return setOption(load<u32>(payload, 4), load<u32>(payload, 8)) ? ACK_OK : ACK_BAD_COMMAND;
  }
  if (verb == COMMAND_WAKE) {
    wake(1);
    return ACK_OK;
  }
  if (verb != COMMAND_REBOOT) return ACK_BAD_COMMAND;
  dropAsks();
  if (hasStore()) save();
  sendAck(sequence, LINK_COMMAND, ACK_OK, 0);
  exit(DEVICE_REBOOT);
  return ACK_OK;
}

function answer(bytes: i32): i32 {
  if (bytes != ANSWER_BYTES) return ACK_BAD_PAYLOAD;
  const number = load<u32>(payload);
  if (!wasAsked(number)) return ACK_UNKNOWN_ASK;
  askTaken(number); // an answer says that it arrived, too
  count(COUNTER_ANSWERS);
  return ACK_OK;
}

function hello(bytes: i32): void {
  if (bytes < HELLO_IN_BYTES) {
    count(COUNTER_LINK_UNKNOWN);
    return;
  }
  if (load<u16>(payload, RUNS_BYTES + 2) & HELLO_FLAG_NEW_TICKS) allowNewTicks();
  forgetDone();
  unacked = 0;
  sendHello();
  resendAsks(true);
}

/** A message that is done once and acknowledged each time it comes. */
function once(type: i32, to: i32, sequence: u32, bytes: i32): void {
  const key = keyOf(sequence, type);
  const before = findDone(key);
  unacked = 0; // an ack grants credits for all before it
  if (before != 0) {
    count(COUNTER_LINK_REPEATED);
    sendAck(sequence, type, load<i32>(before, 4), load<u32>(before, 8));
    return;
  }
  let status: i32;
  let number: u32 = 0;
  if (type == LINK_SET_POINT) status = setPoint(to, bytes);
  else if (type == LINK_COMMAND) status = command(to, bytes, sequence);
  else if (type == LINK_ANSWER) status = answer(bytes);
  else {
    status = to < agents ? takeChunk(to, payload, bytes) : ACK_NO_AGENT;
    number = updateOffset();
  }
  noteDone(key, status, number);
  const isUpdated = type == LINK_CHUNK && status == ACK_OK && <i32>load<u8>(payload) == CHUNK_END;
  sendAck(sequence, type, status, number);
  if (isUpdated) begin();
}

/** Power-on, or a new image: starts everything and sends hello. */
export function begin(): void {
  stopUpdate();
  start();
  allowNewTicks();
  sendHello();
}

/** Follows the sender's count. */
function follow(sequence: u32): void {
  const ahead = (sequence - expected) & 0xffff;
  if (hasSequence && ahead >= 0x8000) return; // an older one again
  if (hasSequence) count(COUNTER_LINK_LOST, ahead);
  hasSequence = true;
  expected = (sequence + 1) & 0xffff;
}

/** A frame that is not acknowledged by itself: an ack for every half of the credits. */
function owe(sequence: u32, type: i32): void {
  if (++unacked < LINK_CREDITS / 2) return;
  unacked = 0;
  sendAck(sequence, type, ACK_OK, 0);
}

/** One sound frame. Its payload is at `payload`. */
function take(bytes: i32): void {
  const type = <i32>load<u8>(frame);
  const sequence = <u32>load<u8>(frame, 1) | ((<u32>load<u8>(frame, 2)) << 8);
  const to = <i32>load<u8>(frame, 3);
  count(COUNTER_LINK_FRAMES);
  if (type == LINK_LOCAL_SENSOR) {
    if (bytes == SENSOR_HEADER_BYTES && load<u8>(payload, 4) == 0) wake(1); // no frame: the IMU's motion interrupt
    else if (!takeSensor(to, payload, bytes)) count(COUNTER_LINK_UNKNOWN);
    return;
  }
  if (type == LINK_HELLO) hasSequence = false;
  follow(sequence);
  if (type == LINK_HELLO) hello(bytes);
  else if (type == LINK_SET_POINT || type == LINK_COMMAND || type == LINK_ANSWER || type == LINK_CHUNK) once(type, to, sequence, bytes);
  else {
    let isKnown = false;
    if (type == LINK_SENSOR) isKnown = takeSensor(to, payload, bytes);
    else if (type == LINK_ACK && bytes == ACK_BYTES && <i32>load<u8>(payload, 2) == LINK_ASK) isKnown = askTaken(load<u32>(payload, 8));
    if (!isKnown) count(COUNTER_LINK_UNKNOWN);
    owe(sequence, type);
  }
}

/** The stretch between two delimiters is over. */
function finish(): void {
  if (length == 0) return;
  const stretch = length;
  length = 0;
  const bytes = stretch < LINK_WIRE_BYTES ? cobsDecode(frame, stretch) : -1;
  const end = bytes - LINK_CRC_BYTES;
  if (end >= LINK_HEADER_BYTES) {
    const crc = <u32>load<u8>(frame + <usize>end) | ((<u32>load<u8>(frame + <usize>end, 1)) << 8);
    if (crc == crc16(frame, end)) {
      take(end - LINK_HEADER_BYTES);
      return;
    }
  }
  count(COUNTER_LINK_BAD);
  count(COUNTER_LINK_BAD_BYTES, stretch);
}

/** Takes the next bytes of the link, cut anywhere. */
export function receive(p: usize, bytes: i32): void {
  const end = p + <usize>bytes;
  for (; p < end; p++) {
    const byte = load<u8>(p);
    if (byte == 0) finish();
    else {
      if (length < LINK_WIRE_BYTES) store<u8>(frame + <usize>length, byte);
      if (length < i32.MAX_VALUE) length++;
    }
  }
}
