import { EXIT_NEVER, LIMIT_PATCHES } from "../../assembly/layout.ts";
import { type Recording, scoredWindows, streamPatch, WINDOW_FRAMES } from "../agent/recording.ts";
import type { Session } from "../core/session-types.ts";

/** A recording, maybe with frames that never arrived. */
export interface SensedRecording extends Recording {
  readonly lost?: Uint8Array; // (n,) 1 = the frame is lost
}

/** A moment at which a published window is scored: the session has seen every frame up to `frame`, and none after it. */
export interface ScoredMoment {
  readonly recording: SensedRecording;
  readonly frame: number; // index of the last frame
  readonly label: number; // class of the window
}

/** What the runtime did about lost frames. */
export interface Losses {
  held: number; // gaps bridged with the last frame
  resets: number; // gaps so long that the state began anew
}

const patchFrames = 4;
/** Patches between two catch-ups of a stream: at most the ring, so that no block ever skips a patch. */
const streamCatchUpPatches = 16;

/** The window protocol: each published window from a reset state. */
export function* windowMoments(session: Session, recordings: readonly SensedRecording[], losses?: Losses): Generator<ScoredMoment> {
  let tick = 0;
  for (const recording of recordings)
    for (const { start, label } of scoredWindows(recording)) {
      session.reset();
      for (let i = start; i < start + WINDOW_FRAMES; i++) push(session, recording, i, ++tick, losses);
      yield { recording, frame: start + WINDOW_FRAMES - 1, label: label - 1 };
    }
}

/**
 * The stream protocol: whole recordings with carried state, caught up often enough that no block skips a patch; each published window
 * comes up after the last patch that ends within it.
 */
export function* streamMoments(session: Session, recordings: readonly SensedRecording[], losses?: Losses): Generator<ScoredMoment> {
  for (const recording of recordings) {
    const labelAt = new Map<number, number>();
    for (const { start, label } of scoredWindows(recording)) labelAt.set(streamPatch(start, patchFrames), label - 1);
    session.reset();
    for (let i = 0; i < recording.labels.length; i++) {
      push(session, recording, i, i + 1, losses);
      if ((i + 1) % patchFrames !== 0) continue;
      const patch = (i + 1) / patchFrames - 1;
      const label = labelAt.get(patch);
      if (label !== undefined) yield { recording, frame: i, label };
      else if (patch % streamCatchUpPatches === 0) session.logits();
    }
  }
}

/** Pushes frame i at its tick, unless it is lost: the next frame's tick then tells the session of the gap. */
function push(session: Session, recording: SensedRecording, i: number, tick: number, losses: Losses | undefined): void {
  if (recording.lost?.[i]) return;
  const { held, reset } = session.pushFrame(frameAt(recording, i), tick);
  if (losses && held) losses.held++;
  if (losses && reset) losses.resets++;
}

/** Frame i of a recording, (channels,) counts. */
export function frameAt(recording: Recording, i: number): Int16Array {
  return recording.frames.subarray(i * recording.channels, (i + 1) * recording.channels);
}

/** No exit may answer and no hop comes due: only logits() decides how deep to run. */
export function fullDepth(session: Session): Session {
  const nExits = session.logits().length;
  session.setPoint({
    maxExit: nExits - 1,
    hopPatches: LIMIT_PATCHES,
    askAllowed: false,
    limitReason: "none",
    askIntervalHops: 1,
    thresholds: new Array<number>(nExits).fill(EXIT_NEVER),
  });
  return session;
}
