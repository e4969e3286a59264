import * as layout from "../../../assembly/layout.ts";
import type { Field, RecordSpec } from "./image-fields.ts";
import type { Exit, Lda, Smoothing } from "./image-types.ts";
import type { FixedScale, LinearTensors } from "./tensor-types.ts";

// The records of an image but the blocks' (blocks/). What each word is: fields, in the file's order. Format 1 has the fields of MODEL,
// INPUT, HEAD, SMOOTHING and LDA in one record, at other places.

const { STATUS_BAD_CONFIG: BAD, LIMIT_PATCHES, LIMIT_DIM } = layout;
const word = (at: number, name: string, least: number, most: number | string | undefined, text?: string): Field => ({
  at,
  name,
  type: "word",
  least,
  ...(most !== undefined && { most }),
  status: BAD,
  ...(text !== undefined && { text }),
});

interface ModelRecord {
  readonly dModel: number;
  readonly nBlocks: number;
}

export const modelSpec: RecordSpec<ModelRecord> = {
  name: "model",
  words: layout.MODEL_WORDS,
  fields: [
    word(layout.MODEL_D_MODEL, "dModel", 1, LIMIT_DIM, "width of the residual stream"),
    word(layout.MODEL_BLOCKS, "nBlocks", 1, layout.LIMIT_BLOCKS),
  ],
};

interface InputRecord {
  readonly channels: number;
  readonly patchFrames: number;
  readonly frameRateMillihertz: number;
  readonly gapLimitFrames: number;
  readonly windowPatches: number;
  readonly contextPatches: number;
  readonly embed: LinearTensors;
}

export const inputSpec: RecordSpec<InputRecord> = {
  name: "input",
  words: layout.INPUT_WORDS,
  fields: [
    word(layout.INPUT_CHANNELS, "channels", 1, layout.LIMIT_CHANNELS),
    word(layout.INPUT_PATCH_FRAMES, "patchFrames", 1, layout.LIMIT_PATCH_FRAMES),
    word(layout.INPUT_FRAME_RATE_MILLIHERTZ, "frameRateMillihertz", 1, undefined),
    word(layout.INPUT_GAP_LIMIT_FRAMES, "gapLimitFrames", 0, layout.LIMIT_GAP_FRAMES, "longest gap that is bridged with the last frame"),
    word(layout.INPUT_WINDOW_PATCHES, "windowPatches", 1, LIMIT_PATCHES),
    word(layout.INPUT_CONTEXT_PATCHES, "contextPatches", 1, LIMIT_PATCHES, "what an ask carries: at least the window"),
    {
      at: layout.INPUT_KIND,
      name: "kind",
      type: "word",
      least: layout.INPUT_KIND_PATCHES,
      isConstant: true,
      status: BAD,
      text: "patches of frames",
    },
    { at: layout.INPUT_EMBED, name: "embed", type: "linear", nIn: "patchFrames·channels", nOut: "dModel" },
  ],
};

interface HeadRecord {
  readonly nExits: number;
  readonly nClasses: number;
  readonly hopPatches: number;
  readonly ringPatches: number;
}

export const headSpec: RecordSpec<HeadRecord> = {
  name: "head",
  words: layout.HEAD_WORDS,
  fields: [
    word(layout.HEAD_EXITS, "nExits", 1, layout.LIMIT_EXITS),
    word(layout.HEAD_CLASSES, "nClasses", 2, layout.LIMIT_CLASSES),
    word(layout.HEAD_HOP_PATCHES, "hopPatches", 1, LIMIT_PATCHES, "between two decisions of a stream"),
    word(layout.HEAD_RING_PATCHES, "ringPatches", 1, layout.LIMIT_RING, "residuals that wait at each exit"),
    {
      at: layout.HEAD_KIND,
      name: "kind",
      type: "word",
      least: layout.HEAD_KIND_EXITS,
      isConstant: true,
      status: BAD,
      text: "a classifier at every exit",
    },
  ],
};

interface FeatureRecord {
  readonly zeroPoint: number;
  readonly scale: FixedScale;
  readonly knee: number;
}

export const featureSpec: RecordSpec<FeatureRecord> = {
  name: "channel",
  words: layout.FEATURE_WORDS,
  fields: [
    { at: layout.FEATURE_ZERO_POINT, name: "zeroPoint", type: "word", least: -32768, most: 32767, status: layout.STATUS_BAD_FEATURES },
    { at: layout.FEATURE_MULTIPLIER, name: "scale", type: "scale", bound: "65536", text: "counts to steps" },
    {
      at: layout.FEATURE_KNEE,
      name: "knee",
      type: "word",
      least: 0,
      most: 127,
      status: layout.STATUS_BAD_FEATURES,
      text: "steps; 0 = all linear",
    },
  ],
};

export const exitSpec: RecordSpec<Exit> = {
  name: "exit",
  words: layout.EXIT_WORDS,
  fields: [
    {
      at: layout.EXIT_AFTER_BLOCK,
      name: "afterBlock",
      type: "word",
      least: 0,
      most: layout.LIMIT_BLOCKS - 1,
      status: layout.STATUS_BAD_EXIT,
    },
    { at: layout.EXIT_EPSILON, name: "epsilon", type: "word", least: 1, status: layout.STATUS_BAD_EXIT, text: "of the head's norm" },
    { at: layout.EXIT_HEAD, name: "head", type: "linear", nIn: "dModel", nOut: "nClasses", text: "logits, Q10" },
    {
      at: layout.EXIT_TEMPERATURE_MULTIPLIER,
      name: "temperature",
      type: "scale",
      bound: "65535",
      text: "Q10 logit differences to Q16 exponents of 2",
    },
    {
      at: layout.EXIT_THRESHOLD,
      name: "threshold",
      type: "word",
      least: 0,
      most: layout.EXIT_NEVER,
      status: layout.STATUS_BAD_EXIT,
      text: `certified, Q15; ${layout.EXIT_NEVER} = may not answer`,
    },
    {
      at: layout.EXIT_SMOOTHED_MULTIPLIER,
      name: "smoothedTemperature",
      type: "scale",
      bound: `65535 + ${layout.LIMIT_TRANSITION_COST}`,
      isOptional: true,
      text: "of smoothed decisions: present if SMOOTHING is",
    },
  ],
};

