import { DataError } from "../../core/system/errors.ts";
import type { Output } from "../../core/system/output.ts";
import { decodeSensor } from "../../link/sensor.ts";
import { readLinkStream } from "../../link/stream.ts";

/** What a recorded link stream holds, as `inspect --json` prints it. */
export function inspectStream(path: string, bytes: Uint8Array, rateHz: number) {
  const { frames, stats } = readLinkStream(bytes);
  const { bad, badBytes } = stats;
  if (frames.length === 0) {
    throw new DataError(
      "NOT_INSPECTABLE",
      `${path} holds no link frame and is no .dmm image. Give an image, a link stream or two ledgers.`,
    );
  }
  const types: Record<string, number> = {};
  let sensorFrames = 0;
  let gaps = 0;
  let firstTick: number | undefined;
  let nextTick: number | undefined;
  for (const frame of frames) {
    types[frame.type] = (types[frame.type] ?? 0) + 1;
    if (frame.type !== "sensor" && frame.type !== "local-sensor") continue;
    const decoded = decodeSensor(frame.payload);
    if (!decoded.ok) continue;
    const { tick, channels, samples } = decoded.value;
    firstTick ??= tick;
    if (nextTick !== undefined && nextTick !== tick) gaps++;
    nextTick = (tick + samples.length / channels) >>> 0;
    sensorFrames += samples.length / channels;
  }
  const ticks = firstTick === undefined ? 0 : (nextTick! - firstTick) >>> 0;
  return {
    kind: "stream",
    path,
    bytes: bytes.length,
    frames: frames.length,
    bad,
    badBytes,
    types,
    sensorFrames,
    gaps,
    rateHz,
    seconds: ticks / rateHz,
  };
}

export function sayStream(out: Output, document: ReturnType<typeof inspectStream>): void {
  const { frames, bad, badBytes, types, sensorFrames, gaps, seconds, rateHz, bytes } = document;
  out.say(`link stream of ${bytes} B: ${frames} link frames, ${bad} bad (${badBytes} B)`);
  for (const [type, count] of Object.entries(types)) out.say(`  ${type} ${count}`);
  out.say(`${sensorFrames} sensor frames, ${gaps} gaps, ${seconds.toFixed(1)} s at ${rateHz} Hz`);
}
