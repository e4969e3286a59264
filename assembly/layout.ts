// Integers shared by the core and the host. Only `export const NAME = integer expression`: both sides import this file.
// What each number means, field by field, is tabled in assembly/README.md.

// ── Model image (.dmm) ────────────────────────────────────────────────────────
export const IMAGE_MAGIC = 0x314d4d44; // "DMM1"
export const IMAGE_FORMAT_1 = 1; // fixed sections, one CONFIG; read for good, no longer written
export const IMAGE_FORMAT_2 = 2; // sections with versions, MODEL, INPUT and HEAD instead of CONFIG
export const IMAGE_HEADER_BYTES = 64;
export const IMAGE_ALIGN = 16;
export const IMAGE_MIN_BYTES = 256;
export const IMAGE_MAX_BYTES = 16777216;

export const HEADER_MAGIC = 0; // byte offsets in the header
export const HEADER_FORMAT = 4;
export const HEADER_KINDS = 8; // format 2: bit k = a block of kind k is in it. Format 1: FORMAT_1_MARK
export const HEADER_IMAGE_BYTES = 12;
export const HEADER_SECTION_COUNT = 16;
export const HEADER_FLAGS = 20;
export const HEADER_CRC32 = 24;
export const HEADER_RESERVED = 28;
export const HEADER_SHA256 = 32;

export const FORMAT_1_MARK = 0x3fb6e8b9; // header word 2 of every image of format 1
export const FORMAT_1_SECTIONS = 7; // CONFIG … MANIFEST, each exactly once

export const SECTION_ENTRY_BYTES = 16; // kind | version << SECTION_VERSION_SHIFT, offset, bytes, count
export const SECTION_VERSION_SHIFT = 16;
export const SECTION_CONFIG = 1; // format 1 alone
export const SECTION_FEATURES = 2; // in the file in ascending order, each at most once
export const SECTION_BLOCKS = 3;
export const SECTION_EXITS = 4;
export const SECTION_TABLES = 5;
export const SECTION_TENSORS = 6;
export const SECTION_MANIFEST = 7;
export const SECTION_MODEL = 8; // format 2, as all below
export const SECTION_INPUT = 9;
export const SECTION_HEAD = 10;
export const SECTION_SMOOTHING = 11; // optional
export const SECTION_LDA = 12; // optional
export const SECTION_PLAUSIBILITY = 14; // optional; 13 is the language core's TOKENIZER
export const SECTION_LAST = 14; // of a sensor model
export const SECTION_TEXT = 15; // of a text model (text/layout.ts), beside TABLES, TENSORS and MANIFEST alone
export const SECTION_VERSIONS_LOW = 0; // the newest version of each section that this core reads, 4 bits a kind: kinds 0 … 7
export const SECTION_VERSIONS_HIGH = 0; // kinds 8 … 15

export const MODEL_WORDS = 2; // s32 words; the names below are word indices
export const MODEL_D_MODEL = 0;
export const MODEL_BLOCKS = 1;

export const INPUT_WORDS = 14;
export const INPUT_CHANNELS = 0;
export const INPUT_PATCH_FRAMES = 1;
export const INPUT_FRAME_RATE_MILLIHERTZ = 2;
export const INPUT_GAP_LIMIT_FRAMES = 3;
export const INPUT_WINDOW_PATCHES = 4;
export const INPUT_CONTEXT_PATCHES = 5;
export const INPUT_KIND = 6;
export const INPUT_EMBED = 8; // LINEAR record, words 8..13
export const INPUT_KIND_PATCHES = 1; // patches of sensor frames
export const INPUT_KIND_TOKENS = 2; // token embeddings: the language core alone (lm/layout.ts)

export const HEAD_WORDS = 5;
export const HEAD_EXITS = 0;
export const HEAD_CLASSES = 1;
export const HEAD_HOP_PATCHES = 2;
export const HEAD_RING_PATCHES = 3;
export const HEAD_KIND = 4;
export const HEAD_KIND_EXITS = 1; // a classifier at every exit
export const HEAD_KIND_LANGUAGE = 2; // logits of the next token: the language core alone

export const SMOOTHING_WORDS = 2;
export const SMOOTHING_COSTS = 0; // byte offset of (classes, classes) s32 Q10 from the image's first byte
export const SMOOTHING_SHIFT = 1; // log2 of the patches whose logits weigh once

