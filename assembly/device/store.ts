import {
  LOG_STORE_FAILED, STORE_AGENTS, STORE_BYTES, STORE_CRC32, STORE_HEADER_WORDS, STORE_JOURNAL_BYTES, STORE_MAGIC, STORE_SECTOR_BYTES,
  STORE_SLOT_BYTES, STORE_SNAPSHOT_BYTES, STORE_VERSION, DEVICE_AGENTS, LINK_DEVICE, RECORD_BYTES,
} from "./layout";
import { IMAGE_MAX_BYTES } from "../layout";
import { crc32 } from "../crc32";
import { sendLog } from "./link-out";
import { claimMirror } from "./room";
import { openStore, readStore, syncStore, writeStore } from "./wasi";

// The store: one file, or a stretch of flash, in regions of whole sectors: header, two journal areas, then for each agent two snapshot
// areas and two image slots. Written only in multiples of 16 bytes from multiples of 16, each region in ascending order; a write that
// begins a sector erases it.

const header = memory.data(STORE_HEADER_WORDS << 2, 16);

const STORE_END_BYTES = 16;
const storeEnd = memory.data(STORE_END_BYTES, 16);

let mapped: usize = 0; // where the board maps the store, 0 = it does not
let hasMap: bool = false;
let base: usize = 0; // where its bytes are read: mapped, or a mirror in memory
let isOpen: bool = false;

export function mapStore(address: usize): void {
  mapped = address;
  hasMap = true;
}

function geometry(word: i32): u32 {
  return load<u32>(header + <usize>(word << 2));
}

/** Whether a region of so many bytes is whole sectors, and not beyond what any store needs. */
function isRegion(bytes: u32, sector: u32): bool {
  return bytes % sector == 0 && bytes <= <u32>IMAGE_MAX_BYTES;
}

/** Whether the header is sound: then no offset below can leave the store. */
function isSound(): bool {
  if (geometry(0) != STORE_MAGIC || geometry(1) != STORE_VERSION) return false;
  if (crc32(0, header, STORE_CRC32 << 2) != geometry(STORE_CRC32)) return false;
  const sector = geometry(STORE_SECTOR_BYTES);
  const agents = geometry(STORE_AGENTS);
  const slot = geometry(STORE_SLOT_BYTES);
  const snapshot = geometry(STORE_SNAPSHOT_BYTES);
  const journal = geometry(STORE_JOURNAL_BYTES);
  if (sector < <u32>RECORD_BYTES || (sector & (sector - 1)) != 0 || agents > <u32>DEVICE_AGENTS) return false;
  if (!isRegion(slot, sector) || !isRegion(snapshot, sector) || !isRegion(journal, sector) || journal == 0) return false;
  const bytes = <u64>sector + 2 * <u64>journal + 2 * <u64>agents * (<u64>slot + <u64>snapshot);
  return bytes == <u64>geometry(STORE_BYTES);
}

/** Opens and reads the store. Without one the device runs from its factory images and keeps nothing. */
export function startStore(): void {
  isOpen = false;
  let error = openStore();
  if (error == 0) error = readStore(0, header, STORE_HEADER_WORDS << 2);
  if (error == 0 && !isSound()) error = -1;
  // the store is as long as its header says, before memory for all of it is asked for
  if (error == 0) error = readStore(geometry(STORE_BYTES) - STORE_END_BYTES, storeEnd, STORE_END_BYTES);
  if (error == 0) {
    base = hasMap ? mapped : claimMirror(geometry(STORE_BYTES));
    if (!hasMap) error = base == 0 ? -1 : readStore(0, base, geometry(STORE_BYTES));
  }
  isOpen = error == 0;
  if (!isOpen && !(error == 44)) sendLog(LOG_STORE_FAILED, LINK_DEVICE, error); // 44 = ENOENT: a device without a store
}

export function hasStore(): bool {
  return isOpen;
}

/** Agents that have slots here. */
export function storeAgents(): i32 {
  return isOpen ? <i32>geometry(STORE_AGENTS) : 0;
}

export function slotBytes(): u32 {
  return isOpen ? geometry(STORE_SLOT_BYTES) : 0;
}

export function snapshotAreaBytes(): u32 {
  return geometry(STORE_SNAPSHOT_BYTES);
}

export function journalAreaBytes(): u32 {
  return geometry(STORE_JOURNAL_BYTES);
}

export function journalOffset(area: i32): u32 {
  return geometry(STORE_SECTOR_BYTES) + <u32>area * geometry(STORE_JOURNAL_BYTES);
}

function agentOffset(agent: i32): u32 {
  return journalOffset(2) + <u32>agent * 2 * (geometry(STORE_SNAPSHOT_BYTES) + geometry(STORE_SLOT_BYTES));
}

export function snapshotOffset(agent: i32, area: i32): u32 {
  return agentOffset(agent) + <u32>area * geometry(STORE_SNAPSHOT_BYTES);
}

export function slotOffset(agent: i32, slot: i32): u32 {
  return snapshotOffset(agent, 2) + <u32>slot * geometry(STORE_SLOT_BYTES);
}

/** Where a byte of the store is read: in flash, or in the mirror. */
export function storeAt(offset: u32): usize {
  return base + offset;
}

/** Writes to the store, cut where sectors begin. Returns 0 or an errno. */
export function keep(offset: u32, p: usize, bytes: u32): i32 {
  const sector = geometry(STORE_SECTOR_BYTES);
  if (!hasMap) memory.copy(base + offset, p, bytes);
  while (bytes > 0) {
    const some = min<u32>(bytes, sector - (offset & (sector - 1)));
    const error = writeStore(offset, p, some);
    if (error != 0) return error;
    p += some;
    offset += some;
    bytes -= some;
  }
  return 0;
}

/** Makes what was written last, and reads it back into the mirror. Returns 0 or an errno. */
export function settle(offset: u32, bytes: u32): i32 {
  const error = syncStore();
  if (error != 0 || hasMap) return error;
  return readStore(offset, base + offset, bytes);
}