export const smoothingSpec: RecordSpec<Smoothing> = {
  name: "smoothing",
  words: layout.SMOOTHING_WORDS,
  fields: [
    {
      at: layout.SMOOTHING_COSTS,
      name: "transitionCosts",
      type: "s32",
      shape: ["nClasses", "nClasses"],
      least: 0,
      most: layout.LIMIT_TRANSITION_COST,
      status: layout.STATUS_BAD_SMOOTHING,
      text: "of a change from row to column, Q10; 0 on the diagonal",
    },
    {
      at: layout.SMOOTHING_SHIFT,
      name: "shift",
      type: "word",
      least: 0,
      most: layout.LIMIT_SMOOTHING_SHIFT,
      status: layout.STATUS_BAD_SMOOTHING,
      text: "2^shift patches of logits weigh once",
    },
  ],
};

export const ldaSpec: RecordSpec<Lda> = {
  name: "lda",
  words: layout.LDA_WORDS,
  fields: [
    {
      at: layout.LDA_MEANS,
      name: "means",
      type: "s32",
      shape: ["statistics"],
      least: -layout.LIMIT_LDA_MEAN,
      most: layout.LIMIT_LDA_MEAN,
      status: layout.STATUS_BAD_LDA,
    },
    {
      at: layout.LDA_LIMITS,
      name: "limits",
      type: "s32",
      shape: ["statistics"],
      least: 0,
      most: layout.LIMIT_LDA_LIMIT,
      status: layout.STATUS_BAD_LDA,
      text: "how far from its mean a statistic counts",
    },
    { at: layout.LDA_WEIGHTS, name: "weights", type: "s16", shape: ["statistics", "nClasses"] },
    { at: layout.LDA_BIAS, name: "bias", type: "s32", shape: ["nClasses"] },
    {
      at: layout.LDA_SHIFT,
      name: "shift",
      type: "word",
      least: 0,
      most: layout.LIMIT_LDA_SHIFT,
      status: layout.STATUS_BAD_LDA,
      text: "of the sums, to Q10",
    },
  ],
};

/** Rules as the file has them; plausibility-rules.ts makes them of a Plausibility. */
export interface PlausibilityRecord {
  readonly nRules: number;
  readonly nWeights: number;
  readonly table: Int32Array; // (nRules, RULE_WORDS)
  readonly weights: Int16Array; // (nWeights,)
}

const BAD_RULES = layout.STATUS_BAD_PLAUSIBILITY;

export const plausibilitySpec: RecordSpec<PlausibilityRecord> = {
  name: "plausibility",
  words: layout.PLAUSIBILITY_WORDS,
  fields: [
    { at: layout.PLAUSIBILITY_RULES, name: "nRules", type: "word", least: 1, most: layout.LIMIT_RULES, status: BAD_RULES },
    {
      at: layout.PLAUSIBILITY_WEIGHT_COUNT,
      name: "nWeights",
      type: "word",
      least: 1,
      most: layout.LIMIT_RULES * layout.MONITOR_FEATURES,
      status: BAD_RULES,
      text: "of all rules",
    },
    {
      at: layout.PLAUSIBILITY_TABLE,
      name: "table",
      type: "s32",
      shape: ["nRules", String(layout.RULE_WORDS)],
      text: "a rule: fault, mode, on, bias, first feature, features",
    },
    {
      at: layout.PLAUSIBILITY_WEIGHTS,
      name: "weights",
      type: "s16",
      shape: ["nWeights"],
      text: "each rule's after those of the rule before",
    },
  ],
};

/** Where CONFIG of format 1 has the words of MODEL, INPUT, HEAD, SMOOTHING and LDA; −1: nowhere, the constant is meant. */
export const FORMAT_1_PLACES = {
  model: [layout.CONFIG_D_MODEL, layout.CONFIG_BLOCKS],
  input: [
    layout.CONFIG_CHANNELS,
    layout.CONFIG_PATCH_FRAMES,
    layout.CONFIG_FRAME_RATE_MILLIHERTZ,
    layout.CONFIG_GAP_LIMIT_FRAMES,
    layout.CONFIG_WINDOW_PATCHES,
    layout.CONFIG_CONTEXT_PATCHES,
    -1,
    -1,
    ...Array.from({ length: layout.LINEAR_WORDS }, (_, i) => layout.CONFIG_EMBED + i),
  ],
  head: [layout.CONFIG_EXITS, layout.CONFIG_CLASSES, layout.CONFIG_HOP_PATCHES, layout.CONFIG_RING_PATCHES, -1],
  smoothing: [layout.CONFIG_SMOOTHING, layout.CONFIG_SMOOTHING + 1],
  lda: Array.from({ length: layout.LDA_WORDS }, (_, i) => layout.CONFIG_LDA + i),
} as const;

/** First unused word of CONFIG. */
export const FORMAT_1_CLAIMED = layout.CONFIG_LDA + layout.LDA_WORDS;
