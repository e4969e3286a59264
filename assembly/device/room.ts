// Memory beyond the static data, handed out once a start: arenas, asks, and the store's mirror where the board does not map it.

let limit: usize = 0; // first byte that is not there; 0 = what the engine gives, and more on demand
let cursor: usize = 0;
let mirrorBytes: u32 = 0; // of a store that is not mapped: no part of what a board needs

/** How many bytes of memory there are, on a board that has less than a page or cannot grow it. */
export function setMemoryBytes(bytes: u32): void {
  limit = bytes;
}

/** Begins anew after the static data. */
export function clearRoom(): void {
  cursor = (__heap_base + 15) & ~15;
  mirrorBytes = 0;
}

/** Room for a copy of the store. */
export function claimMirror(bytes: u32): usize {
  const at = claim(bytes);
  mirrorBytes = at == 0 ? 0 : (bytes + 15) & ~15;
  return at;
}

/** Where the next claim lies. */
export function roomAt(): usize {
  return cursor;
}

/** Bytes that can be claimed. Where memory grows, as many as asked for. */
export function roomFor(bytes: u32): u32 {
  if (limit == 0) {
    const end = <usize>memory.size() << 16;
    if (cursor + bytes > end) memory.grow(<i32>((cursor + bytes - end + 0xffff) >> 16));
    return <u32>((<usize>memory.size() << 16) - cursor);
  }
  return limit > cursor ? <u32>(limit - cursor) & ~15 : 0;
}

/** 16-aligned bytes, or 0 when there are not so many. */
export function claim(bytes: u32): usize {
  if (roomFor(bytes) < bytes) return 0;
  const at = cursor;
  cursor = (cursor + bytes + 15) & ~15;
  return at;
}

export function usedBytes(): u32 {
  return <u32>cursor - mirrorBytes;
}

let arenasEnd: usize = 0; // what lies beyond (asks) can give way to a bigger arena

export function closeArenas(): void {
  arenasEnd = cursor;
}

/** Bytes that arenas could still have, the asks' included. */
export function arenaRoom(wanted: u32): u32 {
  if (limit == 0) return wanted; // memory grows
  return limit > arenasEnd ? <u32>(limit - arenasEnd) & ~15 : 0;
}
