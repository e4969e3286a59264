import { EXIT_NEVER, LIMIT_PATCHES } from "../../assembly/layout.ts";
import { LabelSmoother } from "../core/arithmetic/smoothing.ts";
import type { ModelImage } from "../core/image/image-types.ts";
import type { Session } from "../core/session/session-types.ts";
import { countWindowFrames, type Recording, type SensedRecording, scoredWindows, streamPatch } from "../data/recording.ts";

/** A model that evaluations run: Model, or what stands in for it. */
export interface Runnable {
  readonly image: ModelImage;
  createSession(): Session;
}

/** A moment at which a published window is scored: the session has seen every frame up to `frame`, and none after it. */
export interface ScoredMoment {
  readonly recording: SensedRecording;
  readonly frame: number; // index of the last frame
  readonly label: number; // class of the window
  readonly logits: readonly Int16Array[]; // per exit (nClasses,), Q10
  readonly scores: readonly Int32Array[]; // the same, smoothed over the exit's own decisions before: their best is its label
  readonly isSmoothed: boolean; // false: no decision came before
}

/** What the runtime did about lost frames. */
export interface Losses {
  held: number; // gaps bridged with the last frame
  resets: number; // gaps so long that the state began anew
}

const patchFrames = 4;

/** The window protocol: each published window from a reset state, every patch at full depth. */
export function* windowMoments(session: Session, recordings: readonly SensedRecording[], losses?: Losses): Generator<ScoredMoment> {
  let tick = 0;
  for (const recording of recordings) {
    const frames = countWindowFrames(recording);
    for (const { start, label } of scoredWindows(recording)) {
      session.reset();
      let logits: Int16Array[] = [];
      for (let i = start; i < start + frames; i++) {
        push(session, recording, i, ++tick, losses);
        if ((i + 1 - start) % patchFrames === 0) logits = session.logits(); // no ring overflows
      }
      const scores = logits.map((own) => Int32Array.from(own));
      yield { recording, frame: start + frames - 1, label: label - 1, logits, scores, isSmoothed: false };
    }
  }
}

/**
 * The stream protocol: whole recordings with carried state; after each patch every exit decides by itself, with a smoother of its own
 * decisions, as the core does at a hop of one patch whose deepest exit it is. Each published window comes up after the last patch that
 * ends within it.
 */
export function* streamMoments(
  session: Session,
  image: Pick<ModelImage, "exits" | "nClasses" | "smoothing">,
  recordings: readonly SensedRecording[],
  losses?: Losses,
): Generator<ScoredMoment> {
  const smoothers = image.exits.map(() => new LabelSmoother(image));
  for (const recording of recordings) {
    const labelAt = new Map<number, number>();
    for (const { start, label } of scoredWindows(recording))
      labelAt.set(streamPatch(start, patchFrames, countWindowFrames(recording)), label - 1);
    session.reset();
    for (const smoother of smoothers) smoother.reset();
    let frames = 0; // that the session has had since its state began, held ones too
    let decided = 0; // patches, at the last decision
    for (let i = 0; i < recording.labels.length; i++) {
      const pushed = push(session, recording, i, i + 1, losses);
      if (pushed?.reset) {
        for (const smoother of smoothers) smoother.reset();
        [frames, decided] = [0, 0];
      }
      frames += pushed?.frames ?? 0;
      const patches = Math.floor(frames / patchFrames);
      const isDue = pushed !== undefined && frames % patchFrames === 0; // a patch that a held frame completes is not decided on
      const label = (i + 1) % patchFrames === 0 ? labelAt.get((i + 1) / patchFrames - 1) : undefined;
      if (!isDue && label === undefined) continue;
      const logits = session.logits();
      if (label !== undefined) {
        const scores = logits.map((own, k) => smoothers[k]!.scores(own));
        yield { recording, frame: i, label, logits, scores, isSmoothed: smoothers[0]!.isSmoothed };
      }
      if (!isDue) continue;
      for (const [k, own] of logits.entries()) smoothers[k]!.keep(own, patches - decided);
      decided = patches;
    }
  }
}

/**
 * Pushes frame i at its tick, unless it is lost: the next frame's tick then tells the session of the gap. Returns how many frames the
 * session took, held ones too, and whether that reset its state.
 */
function push(session: Session, recording: SensedRecording, i: number, tick: number, losses: Losses | undefined) {
  if (recording.lost?.[i]) return undefined;
  const { held, reset } = session.pushFrame(frameAt(recording, i), tick);
  if (losses && held) losses.held++;
  if (losses && reset) losses.resets++;
  let gap = 0;
  while (!reset && i - gap > 0 && recording.lost?.[i - gap - 1]) gap++;
  return { frames: gap + 1, reset };
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
