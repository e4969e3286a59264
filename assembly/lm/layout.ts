// Integers shared by the language core and the host. Only `export const NAME = integer expression`: both sides import this file.
// An image is of format 2 (../layout.ts): header, sections BLOCKS, TENSORS, MANIFEST, MODEL, INPUT, HEAD as there, and TOKENIZER.
// What each number means, field by field, is tabled in assembly/README.md.

export const BLOCK_KIND_DECODER = 4; // 3 is kept for tests of the sensor core
export const LM_KINDS = 16; // bit 4
export const SECTION_TOKENIZER = 13; // bytes that the core does not read
export const LM_SECTIONS = 7; // each exactly once
export const LM_IMAGE_MAX_BYTES = 1073741824;

// ── Records, s32 words; a scale is a mantissa and an exponent in two words ────
export const TOKENS_WORDS = 16; // INPUT of kind 2
export const TOKENS_VOCABULARY = 0;
export const TOKENS_CONTEXT = 1;
export const TOKENS_RESIDUAL_BITS = 2;
export const TOKENS_HEAD_SIZE = 3;
export const TOKENS_EPSILON = 4;
export const TOKENS_KIND = 6; // INPUT_KIND_TOKENS
export const TOKENS_EMBEDDING = 8; // MATRIX
export const TOKENS_ROPE_STEPS = 12;

export const LANGUAGE_WORDS = 12; // HEAD of kind 2
export const LANGUAGE_GAIN = 0; // GAIN
export const LANGUAGE_KIND = 4; // HEAD_KIND_LANGUAGE
export const LANGUAGE_HEAD = 6; // MATRIX; without weights and rows it is the embedding's, with a scale of its own

export const MATRIX_WEIGHTS = 0;
export const MATRIX_ROWS = 1;
export const MATRIX_SCALE = 2;
export const GAIN_VALUES = 0;
export const GAIN_SCALE = 1;

export const DECODER_HEADS = 1; // words of a block record (BLOCK_WORDS)
export const DECODER_KV_HEADS = 2;
export const DECODER_HEAD_SIZE = 3;
export const DECODER_HIDDEN = 4;
export const DECODER_KEY_UNIT = 5;
export const DECODER_VALUE_UNIT = 6;
export const DECODER_GROUP_SIZE = 7; // 0: weights by row
export const DECODER_ATTENTION_GAIN = 8; // GAIN
export const DECODER_QKV = 12; // MATRIX, its scale that of q
export const DECODER_K_SCALE = 16;
export const DECODER_V_SCALE = 18;
export const DECODER_OUT = 20; // MATRIX
export const DECODER_MLP_GAIN = 24; // GAIN
export const DECODER_GATE_UP = 28; // MATRIX, its scale that of the gate
export const DECODER_UP_SCALE = 32;
export const DECODER_DOWN = 36; // MATRIX
export const DECODER_QKV_GROUPS = 40; // with a group size: each matrix's factors u8 (groups, rows)
export const DECODER_OUT_GROUPS = 41;
export const DECODER_GATE_UP_GROUPS = 42;
export const DECODER_DOWN_GROUPS = 43;

// ── Limits ────────────────────────────────────────────────────────────────────
export const LM_LIMIT_IN = 4088; // columns of a matrix: Σa² and isqrt(n << 20) stay within their words
export const LM_LIMIT_ROWS = 32768; // of the three projections together, and of gate and up together
export const LM_LIMIT_VOCABULARY = 32768; // a sum of as many Q30 probabilities fits 45 bits
export const LM_LIMIT_BLOCKS = 64;
export const LM_LIMIT_HEADS = 256;
export const LM_LIMIT_HEAD_SIZE = 512;
export const LM_LIMIT_WINDOW = 1024; // Σ p·v stays below 2^31
export const LM_LIMIT_CONTEXT = 1048576;
export const LM_LIMIT_EXPONENT = 64;
export const LM_RESIDUAL_BITS_MIN = 8;
export const LM_RESIDUAL_BITS_MAX = 16;
export const LM_WINDOW_STEP = 8;
export const LM_CHUNK = 64; // tokens of one prefill call

// ── Run time ──────────────────────────────────────────────────────────────────
export const LM_STATUS_BAD_TOKEN = -80;
export const LM_STATUS_BAD_WINDOW = -81;
export const LM_STATUS_NOTHING_ALLOWED = -82; // the mask allows no token
export const LM_STATUS_BAD_SAMPLING = -83;

export const LM_STATE_WORDS = 4; // u32: position, slot, count, zero; then per block keys, values, key scales, value scales
export const LM_STATE_POSITION = 0;
export const LM_STATE_SLOT = 1;
export const LM_STATE_COUNT = 2;
export const LM_SNAPSHOT_MAGIC = 0x314c4d44; // "DML1"