export const LDA_WORDS = 5;
export const LDA_MEANS = 0; // byte offset of (statistics,) s32
export const LDA_LIMITS = 1; // (statistics,) s32: how far from its mean a statistic counts
export const LDA_WEIGHTS = 2; // (statistics, classes) s16
export const LDA_BIAS = 3; // (classes,) s32
export const LDA_SHIFT = 4; // right shift of the sums to Q10

export const PLAUSIBILITY_WORDS = 4; // of an IMU: ax ay az gx gy gz
export const PLAUSIBILITY_RULES = 0; // how many
export const PLAUSIBILITY_WEIGHT_COUNT = 1; // of all rules together
export const PLAUSIBILITY_TABLE = 2; // byte offset of (rules, RULE_WORDS) s32
export const PLAUSIBILITY_WEIGHTS = 3; // byte offset of (weights,) s16: each rule's after those of the rule before

export const RULE_WORDS = 6; // votes for its fault if bias + Σ weight · feature > 0
export const RULE_FAULT = 0; // FAULT_ bit
export const RULE_MODE = 1;
export const RULE_ON = 2; // votes that raise it, and that clear it
export const RULE_BIAS = 3;
export const RULE_FIRST = 4; // index of the first feature
export const RULE_COUNT = 5; // of features
export const RULE_MODE_ALWAYS = 0; // every block
export const RULE_MODE_MOVING = 1; // blocks that the last gate took for movement
export const RULE_MODE_RESTED = 2; // the same, and until it is raised a block at rest votes against it
export const RULE_MODE_GATE = 3; // a vote for it is movement; no fault

export const CONFIG_WORDS = 32; // format 1: MODEL, INPUT, HEAD, SMOOTHING and LDA in one record; the names below are word indices
export const CONFIG_D_MODEL = 0;
export const CONFIG_CHANNELS = 1;
export const CONFIG_PATCH_FRAMES = 2;
export const CONFIG_FRAME_RATE_MILLIHERTZ = 3;
export const CONFIG_WINDOW_PATCHES = 4;
export const CONFIG_HOP_PATCHES = 5;
export const CONFIG_CONTEXT_PATCHES = 6;
export const CONFIG_RING_PATCHES = 7;
export const CONFIG_BLOCKS = 8;
export const CONFIG_EXITS = 9;
export const CONFIG_CLASSES = 10;
export const CONFIG_GAP_LIMIT_FRAMES = 11;
export const CONFIG_EMBED = 12; // LINEAR record, words 12..17
export const CONFIG_SMOOTHING = 18; // SMOOTHING record; its offset 0 = none, and its shift is 0
export const CONFIG_LDA = 20; // LDA record; its first offset 0 = none, and all of it is 0

export const FEATURE_WORDS = 4; // per channel
export const FEATURE_ZERO_POINT = 0;
export const FEATURE_MULTIPLIER = 1;
export const FEATURE_SHIFT = 2;
export const FEATURE_KNEE = 3; // int8 steps on either side of 0 that are linear; beyond, 2^FIXED_KNEE_SHIFT times coarser; 0 = all linear

export const LINEAR_WORDS = 6;
export const LINEAR_N_IN = 0;
export const LINEAR_N_OUT = 1;
export const LINEAR_WEIGHTS = 2; // byte offsets from the image's first byte
export const LINEAR_BIAS = 3;
export const LINEAR_MULTIPLIER = 4;
export const LINEAR_SHIFT = 5;

export const BLOCK_WORDS = 48;
export const BLOCK_KIND = 0;
export const BLOCK_EPSILON = 1; // of the block's first norm
export const BLOCK_KIND_SSM = 1;
export const BLOCK_KIND_ATTENTION = 2;

export const SSM_D_INNER = 2;
export const SSM_HEADS = 3;
export const SSM_HEAD_DIM = 4;
export const SSM_D_STATE = 5;
export const SSM_D_CONV = 6;
export const SSM_SCAN_SHIFT = 7;
export const SSM_GATE_EPSILON = 8;
export const SSM_IN_PROJ = 10;
export const SSM_OUT_PROJ = 16;
export const SSM_CONV_WEIGHTS = 22;
export const SSM_CONV_BIAS = 23;
export const SSM_CONV_MULTIPLIER = 24;
export const SSM_CONV_SHIFT = 25;
export const SSM_SILU_X = 26;
export const SSM_SILU_Z = 27;
export const SSM_A = 28;
export const SSM_D = 29;
export const SSM_Y_MULTIPLIER = 30;
export const SSM_Y_SHIFT = 31;

