// Integers of text models, shared by the text core and the host. Only `export const NAME = integer expression`: both sides import this
// file. What each number means is tabled in assembly/README.md.

// ── Tokeniser ─────────────────────────────────────────────────────────────────
export const TEXT_LIMIT_BYTES = 2048; // UTF-8 that is read; the rest is cut
export const TEXT_LIMIT_FEATURES = 512; // hashed features of a text; the rest is cut
export const TEXT_KIND_WORD = 1; // what a hash begins with
export const TEXT_KIND_BIGRAM = 2;
export const TEXT_KIND_GRAM = 3;
export const TEXT_GRAM_MIN = 3; // characters, the spaces about a word included
export const TEXT_GRAM_MAX = 4;
export const TEXT_HASH_BASIS = 0x811c9dc5; // FNV-1a, 32 bits
export const TEXT_HASH_PRIME = 0x01000193;
export const TEXT_MIX_1 = 0x85ebca6b; // finaliser of MurmurHash3
export const TEXT_MIX_2 = 0xc2b2ae35;

// ── TEXT section ──────────────────────────────────────────────────────────────
export const TEXT_WORDS = 16; // s32 words; the names below are word indices
export const TEXT_ROWS = 0;
export const TEXT_D_MODEL = 1; // a multiple of 16
export const TEXT_CLASSES = 2;
export const TEXT_HASHING = 3; // which tokeniser and hash the table was trained with
export const TEXT_THRESHOLD = 4; // Q15
export const TEXT_TABLE = 5; // byte offset of (rows, dModel) s8
export const TEXT_HIDDEN_MULTIPLIER = 6; // (dModel,) s32
export const TEXT_HIDDEN_SHIFT = 7; // (dModel,) s8
export const TEXT_HEAD = 8; // LINEAR record, words 8..13
export const TEXT_TEMPERATURE_MULTIPLIER = 14;
export const TEXT_TEMPERATURE_SHIFT = 15;
export const TEXT_HASHING_1 = 1; // the rule above
export const TEXT_LIMIT_ROWS = 262144;
export const TEXT_HIDDEN_BOUND = 134217728; // of a sum of rows times 2^15/√n
export const TEXT_RUNS_FORMATS = 4; // bit 2: a text core reads no image of format 1

// ── Result of a text ──────────────────────────────────────────────────────────
export const RESULT_WORDS = 4; // i32 word indices
export const RESULT_LABEL = 0; // the first of the largest logits
export const RESULT_PROBABILITY = 1; // Q15, after temperature scaling; 0 of a text without features
export const RESULT_FEATURES = 2; // that were read
export const RESULT_IS_CUT = 3; // 1 = the text has more features than were read
