/** Frames of one ask, each (channels,), oldest first. */
type Frames = readonly (readonly number[])[];

/** Shortest and longest period of a rhythm, in seconds: what a body does. */
const LEAST_PERIOD_SECONDS = 0.2;
const MOST_PERIOD_SECONDS = 2;
/** From this correlation on a signal repeats. */
const RHYTHM_CORRELATION = 0.5;

/**
 * What a window shows, as sentences that hold in any unit: how much it changes beside what came before, whether it repeats and how often,
 * and whether its resting value has shifted. One sentence or two per group of channels, such as ax, ay and az.
 */
export function sensorFacts(
  frames: Frames,
  windowFrames: number,
  sensor: { readonly channels: readonly string[]; readonly rateHz: number },
): string[] {
  const window = frames.slice(-windowFrames);
  const before = frames.slice(0, -windowFrames);
  return channelGroups(sensor.channels).map(({ names, columns }) => {
    const now = movement(window, columns);
    const facts = [`${names.join(", ")}: ${now === 0 ? "no change" : rhythmText(window, columns, sensor.rateHz)}`];
    if (before.length > 0) {
      const earlier = movement(before, columns);
      facts.push(earlier === 0 ? "it did not change before" : `it changes ${ratioText(now / earlier)} before`);
      const shift = Math.hypot(...columns.map((c) => meanOf(window, c) - meanOf(before, c)));
      facts.push(shift > 2 * Math.max(now, earlier) ? "its resting value has shifted" : "its resting value is as before");
    }
    return `${facts.join("; ")}.`;
  });
}

/** Channels that differ in their axis alone belong together. */
function channelGroups(channels: readonly string[]): { readonly names: string[]; readonly columns: number[] }[] {
  const groups = new Map<string, { names: string[]; columns: number[] }>();
  for (const [column, name] of channels.entries()) {
    const key = name.replace(/[xyz]$/i, "");
    const group = groups.get(key) ?? { names: [], columns: [] };
    group.names.push(name);
    group.columns.push(column);
    groups.set(key, group);
  }
  return [...groups.values()];
}

const meanOf = (frames: Frames, column: number): number => frames.reduce((sum, frame) => sum + frame[column]!, 0) / frames.length;

/** Root mean square distance from the mean, over all columns together. */
function movement(frames: Frames, columns: readonly number[]): number {
  const variance = columns.reduce((sum, c) => {
    const mean = meanOf(frames, c);
    return sum + frames.reduce((squares, frame) => squares + (frame[c]! - mean) ** 2, 0) / frames.length;
  }, 0);
  return Math.sqrt(variance);
}

function ratioText(ratio: number): string {
  if (ratio < 0.67) return "less than";
  return ratio > 1.5 ? "more than" : "about as much as";
}

/** The period with the greatest autocorrelation, if that is a rhythm's. */
function rhythmText(frames: Frames, columns: readonly number[], rateHz: number): string {
  const means = columns.map((c) => meanOf(frames, c));
  const product = (a: readonly number[], b: readonly number[]) =>
    columns.reduce((sum, c, i) => sum + (a[c]! - means[i]!) * (b[c]! - means[i]!), 0);
  const power = frames.reduce((sum, frame) => sum + product(frame, frame), 0) / frames.length;
  let best = { lag: 0, correlation: 0 };
  const longest = Math.min(Math.floor(MOST_PERIOD_SECONDS * rateHz), frames.length >> 1);
  for (let lag = Math.max(1, Math.ceil(LEAST_PERIOD_SECONDS * rateHz)); lag <= longest; lag++) {
    let sum = 0;
    for (let i = lag; i < frames.length; i++) sum += product(frames[i]!, frames[i - lag]!);
    const correlation = sum / (frames.length - lag) / power;
    if (correlation > best.correlation + 0.02) best = { lag, correlation };
  }
  return best.correlation < RHYTHM_CORRELATION
    ? "change without a rhythm"
    : `change that repeats ${(rateHz / best.lag).toFixed(1)} times per second`;
}