export const ATTENTION_HEADS = 2;
export const ATTENTION_KV_HEADS = 3;
export const ATTENTION_HEAD_DIM = 4;
export const ATTENTION_WINDOW = 5;
export const ATTENTION_D_MLP = 6;
export const ATTENTION_SCORE_MULTIPLIER = 7;
export const ATTENTION_SCORE_SHIFT = 8;
export const ATTENTION_MLP_EPSILON = 9;
export const ATTENTION_QKV = 10;
export const ATTENTION_O_PROJ = 16;
export const ATTENTION_GATE_UP = 22;
export const ATTENTION_DOWN = 28;
export const ATTENTION_SILU = 34;
export const ATTENTION_OUT_MULTIPLIER = 35;
export const ATTENTION_OUT_SHIFT = 36;
export const ATTENTION_MLP_MULTIPLIER = 37;
export const ATTENTION_MLP_SHIFT = 38;

export const EXIT_WORDS = 16;
export const EXIT_AFTER_BLOCK = 0;
export const EXIT_EPSILON = 1;
export const EXIT_HEAD = 2; // LINEAR record, words 2..7
export const EXIT_TEMPERATURE_MULTIPLIER = 8;
export const EXIT_TEMPERATURE_SHIFT = 9;
export const EXIT_THRESHOLD = 10; // certified, Q15; EXIT_NEVER = this exit may not answer
export const EXIT_SMOOTHED_MULTIPLIER = 11; // the temperature of decisions that others before weigh on; 0 without smoothing
export const EXIT_SMOOTHED_SHIFT = 12;

export const TABLE_EXP2_ENTRIES = 129; // i32 Q16, 2^(−i/128)
export const TABLE_SOFTPLUS_ENTRIES = 257; // i32 Q16, softplus(−8 + i/16)
export const TABLE_BYTES = 1552; // (129 + 257) · 4, rounded up to 16 with zeros
export const SILU_TABLE_BYTES = 256; // int8, indexed by q + 128

// ── Fixed points ──────────────────────────────────────────────────────────────
export const FIXED_NORM_ONE = 32; // an RMS of 1 is this int8 value
export const FIXED_DT_RAW_BITS = 12; // input of softplus, int16
export const FIXED_DT_BITS = 16; // output of softplus
export const FIXED_A_BITS = 12; // A·log2(e)
export const FIXED_A_MIN = 739; // A ≥ 1/8: bounds the scan state below 2^30
export const FIXED_A_MAX = 131072;
export const FIXED_STATE_BITS = 12; // scan state, in units of sx·sB
export const FIXED_LOGIT_BITS = 10;
export const FIXED_EXPONENT_BITS = 16; // argument of exp2Neg
export const FIXED_KNEE_SHIFT = 4;
export const FIXED_STATISTIC_BITS = 3; // of a signal about its mean
export const FIXED_LOG_BITS = 8; // of a statistic's logarithm
export const FIXED_SWAY_FRAMES = 8; // means of so many frames show sway: 0.16 s at 50 Hz
export const FIXED_LAGS = 3; // of autocorrelation
export const FIXED_SPREAD_STATISTICS = 7; // a signal: deviation, highest, lowest, mean distance, autocorrelations
export const FIXED_CROSS_LAG = 4; // frames from one lag of correlation between channels to the next
export const FIXED_CROSS_LAGS = 4; // the first is 0
export const FIXED_SHIFT_MIN = -31;
export const FIXED_SHIFT_MAX = 15;

// ── Limits ────────────────────────────────────────────────────────────────────
export const LIMIT_DIM = 512;
export const LIMIT_LINEAR_OUT = 2048;
export const LIMIT_CHANNELS = 16;
export const LIMIT_PATCH_FRAMES = 16;
export const LIMIT_PATCHES = 1024; // window, hop, context
export const LIMIT_RING = 256; // rings and attention windows
export const LIMIT_BLOCKS = 16;
export const LIMIT_EXITS = 8;
export const LIMIT_CLASSES = 256; // labels are bytes in asks and answers
export const LIMIT_HEADS = 32;
export const LIMIT_STATE = 64;
export const LIMIT_GAP_FRAMES = 64;
export const LIMIT_TRANSITION_COST = 32767; // 32 nats
export const LIMIT_SMOOTHING_SHIFT = 10;
export const LIMIT_LDA_MEAN = 16777216;
export const LIMIT_LDA_LIMIT = 65535;
export const LIMIT_LDA_SHIFT = 40;
export const LIMIT_LDA_FRAMES = 1024; // of a window that has statistics, at least 2 · FIXED_SWAY_FRAMES
export const LIMIT_RULES = 8; // of the plausibility monitor
export const LIMIT_RULE_ON = 1024;
export const LIMIT_D = 4194304; // |D| in scan output units

