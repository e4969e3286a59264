/** A gap in the ticks is shown no longer than this: a device that restarts or wraps does not stretch the time axis. */
const LONGEST_GAP_SECONDS = 30;

/** Device time in seconds from ticks (u32, may wrap): it never goes back, and long gaps are shortened. */
export function createDeviceTime(rateHz: number): (tick: number) => number {
  let last: number | undefined;
  let seconds = 0;
  return (tick) => {
    const frames = last === undefined ? 0 : (tick - last) >>> 0;
    if (frames >= 2 ** 31) return seconds; // an older tick: of an ask's decision, or of a frame that came late
    last = tick;
    seconds += Math.min(frames / rateHz, LONGEST_GAP_SECONDS);
    return seconds;
  };
}
