/** y = W·x + b as an image holds it. Row i of `weights` starts at i·nIn (unpadded here; the writer pads). */
export interface LinearTensors {
  readonly nIn: number;
  readonly nOut: number;
  readonly weights: Int8Array; // (nOut, nIn)
  readonly bias: Int32Array; // (nOut,)
  readonly multiplier: Int32Array; // (nOut,) Q31
  readonly shift: Int8Array; // (nOut,) positive = left
}

/** A scale as the core applies it: scale = multiplier · 2^(shift − 31). */
export interface FixedScale {
  readonly multiplier: number;
  readonly shift: number;
}

export interface SsmBlock {
  readonly kind: "ssm";
  readonly epsilon: number;
  readonly gateEpsilon: number;
  readonly dInner: number;
  readonly nHeads: number;
  readonly headDim: number;
  readonly dState: number;
  readonly dConv: number;
  readonly scanShift: number;
  readonly inProj: LinearTensors; // rows z, x, B, C, Δ
  readonly outProj: LinearTensors;
  readonly convWeights: Int8Array; // (dConv, dInner), tap-major
  readonly convBias: Int32Array; // (dInner,)
  readonly convMultiplier: Int32Array;
  readonly convShift: Int8Array;
  readonly siluX: Int8Array; // 256
  readonly siluZ: Int8Array; // 256
  readonly a: Int32Array; // (nHeads,) A·log2(e), Q12
  readonly d: Int32Array; // (nHeads,)
  readonly y: FixedScale;
}

export interface AttentionBlock {
  readonly kind: "attention";
  readonly epsilon: number;
  readonly mlpEpsilon: number;
  readonly nHeads: number;
  readonly nKvHeads: number;
  readonly headDim: number;
  readonly windowPatches: number;
  readonly dMlp: number;
  readonly score: FixedScale;
  readonly qkv: LinearTensors;
  readonly oProj: LinearTensors;
  readonly gateUp: LinearTensors;
  readonly down: LinearTensors;
  readonly silu: Int8Array; // 256
  readonly out: FixedScale;
  readonly mlp: FixedScale;
}

export type Block = SsmBlock | AttentionBlock;

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
  readonly trackedTemperature?: FixedScale; // the same of decisions that others before weigh on; there if and only if the image tracks
  readonly threshold: number; // certified, Q15; EXIT_NEVER where the exit may not answer
}

/** What a linear discriminant of a window's statistics adds to every exit's logits. */
export interface Evidence {
  readonly means: Int32Array; // (statistics,)
  readonly limits: Int32Array; // (statistics,) how far from its mean a statistic counts
  readonly weights: Int16Array; // (statistics, nClasses)
  readonly bias: Int32Array; // (nClasses,)
  readonly shift: number; // of the sums to Q10
}

/** How decisions are tracked: a change of label costs, so that one odd hop does not make one. */
export interface Track {
  readonly shift: number; // 2^shift patches of logits weigh once
  readonly costs: Int32Array; // (nClasses, nClasses) Q10, from row to column: what the logits must outweigh together; 0 on the diagonal
}

/** One exit's calibration as the manifest reports it. */
export interface ExitCalibration {
  readonly temperature: number;
  readonly trackedTemperature?: number;
  readonly threshold: number; // probability, 0…1; > 1 = may not answer
  readonly coverage: number; // share of calibration windows answered here
  readonly errorBound: number; // upper bound on P(wrong | answered here or at an exit before)
}

/** Wearers as a manifest or a split names them. Compared as strings: 2 is "2". */
export type SubjectList = readonly (number | string)[];

/** What the image says of itself to people and hosts. Written as JSON, validated on reading. */
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
  readonly guarantee?: { readonly alpha: number; readonly delta: number; readonly windows: number; readonly wearers: number };
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
  readonly evidence?: Evidence; // absent: logits are the heads' alone
  readonly track?: Track; // absent: each decision stands alone
  readonly manifest: Manifest;
}
