import { createHash, type Hash } from "node:crypto";
import { EXIT_NEVER, LIMIT_PATCHES } from "../../assembly/layout.ts";
import {
  HAPT_CHANNELS,
  HAPT_WINDOW_FRAMES,
  type HaptDataset,
  type HaptRecording,
  publishedWindows,
  recordingsOf,
  streamPatch,
} from "../agent/hapt.ts";
import type { Session, SetPoint } from "../core/session-types.ts";
import { type FloatModel, floatLogits, floatPatches } from "./float-forward.ts";

/** What one exit answered over all scored windows. */
export interface ExitScore {
  readonly accuracy: number;
  readonly macroF1: number; // over the basic activities
  readonly confusion: readonly (readonly number[])[]; // [true basic activity][answered class]
  readonly macs: number; // of a window that stops here; 0 where nothing counts them (float)
}

export interface Evaluation {
  readonly protocol: "window" | "stream";
  readonly windows: number;
  readonly exits: readonly ExitScore[];
  /** SHA-256 over the logits (int16 LE, every exit) and the snapshot after each scored window: equal on every engine. */
  readonly sha256: string;
}

export interface EvaluateOptions {
  readonly users: readonly number[];
  readonly onWindow?: (done: number) => void;
}

/** Labels 1–6 of HAPT are scored; a transition is never a right answer. */
const basicActivities = 6;
const patchFrames = 4;
/** Patches between two catch-ups of a stream: at most the ring, so that no block ever skips a patch. */
const streamCatchUpPatches = 16;

/** Published windows of `users`, each from a reset state, all exits at full depth after the last frame. */
export function evaluateWindows(createSession: () => Session, dataset: HaptDataset, options: EvaluateOptions): Evaluation {
  const session = fullDepth(createSession());
  const score = createScore(session);
  let tick = 0;
  for (const recording of recordingsOf(dataset, options.users))
    for (const { start, label } of publishedWindows(recording)) {
      if (label > basicActivities) continue;
      session.reset();
      for (let i = 0; i < HAPT_WINDOW_FRAMES; i++) session.pushFrame(frameAt(recording, start + i), ++tick);
      score.add(session, label - 1);
      options.onWindow?.(score.count());
    }
  return score.result("window");
}

/** Whole recordings of `users` with carried state; each published window is scored after the last patch that ends within it. */
export function evaluateStream(createSession: () => Session, dataset: HaptDataset, options: EvaluateOptions): Evaluation {
  const session = fullDepth(createSession());
  const score = createScore(session);
  for (const recording of recordingsOf(dataset, options.users)) {
    const labelAt = new Map<number, number>();
    for (const { start, label } of publishedWindows(recording))
      if (label <= basicActivities) labelAt.set(streamPatch(start, patchFrames), label - 1);
    session.reset();
    for (let i = 0, patch = -1; i < recording.labels.length; i++) {
      if (!session.pushFrame(frameAt(recording, i), i + 1).patch) continue;
      patch++;
      const label = labelAt.get(patch);
      if (label !== undefined) {
        score.add(session, label);
        options.onWindow?.(score.count());
      } else if (patch % streamCatchUpPatches === 0) session.logits();
    }
  }
  return score.result("stream");
}

/** The window protocol in floating point, weights and activations unrounded. Plain TypeScript: about 5 ms a window. */
export function evaluateFloat(model: FloatModel, dataset: HaptDataset, options: EvaluateOptions): Evaluation {
  const tally = createTally(model.config.exits.length, model.config.nClasses);
  const hash = createHash("sha256");
  for (const recording of recordingsOf(dataset, options.users))
    for (const { start, label } of publishedWindows(recording)) {
      if (label > basicActivities) continue;
      const logits = floatLogits(model.parameters, model.config, floatPatches(recording.frames, start, HAPT_WINDOW_FRAMES, model.features));
      tally.add(logits, label - 1);
      for (const exit of logits) hash.update(Buffer.from(exit.buffer));
      options.onWindow?.(tally.count());
    }
  return { protocol: "window", windows: tally.count(), exits: tally.exits(() => 0), sha256: hash.digest("hex") };
}

