/** Channels of a motion: ax ay az in g, gx gy gz in °/s. */
const CHANNELS = 6;

/** What one int8 step of a channel is worth, and what step 0 means, in g or °/s. */
export interface MotionScale {
  readonly step: readonly number[]; // (6,)
  readonly zero: readonly number[]; // (6,)
}

/** An IMU's signal as an ask carries it, back in its units. */
export interface Motion {
  readonly frames: number;
  readonly channels: readonly Float64Array[]; // (6,) of (frames,)
  readonly acceleration: Float64Array; // (frames,) |a| in g
  readonly rotation: Float64Array; // (frames,) |ω| in °/s
}

/** Patches of an ask, (n, patchFrames · 6) s8, oldest first, as a motion. */
export function readMotion(patches: Int8Array, { step, zero }: MotionScale): Motion {
  const frames = Math.floor(patches.length / CHANNELS);
  const channels = Array.from({ length: CHANNELS }, (_, c) =>
    Float64Array.from({ length: frames }, (_, i) => patches[i * CHANNELS + c]! * step[c]! + zero[c]!),
  );
  return { frames, channels, acceleration: norms(channels.slice(0, 3), frames), rotation: norms(channels.slice(3), frames) };
}

function norms(axes: readonly Float64Array[], frames: number): Float64Array {
  return Float64Array.from({ length: frames }, (_, i) => Math.hypot(axes[0]![i]!, axes[1]![i]!, axes[2]![i]!));
}

/** Frames from ≤ i < to of a motion; they share its memory. */
export function sliceMotion({ channels, acceleration, rotation }: Motion, from: number, to: number): Motion {
  return {
    frames: to - from,
    channels: channels.map((channel) => channel.subarray(from, to)),
    acceleration: acceleration.subarray(from, to),
    rotation: rotation.subarray(from, to),
  };
}
