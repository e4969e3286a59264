import * as layout from "../../assembly/layout.ts";
import * as lm from "../../assembly/lm/layout.ts";
import { imageError } from "../core/image/image-header.ts";
import type { Gain, LmField, LmSpec, Matrix, Scale } from "./image-fields.ts";

// The records of a language image, field by field. MODEL is the sensor image's record with other limits.

const { STATUS_BAD_CONFIG: CONFIG, STATUS_BAD_BLOCK: BLOCK } = layout;
const word = (at: number, name: string, least: number, most: number | string, status: number, text?: string, step?: number): LmField => ({
  at,
  name,
  type: "word",
  least,
  most,
  status,
  ...(text !== undefined && { text }),
  ...(step !== undefined && { step }),
});
const exponent = (at: number, name: string, text: string): LmField =>
  word(at, name, -lm.LM_LIMIT_EXPONENT, lm.LM_LIMIT_EXPONENT, BLOCK, text);

export interface ModelRecord {
  readonly dModel: number;
  readonly nBlocks: number;
}

export const modelSpec: LmSpec = {
  name: "language model",
  words: layout.MODEL_WORDS,
  fields: [
    word(layout.MODEL_D_MODEL, "dModel", 8, lm.LM_LIMIT_IN, CONFIG, "width of the residual stream", 8),
    word(layout.MODEL_BLOCKS, "nBlocks", 1, lm.LM_LIMIT_BLOCKS, CONFIG),
  ],
};

export interface TokensRecord {
  readonly vocabulary: number;
  readonly context: number;
  readonly residualBits: number;
  readonly headSize: number;
  readonly epsilon: number;
  readonly embedding: Matrix;
  readonly ropeSteps: Uint32Array;
}

export const tokensSpec: LmSpec = {
  name: "token input",
  words: lm.TOKENS_WORDS,
  fields: [
    word(lm.TOKENS_VOCABULARY, "vocabulary", 2, lm.LM_LIMIT_VOCABULARY, CONFIG),
    word(lm.TOKENS_CONTEXT, "context", 1, lm.LM_LIMIT_CONTEXT, CONFIG, "positions that the model was trained on"),
    word(
      lm.TOKENS_RESIDUAL_BITS,
      "residualBits",
      lm.LM_RESIDUAL_BITS_MIN,
      lm.LM_RESIDUAL_BITS_MAX,
      CONFIG,
      "the residual's unit is 2^−residualBits",
    ),
    word(lm.TOKENS_HEAD_SIZE, "headSize", 8, lm.LM_LIMIT_HEAD_SIZE, CONFIG, "of every block", 8),
    word(lm.TOKENS_EPSILON, "epsilon", 1, 2 ** 31 - 1, CONFIG, "dModel·ε·2^(2·residualBits), of every norm"),
    word(lm.TOKENS_KIND, "kind", layout.INPUT_KIND_TOKENS, layout.INPUT_KIND_TOKENS, CONFIG, "tokens"),
    { at: lm.TOKENS_EMBEDDING, name: "embedding", type: "matrix", nIn: "dModel", nOut: "vocabulary", text: "a token's row" },
    { at: lm.TOKENS_ROPE_STEPS, name: "ropeSteps", type: "steps", n: "headSize", text: "of each pair its turns per position, in 2^−32" },
  ],
};

export interface LanguageRecord {
  readonly gain: Gain;
  readonly head: Matrix | { readonly scale: Scale };
}

export const languageSpec: LmSpec = {
  name: "language head",
  words: lm.LANGUAGE_WORDS,
  fields: [
    { at: lm.LANGUAGE_GAIN, name: "gain", type: "gain", n: "dModel", text: "of the final norm" },
    word(lm.LANGUAGE_KIND, "kind", layout.HEAD_KIND_LANGUAGE, layout.HEAD_KIND_LANGUAGE, CONFIG, "logits of the next token"),
    {
      at: lm.LANGUAGE_HEAD,
      name: "head",
      type: "matrix",
      nIn: "dModel",
      nOut: "vocabulary",
      isOptional: true,
      text: "its scale alone: the embedding's weights and rows. With 1/127",
    },
  ],
};

