import { crc32 } from "../crc32";
import * as L from "../layout";
import { word } from "../words";
import { Lm, blockAt, ringBytes } from "./context";
import * as M from "./layout";

// A session's state as bytes: SNAPSHOT_HEADER_BYTES (magic, window, image CRC-32, state bytes, their CRC-32, zeros), then the state. Every
// build writes the same bytes.

export function lmSnapshotBytes(lm: Lm): u32 {
  return L.SNAPSHOT_HEADER_BYTES + lm.stateBytes;
}

export function writeLmSnapshot(lm: Lm, to: usize): void {
  memory.fill(to, 0, L.SNAPSHOT_HEADER_BYTES);
  store<u32>(to, M.LM_SNAPSHOT_MAGIC);
  store<i32>(to, lm.window, 4);
  store<u32>(to, load<u32>(lm.image, L.HEADER_CRC32), 8);
  store<u32>(to, lm.stateBytes, 12);
  store<u32>(to, crc32(0, lm.state, lm.stateBytes), 16);
  memory.copy(to + L.SNAPSHOT_HEADER_BYTES, lm.state, lm.stateBytes);
}

/** Whether a state has what a step does not check: slot and count within the window, keys and values of at least −127, scales below 2^15. */
function isSound(lm: Lm, state: usize): bool {
  const slot = <u32>word(state, M.LM_STATE_SLOT);
  const count = <u32>word(state, M.LM_STATE_COUNT);
  const window = <u32>lm.window;
  if (slot >= window || count > window || (count < window && (slot != count || <u32>word(state, M.LM_STATE_POSITION) != count))) return false;
  let at = state + (M.LM_STATE_WORDS << 2);
  for (let b = 0; b < lm.nBlocks; b++) {
    const record = blockAt(lm, b);
    const scales = word(record, M.DECODER_KV_HEADS) * lm.window * 4; // bytes of both, at the end of the ring
    const end = at + ringBytes(lm, record);
    for (let p = at; p < end - <usize>scales; p++) if (load<i8>(p) == -128) return false;
    for (let p = end - <usize>scales; p < end; p += 2) if (load<u16>(p) > 32767) return false;
    at = end; // a ring is a multiple of 16 long
  }
  return true;
}

/** Takes a snapshot back, or leaves the state alone and says why. */
export function readLmSnapshot(lm: Lm, from: usize, bytes: u32): i32 {
  if (bytes != lmSnapshotBytes(lm) || load<u32>(from) != M.LM_SNAPSHOT_MAGIC || load<i32>(from, 4) != lm.window) return L.STATUS_BAD_SNAPSHOT;
  if (load<u32>(from, 12) != lm.stateBytes || load<u32>(from, 20) != 0 || load<u64>(from, 24) != 0) return L.STATUS_BAD_SNAPSHOT;
  const state = from + L.SNAPSHOT_HEADER_BYTES;
  if (load<u32>(from, 16) != crc32(0, state, lm.stateBytes)) return L.STATUS_BAD_SNAPSHOT;
  if (load<u32>(from, 8) != load<u32>(lm.image, L.HEADER_CRC32)) return L.STATUS_SNAPSHOT_OF_OTHER_IMAGE;
  if (!isSound(lm, state)) return L.STATUS_BAD_SNAPSHOT;
  memory.copy(lm.state, state, lm.stateBytes);
  return L.STATUS_OK;
}
