import { LIMIT_CHANNELS } from "../../assembly/layout.ts";
import { LinkError } from "../core/system/errors.ts";
import { type LinkResult, MAX_PAYLOAD_BYTES } from "./frame.ts";

/**
 * The payload of a `sensor` frame, little-endian: k consecutive sensor frames.
 *
 * | offset | bytes | what                                              |
 * |--------|-------|---------------------------------------------------|
 * | 0      | 4     | u32 tick (device frame count) of the first        |
 * | 4      | 1     | u8 k, 1…                                          |
 * | 5      | 1     | u8 channels, 1…16                                 |
 * | 6      | 2·k·c | int16 counts (k, channels), in the agent's order  |
 */
export interface SensorFrames {
  readonly tick: number; // u32
  readonly channels: number;
  readonly samples: Int16Array; // (k, channels)
}

const HEADER_BYTES = 6;

/** Most sensor frames of so many channels that one link frame carries: 19 of an IMU's six. */
export function sensorFramesPerLinkFrame(channels: number): number {
  return Math.min(255, Math.floor((MAX_PAYLOAD_BYTES - HEADER_BYTES) / (2 * channels)));
}

/** Throws LinkError when the frames are not whole or too many. */
export function encodeSensor(frames: SensorFrames): Uint8Array {
  const { tick, channels, samples } = frames;
  const count = samples.length / channels;
  const isChannels = Number.isInteger(channels) && channels >= 1 && channels <= LIMIT_CHANNELS;
  const isTick = Number.isInteger(tick) && tick >= 0 && tick <= 0xffff_ffff;
  if (!isChannels || !isTick || !Number.isInteger(count) || count < 1 || count > sensorFramesPerLinkFrame(channels)) {
    throw new LinkError(
      "SENSOR_FRAMES",
      `${samples.length} samples of ${channels} channels from tick ${tick} are no sensor payload. Give whole frames, 1 to ${isChannels ? sensorFramesPerLinkFrame(channels) : "n"} at a time, of 1 to ${LIMIT_CHANNELS} channels, and a u32 tick.`,
    );
  }
  const payload = new Uint8Array(HEADER_BYTES + 2 * samples.length);
  const view = new DataView(payload.buffer);
  view.setUint32(0, tick, true);
  payload[4] = count;
  payload[5] = channels;
  for (let i = 0; i < samples.length; i++) view.setInt16(HEADER_BYTES + 2 * i, samples[i]!, true);
  return payload;
}

/** Reads the payload of a `sensor` frame. Any bytes are safe. */
export function decodeSensor(payload: Uint8Array): LinkResult<SensorFrames> {
  if (payload.length < HEADER_BYTES) return { ok: false, reason: `${payload.length} B are less than a sensor payload has` };
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const count = payload[4]!;
  const channels = payload[5]!;
  if (count < 1 || channels < 1 || channels > LIMIT_CHANNELS) return { ok: false, reason: `${count} frames of ${channels} channels` };
  if (payload.length !== HEADER_BYTES + 2 * count * channels) {
    return {
      ok: false,
      reason: `${payload.length} B instead of ${HEADER_BYTES + 2 * count * channels} B for ${count} frames of ${channels} channels`,
    };
  }
  const samples = Int16Array.from({ length: count * channels }, (_, i) => view.getInt16(HEADER_BYTES + 2 * i, true));
  return { ok: true, value: { tick: view.getUint32(0, true), channels, samples } };
}