export interface DecoderRecord {
  readonly nHeads: number;
  readonly nKvHeads: number;
  readonly headSize: number;
  readonly hidden: number;
  readonly keyUnit: number;
  readonly valueUnit: number;
  readonly groupSize: number;
  readonly attentionGain: Gain;
  readonly qkv: Matrix;
  readonly k: Scale;
  readonly v: Scale;
  readonly out: Matrix;
  readonly mlpGain: Gain;
  readonly gateUp: Matrix;
  readonly up: Scale;
  readonly down: Matrix;
}

export const decoderSpec: LmSpec = {
  name: "decoder",
  words: layout.BLOCK_WORDS,
  fields: [
    word(layout.BLOCK_KIND, "kind", lm.BLOCK_KIND_DECODER, lm.BLOCK_KIND_DECODER, BLOCK),
    word(lm.DECODER_HEADS, "nHeads", 1, lm.LM_LIMIT_HEADS, BLOCK),
    word(lm.DECODER_KV_HEADS, "nKvHeads", 1, "nHeads", BLOCK, "divides nHeads"),
    word(lm.DECODER_HEAD_SIZE, "headSize", 8, lm.LM_LIMIT_HEAD_SIZE, BLOCK, "that of the token input", 8),
    word(lm.DECODER_HIDDEN, "hidden", 4, lm.LM_LIMIT_IN, BLOCK, "width of gate and up", 4),
    exponent(lm.DECODER_KEY_UNIT, "keyUnit", "the ring's key scales are in 2^keyUnit"),
    exponent(lm.DECODER_VALUE_UNIT, "valueUnit", "value scales likewise"),
    word(lm.DECODER_GROUP_SIZE, "groupSize", 0, 64, BLOCK, "columns that share a factor; 0: none", 32),
    { at: lm.DECODER_ATTENTION_GAIN, name: "attentionGain", type: "gain", n: "dModel" },
    {
      at: lm.DECODER_QKV,
      name: "qkv",
      type: "matrix",
      groupsAt: lm.DECODER_QKV_GROUPS,
      nIn: "dModel",
      nOut: "nHeads·headSize + 2·nKvHeads·headSize",
      text: "rows q, k, v; its scale is q's, with log2(e)/√headSize/127²",
    },
    { at: lm.DECODER_K_SCALE, name: "k", type: "scale", text: "of k's rows, with 1/127" },
    { at: lm.DECODER_V_SCALE, name: "v", type: "scale", text: "of v's rows, with 1/127" },
    {
      at: lm.DECODER_OUT,
      name: "out",
      type: "matrix",
      groupsAt: lm.DECODER_OUT_GROUPS,
      nIn: "nHeads·headSize",
      nOut: "dModel",
      text: "with 1/127²",
    },
    { at: lm.DECODER_MLP_GAIN, name: "mlpGain", type: "gain", n: "dModel" },
    {
      at: lm.DECODER_GATE_UP,
      name: "gateUp",
      type: "matrix",
      groupsAt: lm.DECODER_GATE_UP_GROUPS,
      nIn: "dModel",
      nOut: "2·hidden",
      text: "rows gate, up; its scale is the gate's, with 1/127",
    },
    { at: lm.DECODER_UP_SCALE, name: "up", type: "scale", text: "of up's rows, with 1/127" },
    {
      at: lm.DECODER_DOWN,
      name: "down",
      type: "matrix",
      groupsAt: lm.DECODER_DOWN_GROUPS,
      nIn: "hidden",
      nOut: "dModel",
      text: "with 1/127",
    },
  ],
  checkDims(where, dims) {
    const { nHeads, nKvHeads, headSize, inputHeadSize } = dims as Record<string, number>;
    if (nHeads! % nKvHeads! !== 0) throw imageError(BLOCK, `${where}: ${nKvHeads} key and value heads do not divide ${nHeads} heads`);
    if (headSize !== inputHeadSize) throw imageError(BLOCK, `${where}: heads of ${headSize}, the token input says ${inputHeadSize}`);
    const queries = nHeads! * headSize!;
    if (queries > lm.LM_LIMIT_IN) throw imageError(BLOCK, `${where}: ${nHeads} heads of ${headSize} are wider than ${lm.LM_LIMIT_IN}`);
    if (queries + 2 * nKvHeads! * headSize! > lm.LM_LIMIT_ROWS)
      throw imageError(BLOCK, `${where}: more than ${lm.LM_LIMIT_ROWS} rows of q, k and v`);
  },
};
