// Words of records: the image and the arena are read and written s32 by s32.

// @ts-ignore: decorator
@inline
export function word(record: usize, index: i32): i32 {
  return load<i32>(record + <usize>(index << 2));
}

// @ts-ignore: decorator
@inline
export function setWord(record: usize, index: i32, value: i32): void {
  store<i32>(record + <usize>(index << 2), value);
}

/** Rounds up to the alignment of arena and image. */
// @ts-ignore: decorator
@inline
export function align16(bytes: u32): u32 {
  return (bytes + 15) & ~15;
}

export function between(value: i32, least: i32, most: i32): bool {
  return value >= least && value <= most;
}
