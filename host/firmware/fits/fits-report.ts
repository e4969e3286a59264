import type { FrameSource } from "../mcu/frame-source.ts";

/** Where a figure comes from. */
export type Basis = "measured" | "computed" | "unknown";

/** A share of something that a board has. */
export interface Room {
  readonly usedBytes: number | undefined;
  readonly hasBytes: number | undefined;
  readonly basis: Basis;
}

/** What an agent takes of a board: the document of `dormouse fits`. */
export interface FitsReport {
  readonly agent: string;
  readonly board: string;
  readonly fits: boolean;
  /** Why it does not fit; empty when it does. */
  readonly reasons: readonly string[];
  /** What to change, the least first. */
  readonly advice: readonly string[];
  readonly flash: Room & { readonly modelBytes: number };
  readonly ram: Room & { readonly arenaBytes: number; readonly contextBytes: number };
  readonly stack: Room;
  readonly window: Work;
  /** The frame that takes most: every exit runs over a full ring. It must be over before the link's receive ring is full. */
  readonly worstHop: Work & { readonly limitSeconds: number };
  /** Share of the time that decisions at full depth keep the core busy. */
  readonly busyShare: number | undefined;
  readonly energy: {
    readonly decisionMicrojoules: readonly number[] | undefined; // by the exit that answers, a hop each
    readonly windowMicrojoules: number | undefined;
    readonly sleepMicrowatts: number | undefined;
    readonly basis: Basis;
  };
  /** Source of frames on a microcontroller; undefined under Linux, where `run` opens the sensor. */
  readonly frames: FrameSource | undefined;
  /** How the figures came about, and what was assumed. */
  readonly notes: readonly string[];
  /** Measurements that were skipped, and the tools that they need. */
  readonly notMeasured: readonly string[];
}

export interface Work {
  readonly instructions: number | undefined;
  readonly cycles: number | undefined;
  readonly seconds: number | undefined;
  readonly basis: Basis;
}
