import type { AdaptableImage, Adapter } from "./adapter.ts";

export interface LessonOptions {
  /** Answers less sure than this teach nothing. Default 0.5: likelier right than not. */
  readonly leastConfidence?: number;
}

/** Turns answers into windows that an adapter learns. */
export interface Lessons {
  /** Windows that were learned. */
  readonly windows: number;
  /** After every decision: the label of the image's evidence, and the patches since the state began. */
  decided(label: number, patch: number): void;
  /** The decision just made is asked; `context` (n, patchBytes) s8 is what the session had then. */
  asked(id: string, context: Int8Array): void;
  /** An ask has ended; without an answer it teaches nothing. Returns the windows that were learned. */
  ended(id: string, answer?: { readonly label: number; readonly confidence: number }): number;
  /** The session's state began anew. */
  reset(): void;
}

/** What an answer may teach. */
interface Lesson {
  readonly own: readonly Int8Array[]; // windows
  readonly label: number; // the image's
}

/** Asks whose windows are kept until their answers come. */
const MOST_PENDING = 64;

/**
 * What the image and the cloud agree on is learned, since they seldom err alike: an answer that confirms the image's decision confirms the
 * stretch of its context over which that decision did not change, hop by hop, so that one in ten seconds teaches all of them. No window is
 * learned twice. Source: agreement of two views as label (Blum and Mitchell, COLT 1998).
 */
export function createLessons(
  adapter: Adapter,
  image: AdaptableImage & { readonly contextPatches: number },
  options: LessonOptions = {},
): Lessons {
  const { leastConfidence = 0.5 } = options;
  const { windowPatches, contextPatches } = image;
  const patchBytes = image.patchFrames * image.channels;
  const pending = new Map<string, Lesson>();
  let stretch: number[] = []; // patches at the decisions since the label changed, not asked about yet
  let stretchLabel = -1;
  let windows = 0;
  return {
    get windows() {
      return windows;
    },
    decided(label, patch) {
      if (label !== stretchLabel) stretch = [];
      stretchLabel = label;
      stretch.push(patch);
      while (stretch[0]! <= patch - contextPatches) stretch.shift();
    },
    asked(id, context) {
      const now = stretch.at(-1);
      if (now === undefined) return;
      const rows = context.length / patchBytes;
      const own: Int8Array[] = [];
      for (const patch of stretch) {
        const end = rows - (now - patch);
        if (end >= windowPatches) own.push(context.slice((end - windowPatches) * patchBytes, end * patchBytes));
      }
      stretch = [];
      pending.set(id, { own, label: stretchLabel });
      if (pending.size > MOST_PENDING) pending.delete(pending.keys().next().value!);
    },
    ended(id, answer) {
      const { own, label } = pending.get(id) ?? { own: [], label: -1 };
      pending.delete(id);
      if (answer === undefined || answer.label !== label || answer.confidence < leastConfidence) return 0;
      const learned = own.filter((window) => adapter.learn(window, answer.label)).length;
      windows += learned;
      return learned;
    },
    reset() {
      stretch = [];
      stretchLabel = -1;
    },
  };
}
