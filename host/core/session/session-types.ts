import type { Lda } from "../image/image-types.ts";

/** The engines that run an image. Both give the same bits. */
export type EngineName = "scalar" | "simd";

export type DecisionWhy = "exit" | "ask" | "deferred" | "budget" | "thermal";

/** One decision of the core (DECISION_* words of assembly/layout.ts). */
export interface Decision {
  readonly label: number; // index into manifest.labels
  readonly exit: number; // 0-based exit that it comes from
  readonly confidenceQ15: number; // 0…32768
  readonly why: DecisionWhy;
  readonly tick: number; // device frame count of the last frame
  readonly patch: number; // patches since the last reset
  readonly macs: number; // multiply-accumulates since the decision before
  readonly rebuilds: number;
  readonly steps: number;
  readonly sensorFaults?: number; // FAULT_ bits that stand; absent: the sensor is plausible, or the image has no rules
}

/** What the governor lets the core do. Thresholds are Q15; the core never goes below the certified ones of the image. */
export interface SetPoint {
  readonly maxExit: number;
  readonly hopPatches: number;
  readonly askAllowed: boolean;
  readonly limitReason: "none" | "budget" | "thermal";
  readonly askIntervalHops: number;
  readonly thresholds: readonly number[];
}

/** What a push did. */
export interface PushResult {
  readonly patch: boolean;
  readonly held: boolean;
  readonly reset: boolean;
  readonly ignored: boolean;
  readonly decision: Decision | undefined;
}

/** A running model: constant memory, one wearer. Implemented over the wasm core and by the reference oracle. */
export interface Session {
  readonly engine: string;
  /** Zeroes the state: the start of a window. */
  reset(): void;
  /** One frame, `channels` int16 counts, at a device tick (frame count, u32). */
  pushFrame(frame: Int16Array, tick: number): PushResult;
  /** One quantised patch (patchFrames·channels int8), bypassing the features. */
  pushPatch(patch: Int8Array): PushResult;
  /** Decides now, whatever the hop. */
  decide(): Decision;
  /** Runs to full depth and returns the logits of every exit, Q10: no decision, no counters touched beyond the catch-up. */
  logits(): Int16Array[];
  /**
   * What the head of `exit` reads, (dModel,) s8 with 32 = 1: the RMS-normed residual, after running to that depth; no counters touched
   * beyond the catch-up.
   */
  features(exit: number): Int8Array;
  setPoint(setPoint: SetPoint): void;
  /** The last min(count, contextPatches) patches, oldest first. */
  context(): Int8Array;
  snapshot(): Uint8Array;
  restore(snapshot: Uint8Array): void;
  /** Operation counts of a window that stops at `exit`: macs, requantize, state, lookup, norm, weightBytes. */
  opCount(exit: number): Readonly<Record<"macs" | "requantize" | "state" | "lookup" | "norm" | "weightBytes", number>>;
  /**
   * Replaces the image's LDA head, from the next decision on, by one of the same shape. Decisions have the bits of an image with that
   * head; snapshots stay the image's. Throws BAD_LDA.
   */
  setLda(lda: Lda): void;
  readonly arenaBytes: number;
}
