import {
  AREA_HEADER_BYTES, AREA_MAGIC, COUNTER_SAVES, COUNTER_WORDS, LINK_DEVICE, LOG_SAVED, LOG_STORE_FAILED, OPTION_WORDS, RECORD_AGENTS,
  RECORD_AGENT_BYTES, RECORD_BYTES, RECORD_COUNTERS, RECORD_CRC32, RECORD_MAGIC, RECORD_OPTIONS, RECORD_SEQUENCE, SLOT_FACTORY,
  START_FRESH, START_REFUSED, START_RESTORED,
} from "./layout";
import { SETPOINT_WORDS, SNAPSHOT_HEADER_BYTES, STATUS_OK } from "../layout";
import { Context } from "../context";
import { crc32 } from "../crc32";
import { applySetPoint } from "../policy";
import { readSnapshot, snapshotBytes, writeSnapshotHeader } from "../snapshot";
import { sendLog } from "./link-out";
import { Agent, agentAt, agents, count, counters, options, setOption } from "./state";
import { hasStore, journalAreaBytes, journalOffset, keep, settle, snapshotAreaBytes, snapshotOffset, storeAgents, storeAt } from "./store";

// What survives a reset beside the images: a journal of records (counters, options, slots, set-points), the newest sound one counts, and
// two snapshots an agent, of which the older is overwritten. A record or a snapshot that was cut fails its CRC, and the one before counts.

const record = memory.data(RECORD_BYTES, 16);
const area = memory.data(AREA_HEADER_BYTES, 16);
const snapshotHeader = memory.data(SNAPSHOT_HEADER_BYTES, 16);

const EIO = 29;
const ENOSPC = 51;

let hasRecord: bool = false;
let sequence: u32 = 0; // of the newest record; counts on from its largest value to 0
let nextArea: i32 = 0; // where the next record goes
let nextIndex: i32 = 0;

function sealOf(p: usize): u32 {
  const zero = memory.data(<i32>sizeof<u32>(), 4);
  let crc = crc32(0, p, RECORD_CRC32);
  crc = crc32(crc, zero, 4);
  return crc32(crc, p + RECORD_CRC32 + 4, RECORD_BYTES - RECORD_CRC32 - 4);
}

function isRecord(p: usize): bool {
  return load<u32>(p) == RECORD_MAGIC && load<u32>(p, RECORD_CRC32) == sealOf(p);
}

function isErased(p: usize): bool {
  for (let i: usize = 0; i < <usize>RECORD_BYTES; i += 4) {
    if (load<u32>(p + i) != 0xffffffff) return false;
  }
  return true;
}

function agentPart(agent: i32): usize {
  return record + RECORD_AGENTS + <usize>(agent * RECORD_AGENT_BYTES);
}

/** Word by word: the source may be flash, beyond memory's end. */
function fetch(to: usize, from: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 4) store<u32>(to + i, load<u32>(from + i));
}

/** Whether sequence a comes after b: the two are near each other, also when one of them has begun anew (RFC 1982). */
function isAfter(a: u32, b: u32): bool {
  return <i32>(a - b) > 0;
}

/** Finds the newest sound record and takes counters, options and slots from it: an option out of its range stays at its default. */
export function readJournal(): void {
  hasRecord = false;
  sequence = 0;
  nextArea = 0;
  nextIndex = 0;
  memory.fill(record, 0, RECORD_BYTES);
  if (!hasStore()) return;
  const perArea = <i32>(journalAreaBytes() / RECORD_BYTES);
  let newest: usize = 0;
  for (let a = 0; a < 2; a++) {
    for (let i = 0; i < perArea; i++) {
      const p = storeAt(journalOffset(a) + <u32>(i * RECORD_BYTES));
      if (!isRecord(p) || (newest != 0 && !isAfter(load<u32>(p, RECORD_SEQUENCE), sequence))) continue;
      sequence = load<u32>(p, RECORD_SEQUENCE);
      newest = p;
      nextArea = a;
      nextIndex = i + 1;
    }
  }
  if (nextIndex == perArea || !isErased(storeAt(journalOffset(nextArea) + <u32>(nextIndex * RECORD_BYTES)))) {
    if (newest != 0) nextArea ^= 1;
    nextIndex = 0;
  }
  if (newest == 0) return;
  hasRecord = true;
  fetch(record, newest, RECORD_BYTES);
  memory.copy(counters, record + RECORD_COUNTERS, COUNTER_WORDS << 2);
  for (let key: u32 = 0; key < <u32>OPTION_WORDS; key++) setOption(key, load<u32>(record + RECORD_OPTIONS + <usize>(key << 2)));
}

/** The slot that the newest record names, or `otherwise`: it names none, or one that there is not. */
export function journalSlot(agent: i32, otherwise: i32): i32 {
  const slot = load<u32>(agentPart(agent));
  return hasRecord && slot <= <u32>SLOT_FACTORY ? <i32>slot : otherwise;
}

/** Puts the agent's last set-point in force again, if the image still takes it. */
export function restoreSetPoint(index: i32): void {
  const agent = agentAt(index);
  const part = agentPart(index);
  if (!hasRecord || load<u32>(part, 4) != 1) return;
  const ctx = changetype<Context>(agent.model);
  memory.copy(ctx.staged, part + 16, SETPOINT_WORDS << 2);
  agent.hasSetPoint = applySetPoint(ctx) == STATUS_OK ? 1 : 0;
}

