import type { Recording } from "./recording.ts";
import { rotated } from "./sensor-faults.ts";

/** (x, y, z) → (x, −z, y), a rotation. */
const TURN = [1, 0, 0, 0, 0, -1, 0, 1, 0];

/** A HAPT recording with the axes of SisFall's belt buckle: x up when standing in both, then y to the right and z forward. */
export function haptAtBelt(recording: Recording): Recording {
  return { ...recording, frames: rotated(recording.frames, TURN) };
}