export const EXIT_NEVER = 32769; // a threshold no Q15 confidence reaches

// ── Status codes ──────────────────────────────────────────────────────────────
export const STATUS_OK = 0;
export const STATUS_IMAGE_TOO_SHORT = -1; // −1…−19: the image as a file
export const STATUS_IMAGE_MISALIGNED = -2;
export const STATUS_BAD_MAGIC = -3;
export const STATUS_BAD_VERSION = -4;
export const STATUS_OTHER_CORE = -5; // format 1 with another mark
export const STATUS_BAD_SIZE = -6;
export const STATUS_BAD_CRC = -7;
export const STATUS_BAD_SECTIONS = -8;
export const STATUS_BAD_FLAGS = -9;
export const STATUS_UNKNOWN_BLOCK_KIND = -10; // format 2: it needs what this core does not run
export const STATUS_UNKNOWN_SECTION = -11;
export const STATUS_UNKNOWN_SECTION_VERSION = -12;
export const STATUS_BAD_CONFIG = -20; // −20…−39: its contents
export const STATUS_BAD_FEATURES = -21;
export const STATUS_BAD_BLOCK = -22;
export const STATUS_BAD_LINEAR = -23;
export const STATUS_BAD_MULTIPLIER = -24;
export const STATUS_BAD_PADDING = -25;
export const STATUS_BAD_TENSOR = -26;
export const STATUS_BAD_SCAN = -27;
export const STATUS_BAD_TABLES = -28;
export const STATUS_BAD_EXIT = -29;
export const STATUS_BAD_BIAS = -30;
export const STATUS_BAD_SMOOTHING = -31;
export const STATUS_BAD_LDA = -32;
export const STATUS_BAD_PLAUSIBILITY = -33;
export const STATUS_ARENA_TOO_SMALL = -40; // −40…−59: memory
export const STATUS_ARENA_MISALIGNED = -41;
export const STATUS_ARENA_OVERLAPS_IMAGE = -42;
export const STATUS_BAD_SET_POINT = -60; // −60…−79: run time
export const STATUS_BAD_SNAPSHOT = -61;
export const STATUS_SNAPSHOT_OF_OTHER_IMAGE = -62;

// ── Run time ──────────────────────────────────────────────────────────────────
export const PUSH_PATCH = 1; // flags that pushFrame and pushPatch return
export const PUSH_DECISION = 2;
export const PUSH_HELD = 4;
export const PUSH_RESET = 8;
export const PUSH_IGNORED = 16;

export const WHY_EXIT = 0;
export const WHY_ASK = 1;
export const WHY_DEFERRED = 2;
export const WHY_BUDGET = 3;
export const WHY_THERMAL = 4;

export const SETPOINT_WORDS = 16; // i32 word indices
export const SETPOINT_MAX_EXIT = 0;
export const SETPOINT_HOP_PATCHES = 1;
export const SETPOINT_ASK_ALLOWED = 2; // 0 or 1
export const SETPOINT_LIMIT_REASON = 3; // 0, WHY_BUDGET or WHY_THERMAL: why maxExit is below the last
export const SETPOINT_ASK_INTERVAL_HOPS = 4; // at most one ask in so many decisions
export const SETPOINT_THRESHOLDS = 8; // LIMIT_EXITS words, Q15

export const DECISION_WORDS = 12;
export const DECISION_LABEL = 0;
export const DECISION_EXIT = 1;
export const DECISION_CONFIDENCE = 2; // Q15
export const DECISION_WHY = 3;
export const DECISION_TICK = 4; // frame count of the device, u32
export const DECISION_PATCH = 5; // patches since reset, u32
export const DECISION_MACS = 6; // multiply-accumulates since the decision before, u32
export const DECISION_REBUILDS = 7; // segments rebuilt for this decision because their ring had overflowed
export const DECISION_STEPS = 8; // block steps (one block, one patch) since the decision before
export const DECISION_FAULTS = 9; // FAULT_ bits of the sensor that stand

