import type { Block } from "./blocks/block.ts";
import type { FixedScale, LinearTensors } from "./tensor-types.ts";

export type { AttentionBlock, Block, SsmBlock } from "./blocks/block.ts";
export type { FixedScale, LinearTensors } from "./tensor-types.ts";

/** How a channel's counts become int8: requantize(count − zeroPoint), coarser beyond ±knee steps, clamped. */
export interface Feature extends FixedScale {
  readonly zeroPoint: number;
  readonly knee: number; // 0…127; 0 = linear throughout
}

export interface Exit {
  readonly afterBlock: number;
  readonly epsilon: number;
  readonly head: LinearTensors; // nOut = nClasses, logits Q10
  readonly temperature: FixedScale; // logit difference (Q10) → exponent (Q16, log2)
  readonly smoothedTemperature?: FixedScale; // the same of decisions that others before weigh on; there if and only if the image smooths
  readonly threshold: number; // certified, Q15; EXIT_NEVER where the exit may not answer
}

/** What a linear discriminant of a window's statistics adds to every exit's logits. */
export interface Lda {
  readonly means: Int32Array; // (statistics,)
  readonly limits: Int32Array; // (statistics,) how far from its mean a statistic counts
  readonly weights: Int16Array; // (statistics, nClasses)
  readonly bias: Int32Array; // (nClasses,)
  readonly shift: number; // of the sums to Q10
}

/** Viterbi smoothing over labels: a change of label costs, so that one odd hop does not make one. */
export interface Smoothing {
  readonly shift: number; // 2^shift patches of logits weigh once
  readonly transitionCosts: Int32Array; // (nClasses, nClasses) Q10, from row to column: what the logits must outweigh together; 0 on the diagonal
}

/** One exit's calibration as the manifest reports it. */
export interface ExitCalibration {
  readonly temperature: number;
  readonly trackedTemperature?: number; // the key of image files: of smoothed decisions
  readonly threshold: number; // probability, 0…1; > 1 = may not answer
  readonly coverage: number; // share of calibration windows answered here
  readonly errorBound: number; // upper bound on P(wrong | answered here or at an exit before)
}

/** Wearers as a manifest or a split names them. Compared as strings: 2 is "2". */
export type SubjectList = readonly (number | string)[];

/** The description of the image for people and hosts. Written as JSON, validated on reading. */
export interface Manifest {
  readonly name: string; // agent or model name, e.g. "activity"
  readonly labels: readonly string[];
  readonly channels: readonly { readonly name: string; readonly unit: string; readonly countsPerUnit: number }[];
  readonly frameRateHz: number;
  readonly orientation: string;
  readonly provenance: { readonly data: string; readonly licence: string; readonly trainedWith: string; readonly seed: number };
  readonly protocol: {
    readonly fit: SubjectList;
    readonly select: SubjectList;
    readonly calibrate: SubjectList;
    readonly test: SubjectList;
  };
  readonly parameters: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly calibration: readonly ExitCalibration[];
  /** How windows are labelled: trained and scored by this rule of host/data/window-rule.ts. Absent: windows of 128 frames of one label. */
  readonly windows?: {
    readonly rule: string;
    readonly frames: number;
    readonly background?: string; // of any>20%
    readonly grouping?: string; // what was kept apart, if not people: host/data/csv/regroup.ts
  };
  readonly guarantee?: { readonly alpha: number; readonly delta: number; readonly windows: number; readonly wearers: number };
}

/** A rule of the plausibility monitor: votes for its fault if bias + Σ weight · feature > 0. */
export interface PlausibilityRule {
  readonly fault: number; // FAULT_ bit
  readonly mode: number; // RULE_MODE_
  readonly on: number; // votes that raise the fault, and that clear it
  readonly bias: number;
  readonly first: number; // index of the first feature
  readonly weights: Int16Array;
}

/** What an IMU can plausibly measure on its wearer. Features, rules and votes: assembly/README.md. */
export interface Plausibility {
  readonly rules: readonly PlausibilityRule[];
}

/** A model image in memory: everything that `writeImage` needs and `readImage` returns. */
export interface ModelImage {
  readonly dModel: number;
  readonly channels: number;
  readonly patchFrames: number;
  readonly frameRateMillihertz: number;
  readonly windowPatches: number;
  readonly hopPatches: number;
  readonly contextPatches: number;
  readonly ringPatches: number;
  readonly nClasses: number;
  readonly gapLimitFrames: number;
  readonly embed: LinearTensors;
  readonly features: readonly Feature[]; // (channels,)
  readonly blocks: readonly Block[];
  readonly exits: readonly Exit[];
  readonly lda?: Lda; // absent: logits are the heads' alone
  readonly smoothing?: Smoothing; // absent: each decision stands alone
  readonly plausibility?: Plausibility; // absent: any frames are believed
  readonly manifest: Manifest;
}
