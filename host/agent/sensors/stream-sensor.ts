import { DataError } from "../../core/system/errors.ts";
import { readWhole } from "../../core/system/read-whole.ts";
import { decodeSensor } from "../../link/sensor.ts";
import { readLinkStream } from "../../link/stream.ts";
import type { Sensor, SensorFrame } from "./sensor.ts";

/** Replays the sensor frames of a recorded link stream. Frames that the link refuses are left out: the ticks show the gap. */
export function streamSensor(path: string, rateHz: number, channels: number): Sensor {
  let bytes: Uint8Array;
  try {
    bytes = readWhole(path);
  } catch (cause) {
    throw new DataError("REPLAY_UNREADABLE", `cannot read the link stream ${path}: check the path.`, { cause });
  }
  const frames = sensorFrames(bytes, channels, path);
  if (frames.length === 0) {
    throw new DataError("REPLAY_EMPTY", `${path} holds no sensor frame. Give a recorded link stream (.dls) or a HAPT folder.`);
  }
  return {
    name: `replay:${path}`,
    rateHz,
    channels,
    frames: frames.length,
    async *[Symbol.asyncIterator]() {
      yield* frames;
    },
  };
}

function sensorFrames(bytes: Uint8Array, channels: number, path: string): SensorFrame[] {
  const result: SensorFrame[] = [];
  for (const frame of readLinkStream(bytes).frames) {
    if (frame.type !== "sensor" && frame.type !== "local-sensor") continue;
    const decoded = decodeSensor(frame.payload);
    if (!decoded.ok) continue;
    const { tick, samples } = decoded.value;
    if (decoded.value.channels !== channels) {
      throw new DataError(
        "REPLAY_CHANNELS",
        `${path}: a frame at tick ${tick} has ${decoded.value.channels} channels, the agent takes ${channels}. Replay a stream of this agent's sensor.`,
      );
    }
    for (let i = 0; i * channels < samples.length; i++) {
      result.push({ tick: (tick + i) >>> 0, frame: samples.subarray(i * channels, (i + 1) * channels) });
    }
  }
  return result;
}
