import {
  ACK_BAD_HASH, ACK_BAD_PAYLOAD, ACK_CHUNK_OFFSET, ACK_NO_STORE, ACK_NO_UPDATE, ACK_OK, ACK_STORE_FAILED, ACK_TOO_BIG, CHUNK_ABORT,
  CHUNK_BEGIN, CHUNK_DATA, CHUNK_END, CHUNK_HEADER_BYTES, COUNTER_UPDATES, COUNTER_UPDATES_REFUSED, LOG_UPDATED, LOG_UPDATE_REFUSED, SLOT_A,
  SLOT_B,
} from "./layout";
import { HEADER_CRC32, HEADER_SHA256, IMAGE_HEADER_BYTES, IMAGE_MIN_BYTES, STATUS_ARENA_TOO_SMALL, STATUS_OK } from "../layout";
import { neededBytes } from "../model";
import { sha256Add, sha256End, sha256Start } from "../sha256";
import { dropAsks } from "./asks";
import { save } from "./journal";
import { sendLog } from "./link-out";
import { arenaRoom } from "./room";
import { tryImage } from "./start";
import { agentAt, count } from "./state";
import { hasStore, keep, settle, slotBytes, slotOffset, storeAgents, storeAt } from "./store";

// A new image goes to the slot that does not run, in order, chunk by chunk. The old one runs on until the new one is complete, has its
// hash and passes `prepare`; one record of the journal then makes the change. A cut at any byte leaves the old one.

let agent: i32 = -1; // whose update is under way, −1 = none
let slot: i32 = 0;
let total: u32 = 0;
let next: u32 = 0; // offset that comes next
const HASH_BYTES = 32;
const hash = memory.data(HASH_BYTES, 16);

/** What the ack of a chunk carries as its number. */
export function updateOffset(): u32 {
  return next;
}

export function stopUpdate(): void {
  agent = -1;
}

function equal32(a: usize, b: usize): bool {
  for (let i: usize = 0; i < <usize>HASH_BYTES; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false;
  return true;
}

function begin(index: i32, payload: usize, bytes: i32): i32 {
  if (bytes != CHUNK_HEADER_BYTES + HASH_BYTES) return ACK_BAD_PAYLOAD;
  const image = load<u32>(payload, 4);
  const theirs = payload + CHUNK_HEADER_BYTES;
  if (!hasStore() || index >= storeAgents() || slotBytes() == 0) return ACK_NO_STORE;
  if (image < <u32>IMAGE_MIN_BYTES || (image & 15) != 0 || image > slotBytes()) return ACK_TOO_BIG;
  if (agent == index && total == image && equal32(hash, theirs)) return ACK_OK; // goes on where it was
  agent = index;
  slot = agentAt(index).slot == SLOT_A ? SLOT_B : SLOT_A;
  total = image;
  next = 0;
  memory.copy(hash, theirs, HASH_BYTES);
  return ACK_OK;
}

function data(payload: usize, bytes: i32): i32 {
  const offset = load<u32>(payload, 4);
  const n = <u32>(bytes - CHUNK_HEADER_BYTES);
  if (n == 0 || (n & 15) != 0 || (offset & 15) != 0) return ACK_BAD_PAYLOAD;
  if (offset < next && n <= next - offset) return ACK_OK; // a repeat
  if (offset != next) return ACK_CHUNK_OFFSET;
  if (n > total - next) return ACK_TOO_BIG;
  if (keep(slotOffset(agent, slot) + offset, payload + CHUNK_HEADER_BYTES, n) != 0) {
    stopUpdate();
    return ACK_STORE_FAILED;
  }
  next += n;
  return ACK_OK;
}

/** The image hash: SHA-256 with CRC and SHA fields as zeros. */
function hashOf(image: usize): usize {
  sha256Start();
  sha256Add(image, HEADER_CRC32);
  sha256Add(0, 4);
  sha256Add(image + HEADER_CRC32 + 4, HEADER_SHA256 - HEADER_CRC32 - 4);
  sha256Add(0, HASH_BYTES);
  sha256Add(image + IMAGE_HEADER_BYTES, total - IMAGE_HEADER_BYTES);
  return sha256End();
}

function check(): i32 {
  if (next != total) return ACK_CHUNK_OFFSET;
  const offset = slotOffset(agent, slot);
  if (settle(offset, total) != 0) return ACK_STORE_FAILED;
  const image = storeAt(offset);
  if (!equal32(hashOf(image), hash)) return ACK_BAD_HASH;
  const status = tryImage(image, total);
  if (status != STATUS_OK) return status;
  const old: u32 = agentAt(agent).image == 0 ? 0 : agentAt(agent).arenaBytes;
  return neededBytes() <= old + arenaRoom(neededBytes()) ? STATUS_OK : STATUS_ARENA_TOO_SMALL;
}

/** Takes the image over in the journal, or refuses it. */
function end(): i32 {
  const status = check();
  if (status == ACK_CHUNK_OFFSET) return status; // not all here yet: go on
  const index = agent;
  stopUpdate();
  if (status == STATUS_OK) {
    const one = agentAt(index);
    const before = one.wanted;
    one.wanted = slot;
    one.hasSetPoint = 0; // it was made for the old image
    count(COUNTER_UPDATES);
    dropAsks();
    if (save(index) == 0) {
      sendLog(LOG_UPDATED, index, slot);
      return ACK_OK;
    }
    one.wanted = before;
    return ACK_STORE_FAILED;
  }
  count(COUNTER_UPDATES_REFUSED);
  sendLog(LOG_UPDATE_REFUSED, index, status);
  return status;
}

/** One chunk message. After ACK_OK for CHUNK_END the device starts again with the new image. */
export function takeChunk(index: i32, payload: usize, bytes: i32): i32 {
  if (bytes < CHUNK_HEADER_BYTES) return ACK_BAD_PAYLOAD;
  const op = <i32>load<u8>(payload);
  if (op == CHUNK_BEGIN) return begin(index, payload, bytes);
  if (agent != index) return ACK_NO_UPDATE;
  if (op == CHUNK_DATA) return data(payload, bytes);
  if (op == CHUNK_END) return end();
  if (op != CHUNK_ABORT) return ACK_BAD_PAYLOAD;
  stopUpdate();
  return ACK_OK;
}