export const FAULT_ACCELEROMETER = 1; // its strength is not that of gravity: units or byte order
export const FAULT_STUCK = 2; // an axis never changes
export const FAULT_GYROSCOPE = 4; // hardly anything of a movement: dead, or units
export const FAULT_AXES = 8; // gravity is elsewhere while the wearer walks
export const FAULT_TURNED = 16; // walks are those of a sensor turned about gravity
export const FAULTS_ALL = 31;

export const OPS_MACS = 0; // kinds of opCount
export const OPS_REQUANTIZE = 1;
export const OPS_STATE = 2;
export const OPS_LOOKUP = 3;
export const OPS_NORM = 4;
export const OPS_WEIGHT_BYTES = 5;
export const OPS_KINDS = 6;

// ── Tail: the persistent part of the arena, and what a snapshot carries ───────
export const TAIL_WORDS = 32; // u32 words; then the arrays that assembly/README.md lists
export const TAIL_PATCHES = 0;
export const TAIL_FRAMES_IN_PATCH = 1;
export const TAIL_LAST_TICK = 2;
export const TAIL_HAS_TICK = 3;
export const TAIL_PATCHES_SINCE_DECISION = 4;
export const TAIL_HOPS_SINCE_ASK = 5; // saturates at HOPS_SINCE_ASK_MAX
export const TAIL_CONTEXT_HEAD = 6;
export const TAIL_CONTEXT_COUNT = 7;
export const TAIL_RING_HEAD = 8; // LIMIT_EXITS words
export const TAIL_RING_PENDING = 16; // LIMIT_EXITS words; ringPatches + 1 = overflowed
export const TAIL_MACS = 24;
export const TAIL_STEPS = 25;
export const TAIL_IS_SMOOTHED = 26; // 1 = a decision has been made since the reset, and decisions are smoothed

export const HOPS_SINCE_ASK_MAX = 65535;

// ── State of the plausibility monitor, at the tail's end: s32 words ───────────
export const MONITOR_WORDS = 108; // a multiple of 4, since the tail's arrays are 16-aligned
export const MONITOR_STRENGTH = 0; // (2,) accelerometer, gyroscope: Σ of squares; the words up to MONITOR_VALUES are of the block under way
export const MONITOR_POWER = 2; // (2,) the same about their means, times MONITOR_BLOCK
export const MONITOR_UNCHANGED = 4; // (2,) channels that never changed
export const MONITOR_SUMS = 6; // (6,) of counts >> MONITOR_STEP_SHIFT
export const MONITOR_PRODUCTS = 12; // (6, 12) with the six channels, then with those of the patch before; at the block's end less their means
export const MONITOR_FEATURES = 84; // how many words rules may weigh
export const MONITOR_PATCHES = 84; // of the block under way
export const MONITOR_CHANGED = 85; // bit c: channel c has changed
export const MONITOR_VALUES = 86; // (12,) the last patch's and those before
export const MONITOR_VOTES = 98; // (LIMIT_RULES,) 0 … 2 · RULE_ON; above RULE_ON the fault stands
export const MONITOR_FAULTS = 106; // FAULT_ bits that stand

export const MONITOR_CHANNELS = 6;
export const MONITOR_BLOCK = 16; // patches of a block, of each the last frame: 1.28 s at 50 Hz and 4 frames per patch
export const MONITOR_STEP_SHIFT = 5;

export const SNAPSHOT_MAGIC = 0x31534d44; // "DMS1"
export const SNAPSHOT_VERSION = 0x3fb6e8b9; // of the tail's layout
export const SNAPSHOT_HEADER_BYTES = 32; // magic, SNAPSHOT_VERSION, image crc32, tail bytes, tail crc32, 3 reserved
export const STATE_HEADER_BYTES = 16; // before each block's state: count (KV entries seen, saturating at 2·W), 3 reserved

// ── What a core runs: an image that needs anything else is refused by name ────
export const RUNS_WORDS = 4; // u32: formats, block kinds (bit n = n), section versions of kinds 0 … 7 and 8 … 15 (4 bits each)
export const RUNS_BYTES = 16;
export const RUNS_FORMATS = 6; // bits 1 and 2
// CRC-32 of the TABLES section that every image carries.
export const TABLES_CRC32 = 0x27a1076e;
