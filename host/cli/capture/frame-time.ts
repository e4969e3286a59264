/** A longer gap in the ticks is written as one of this: it splits the recording all the same. */
const LONGEST_GAP_SECONDS = 10;
/** So many frames behind is a late frame; more, and the device has started anew. */
const LATE_FRAMES = 256;

/**
 * Counts frames by their ticks (u32, may wrap), from 0. Lost frames are counted; a late frame has no count (undefined); after a restart
 * of the device it goes on one gap later.
 */
export function createFrameCount(rateHz: number): (tick: number) => number | undefined {
  const longest = Math.round(LONGEST_GAP_SECONDS * rateHz);
  let last: number | undefined;
  let count = 0;
  return (tick) => {
    const gap = last === undefined ? 0 : (tick - last) >>> 0;
    const isBehind = gap >= 2 ** 31;
    if (last !== undefined && (gap === 0 || (isBehind && 2 ** 32 - gap <= LATE_FRAMES))) return undefined;
    count += isBehind ? longest : Math.min(gap, longest);
    last = tick;
    return count;
  };
}
