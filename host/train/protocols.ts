import { EXIT_NEVER, LIMIT_PATCHES } from "../../assembly/layout.ts";
import { type Recording, scoredWindows, streamPatch, WINDOW_FRAMES } from "../agent/recording.ts";
import type { ModelImage } from "../core/image-types.ts";
import { LabelTrack } from "../core/reference/track.ts";
import type { Session } from "../core/session-types.ts";

/** A model that evaluations run: Model, or what stands in for it. */
export interface Runnable {
  readonly image: ModelImage;
  createSession(): Session;
}

/** A recording, maybe with frames that never arrived. */
export interface SensedRecording extends Recording {
  readonly lost?: Uint8Array; // (n,) 1 = the frame is lost
}

/** A moment at which a published window is scored: the session has seen every frame up to `frame`, and none after it. */
export interface ScoredMoment {
  readonly recording: SensedRecording;
  readonly frame: number; // index of the last frame
  readonly label: number; // class of the window
  readonly logits: readonly Int16Array[]; // per exit (nClasses,), Q10
  readonly scores: readonly Int32Array[]; // the same with the track of the exit's own decisions before: their best is its label
}

/** What the runtime did about lost frames. */
export interface Losses {
  held: number; // gaps bridged with the last frame
  resets: number; // gaps so long that the state began anew
}

const patchFrames = 4;

/** The window protocol: each published window from a reset state. */
export function* windowMoments(session: Session, recordings: readonly SensedRecording[], losses?: Losses): Generator<ScoredMoment> {
  let tick = 0;
  for (const recording of recordings)
    for (const { start, label } of scoredWindows(recording)) {
      session.reset();
      for (let i = start; i < start + WINDOW_FRAMES; i++) push(session, recording, i, ++tick, losses);
      const logits = session.logits();
      const scores = logits.map((own) => Int32Array.from(own));
      yield { recording, frame: start + WINDOW_FRAMES - 1, label: label - 1, logits, scores };
    }
}

/**
 * The stream protocol: whole recordings with carried state; after each patch every exit decides by itself, with a track of its own
 * decisions, as the core does at a hop of one patch whose deepest exit it is. Each published window comes up after the last patch that
 * ends within it.
 */
export function* streamMoments(
  session: Session,
  image: Pick<ModelImage, "exits" | "nClasses" | "track">,
  recordings: readonly SensedRecording[],
  losses?: Losses,
): Generator<ScoredMoment> {
  const tracks = image.exits.map(() => new LabelTrack(image));
  const decide = (): Pick<ScoredMoment, "logits" | "scores"> => {
    const logits = session.logits();
    const scores = logits.map((own, k) => tracks[k]!.scores(own));
    for (const [k, own] of logits.entries()) tracks[k]!.keep(own, 1);
    return { logits, scores };
  };
  for (const recording of recordings) {
    for (const track of tracks) track.reset();
    const labelAt = new Map<number, number>();
    for (const { start, label } of scoredWindows(recording)) labelAt.set(streamPatch(start, patchFrames), label - 1);
    session.reset();
    for (let i = 0; i < recording.labels.length; i++) {
      if (push(session, recording, i, i + 1, losses)) for (const track of tracks) track.reset();
      if ((i + 1) % patchFrames !== 0) continue;
      const decided = decide();
      const patch = (i + 1) / patchFrames - 1;
      const label = labelAt.get(patch);
      if (label !== undefined) yield { recording, frame: i, label, ...decided };
    }
  }
}

/** Pushes frame i at its tick, unless it is lost: the next frame's tick then tells the session of the gap. True where that reset the state. */
function push(session: Session, recording: SensedRecording, i: number, tick: number, losses: Losses | undefined): boolean {
  if (recording.lost?.[i]) return false;
  const { held, reset } = session.pushFrame(frameAt(recording, i), tick);
  if (losses && held) losses.held++;
  if (losses && reset) losses.resets++;
  return reset;
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