/** What a running policy did: hop by hop over whole recordings, scored wherever the frame is labelled. */
export interface PolicyEvaluation {
  readonly decisions: number;
  readonly answered: number; // locally, at some exit
  readonly answeredRight: number;
  readonly answeredByExit: readonly number[];
  readonly macsPerDecision: number;
  readonly rebuilds: number;
}

/** Streams whole recordings under `setPoint`; `classOf` maps a HAPT label to a class, −1 = not scored. */
export function evaluatePolicy(
  createSession: () => Session,
  dataset: HaptDataset,
  options: EvaluateOptions & { readonly setPoint: SetPoint; readonly classOf: (label: number) => number },
): PolicyEvaluation {
  const session = createSession();
  session.setPoint(options.setPoint);
  let decisions = 0;
  let answered = 0;
  let answeredRight = 0;
  let macs = 0;
  let all = 0;
  let rebuilds = 0;
  const answeredByExit: number[] = new Array(session.logits().length).fill(0);
  for (const recording of recordingsOf(dataset, options.users)) {
    session.reset();
    for (let i = 0; i < recording.labels.length; i++) {
      const { decision } = session.pushFrame(frameAt(recording, i), i + 1);
      if (!decision) continue;
      all++;
      macs += decision.macs;
      rebuilds += decision.rebuilds;
      const label = options.classOf(recording.labels[i]!);
      if (label < 0) continue;
      decisions++;
      if (decision.why !== "exit") continue;
      answered++;
      answeredByExit[decision.exit]!++;
      if (decision.label === label) answeredRight++;
    }
  }
  return { decisions, answered, answeredRight, answeredByExit, macsPerDecision: macs / Math.max(1, all), rebuilds };
}

function frameAt(recording: HaptRecording, i: number): Int16Array {
  return recording.frames.subarray(i * HAPT_CHANNELS, (i + 1) * HAPT_CHANNELS);
}

/** No exit may answer and no hop comes due: only logits() decides how deep to run. */
function fullDepth(session: Session): Session {
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

function createScore(session: Session) {
  const first = session.logits();
  const tally = createTally(first.length, first[0]!.length);
  const hash: Hash = createHash("sha256");
  const bytes = new Uint8Array(first.length * first[0]!.length * 2);
  const view = new DataView(bytes.buffer);
  return {
    count: tally.count,
    add(running: Session, label: number): void {
      const logits = running.logits();
      tally.add(logits, label);
      let at = 0;
      for (const exit of logits)
        for (const logit of exit) {
          view.setInt16(at, logit, true);
          at += 2;
        }
      hash.update(bytes);
      hash.update(running.snapshot());
    },
    result: (protocol: "window" | "stream"): Evaluation => ({
      protocol,
      windows: tally.count(),
      exits: tally.exits((k) => session.opCount(k).macs),
      sha256: hash.digest("hex"),
    }),
  };
}

function createTally(nExits: number, nClasses: number) {
  const confusions = Array.from({ length: nExits }, () =>
    Array.from({ length: basicActivities }, () => new Array<number>(nClasses).fill(0)),
  );
  let count = 0;
  return {
    count: () => count,
    add(logits: readonly ArrayLike<number>[], label: number): void {
      count++;
      logits.forEach((exit, k) => {
        let best = 0;
        for (let c = 1; c < exit.length; c++) if (exit[c]! > exit[best]!) best = c;
        confusions[k]![label]![best]!++;
      });
    },
    exits: (macsOf: (exit: number) => number): ExitScore[] =>
      confusions.map((confusion, k) => {
        let right = 0;
        let f1 = 0;
        for (let c = 0; c < basicActivities; c++) {
          const hits = confusion[c]![c]!;
          const actual = confusion[c]!.reduce((sum, n) => sum + n, 0);
          const answered = confusion.reduce((sum, row) => sum + row[c]!, 0);
          right += hits;
          f1 += actual + answered > 0 ? (2 * hits) / (actual + answered) : 0;
        }
        return { accuracy: right / Math.max(1, count), macroF1: f1 / basicActivities, confusion, macs: macsOf(k) };
      }),
  };
}