/** Appends a record of what is so now. Returns 0 or an errno. */
export function writeRecord(): i32 {
  if (!hasStore()) return -1;
  memory.fill(record, 0, RECORD_BYTES);
  store<u32>(record, RECORD_MAGIC);
  store<u32>(record, ++sequence, RECORD_SEQUENCE);
  memory.copy(record + RECORD_COUNTERS, counters, COUNTER_WORDS << 2);
  memory.copy(record + RECORD_OPTIONS, options, OPTION_WORDS << 2);
  for (let i = 0; i < agents; i++) {
    const agent = agentAt(i);
    const part = agentPart(i);
    store<i32>(part, agent.wanted);
    store<u32>(part, agent.hasSetPoint, 4);
    if (agent.hasSetPoint != 0) memory.copy(part + 16, changetype<Context>(agent.model).active, SETPOINT_WORDS << 2);
  }
  store<u32>(record, sealOf(record), RECORD_CRC32);
  const offset = journalOffset(nextArea) + <u32>(nextIndex * RECORD_BYTES);
  let error = keep(offset, record, RECORD_BYTES);
  if (error == 0) error = settle(offset, RECORD_BYTES);
  const kept = storeAt(offset);
  if (error == 0 && !(isRecord(kept) && load<u32>(kept, RECORD_SEQUENCE) == sequence)) error = EIO; // it went elsewhere
  nextIndex++;
  if (error != 0 || nextIndex == <i32>(journalAreaBytes() / RECORD_BYTES)) {
    nextArea ^= 1;
    nextIndex = 0;
  }
  return error;
}

/** Sequence of the snapshot in an area, 0 = none. */
function snapshotSequence(agent: i32, which: i32): u32 {
  const p = storeAt(snapshotOffset(agent, which));
  if (load<u32>(p) != AREA_MAGIC || load<u32>(p, 12) != crc32(0, p, 12)) return 0;
  return load<u32>(p, 8) <= snapshotAreaBytes() - AREA_HEADER_BYTES ? load<u32>(p, 4) : 0;
}

/** The area with the newer snapshot. */
function newerArea(agent: i32): i32 {
  const first = snapshotSequence(agent, 0);
  const second = snapshotSequence(agent, 1);
  return second != 0 && (first == 0 || isAfter(second, first)) ? 1 : 0;
}

/** Restores the agent's newest sound snapshot and notes how that went. */
export function restoreState(index: i32): void {
  const agent = agentAt(index);
  agent.start = START_FRESH;
  if (!hasStore() || index >= storeAgents() || snapshotAreaBytes() == 0) return;
  const newer = newerArea(index);
  for (let i = 0; i < 2; i++) {
    const which = newer ^ i;
    if (snapshotSequence(index, which) == 0) continue;
    const p = storeAt(snapshotOffset(index, which));
    const status = readSnapshot(changetype<Context>(agent.model), p + AREA_HEADER_BYTES, load<u32>(p, 8));
    if (status == STATUS_OK) {
      agent.start = START_RESTORED;
      return;
    }
    agent.start = START_REFUSED;
    agent.status = status;
  }
}

/** Writes the agent's state over its older snapshot. Returns 0 or an errno. */
function writeState(index: i32): i32 {
  const agent = agentAt(index);
  if (agent.image == 0 || index >= storeAgents()) return 0;
  const ctx = changetype<Context>(agent.model);
  const bytes = snapshotBytes(ctx);
  if (bytes + AREA_HEADER_BYTES > snapshotAreaBytes()) {
    sendLog(LOG_STORE_FAILED, index, ENOSPC); // the rest can still be saved
    return 0;
  }
  const newer = newerArea(index);
  const newest = snapshotSequence(index, newer);
  const offset = snapshotOffset(index, newest == 0 ? 0 : newer ^ 1);
  store<u32>(area, AREA_MAGIC);
  store<u32>(area, max<u32>(newest + 1, 1), 4); // after the largest comes 1
  store<u32>(area, bytes, 8);
  store<u32>(area, crc32(0, area, 12), 12);
  writeSnapshotHeader(ctx, snapshotHeader);
  let error = keep(offset, area, AREA_HEADER_BYTES);
  if (error == 0) error = keep(offset + AREA_HEADER_BYTES, snapshotHeader, SNAPSHOT_HEADER_BYTES);
  if (error == 0) error = keep(offset + AREA_HEADER_BYTES + SNAPSHOT_HEADER_BYTES, ctx.tail, bytes - SNAPSHOT_HEADER_BYTES);
  return error == 0 ? settle(offset, bytes + AREA_HEADER_BYTES) : error;
}

/** State (but that of agent `but`), counters, options and set-points to the store, and a word about it. Returns 0 or an errno. */
export function save(but: i32 = -1): i32 {
  if (!hasStore()) return -1;
  count(COUNTER_SAVES);
  let error = 0;
  for (let i = 0; i < agents && error == 0; i++) if (i != but) error = writeState(i);
  if (error == 0) error = writeRecord();
  if (error == 0) sendLog(LOG_SAVED, LINK_DEVICE, sequence);
  else sendLog(LOG_STORE_FAILED, LINK_DEVICE, error);
  return error;
}
