// Integers of the link and of the device, shared by device.wasm and the host: only `export const NAME = integer expression`.
// LINK_VERSION and STORE_VERSION stand for them. Each is tabled in assembly/README.md.

// ── Link frames ───────────────────────────────────────────────────────────────
export const LINK_VERSION = 2; // 2: a hello begins with what runs, not with a checksum of the source
export const LINK_WIRE_BYTES = 244; // with COBS and the delimiter
export const LINK_PAYLOAD_BYTES = 236;
export const LINK_HEADER_BYTES = 4; // type and more, u16 sequence, agent
export const LINK_CRC_BYTES = 2;
export const LINK_MORE = 128; // bit of the type byte: the message goes on
export const LINK_DEVICE = 255; // as agent: the device itself, or all its agents
export const LINK_CREDITS = 4; // link frames that a sender may have under way: what a receive ring holds

export const LINK_HELLO = 1;
export const LINK_SENSOR = 2;
export const LINK_SET_POINT = 3;
export const LINK_COMMAND = 4;
export const LINK_ANSWER = 5;
export const LINK_CHUNK = 6;
export const LINK_ACK = 7;
export const LINK_LOCAL_SENSOR = 8; // written into fd 0 by the board: no sequence, no credits
export const LINK_DECISION = 16;
export const LINK_ASK = 17;
export const LINK_TELEMETRY = 18;
export const LINK_LOG = 19;

// ── Payloads ──────────────────────────────────────────────────────────────────
export const SENSOR_HEADER_BYTES = 6;

export const HELLO_IN_BYTES = 28; // then the node's name
export const HELLO_FLAG_NEW_TICKS = 1; // the ticks start anew
export const HELLO_OUT_BYTES = 36; // then HELLO_AGENT_BYTES an agent
export const HELLO_AGENT_BYTES = 44;

export const START_NONE = 0; // no image: this agent does not run
export const START_FRESH = 1; // no snapshot
export const START_RESTORED = 2;
export const START_REFUSED = 3; // there was a snapshot, it was refused, the state is fresh

export const SLOT_A = 0;
export const SLOT_B = 1;
export const SLOT_FACTORY = 2; // linked into the firmware
export const SLOT_NONE = 255;

export const DECISION_OUT_BYTES = 56; // DECISION_WORDS, u32 hash, u32 flags
export const DECISION_FLAG_HASH = 1; // the hash is there

export const ASK_HEADER_BYTES = 20; // then the patches
export const ANSWER_BYTES = 8; // u32 number, u16 confidence Q15, u8 label, u8 0
export const ACK_BYTES = 12; // u16 sequence, u8 type, u8 credits, s32 status, u32 number
export const LOG_BYTES = 12; // u8 code, u8 agent, u16 0, u32 tick, s32 value

export const COMMAND_BYTES = 12; // u8 verb, 3 zeros, u32 key, u32 value
export const COMMAND_SNAPSHOT = 1;
export const COMMAND_REBOOT = 2;
export const COMMAND_RESET = 3;
export const COMMAND_TELEMETRY = 4;
export const COMMAND_OPTION = 5;
export const COMMAND_WAKE = 6;

export const OPTION_WORDS = 8; // key of COMMAND_OPTION
export const OPTION_HASH = 0; // 1: every decision carries a hash of logits and state
export const OPTION_TELEMETRY_TICKS = 1; // 0 = never
export const OPTION_SNAPSHOT_TICKS = 2; // 0 = on command only
export const OPTION_STILL_VARIANCE = 3; // counts², three axes together; 0 = the device never sleeps
export const OPTION_WAKE_VARIANCE = 4;
export const OPTION_NOT_WORN_TICKS = 5;

export const CHUNK_HEADER_BYTES = 8; // u8 op, 3 zeros, u32 offset (data) or image bytes (begin)
export const CHUNK_BEGIN = 0; // then 32 bytes: the image hash
export const CHUNK_DATA = 1; // then the bytes, a multiple of 16
export const CHUNK_END = 2;
export const CHUNK_ABORT = 3;
export const CHUNK_DATA_BYTES = 224;

// ── Status of an ack, beside STATUS_ of assembly/layout.ts ────────────────────
export const ACK_OK = 0;
export const ACK_BAD_PAYLOAD = -80;
export const ACK_NO_AGENT = -81;
export const ACK_NO_STORE = -82;
export const ACK_CHUNK_OFFSET = -83; // number = the offset that is wanted
export const ACK_TOO_BIG = -84;
export const ACK_NO_UPDATE = -85;
export const ACK_BAD_HASH = -86;
export const ACK_STORE_FAILED = -87;
export const ACK_UNKNOWN_ASK = -88;
export const ACK_BAD_COMMAND = -89;

// ── Log codes ─────────────────────────────────────────────────────────────────
export const LOG_FRESH = 1;
export const LOG_RESTORED = 2;
export const LOG_SNAPSHOT_REFUSED = 3; // value = status
export const LOG_IMAGE_REFUSED = 4; // value = status · 256 + slot
export const LOG_UPDATED = 5; // value = slot
export const LOG_UPDATE_REFUSED = 6; // value = status
export const LOG_NOT_WORN = 7; // value = frames without motion
export const LOG_WORN = 8; // value = 1 for COMMAND_WAKE or the motion interrupt, else 0
export const LOG_GAP = 9; // the state was reset; value = ticks lost
export const LOG_TICKS_RESTARTED = 10;
export const LOG_ASK_DROPPED = 11; // value = its number
export const LOG_ASK_EXPIRED = 12; // value = its number
export const LOG_STORE_FAILED = 13; // value = WASI errno, or −1 for a store of another shape
export const LOG_SAVED = 14; // value = sequence of the record
export const LOG_NO_MEMORY = 15; // value = bytes that are missing

// ── Counters: telemetry carries them, the store keeps them ────────────────────
export const COUNTER_WORDS = 32;
export const COUNTER_BOOTS = 0;
export const COUNTER_FRAMES = 1; // sensor frames
export const COUNTER_HELD = 2;
export const COUNTER_RESETS = 3;
export const COUNTER_IGNORED = 4;
export const COUNTER_UNUSED = 5; // frames of a shape that no agent takes
export const COUNTER_SLEPT = 6; // frames that came while not worn
export const COUNTER_DECISIONS = 7;
export const COUNTER_ASKS = 8;
export const COUNTER_ASKS_DROPPED = 9;
export const COUNTER_ASKS_EXPIRED = 10;
export const COUNTER_ASKS_TAKEN = 11; // acknowledged by the gateway
export const COUNTER_ANSWERS = 12;
export const COUNTER_LINK_FRAMES = 13;
export const COUNTER_LINK_BAD = 14;
export const COUNTER_LINK_BAD_BYTES = 15;
export const COUNTER_LINK_LOST = 16; // by the sequence
export const COUNTER_LINK_REPEATED = 17;
export const COUNTER_LINK_UNKNOWN = 18; // sound frames of no use to a device
export const COUNTER_SAVES = 19;
export const COUNTER_UPDATES = 20;
export const COUNTER_UPDATES_REFUSED = 21;
export const COUNTER_SLEEPS = 22;
export const COUNTER_RESENT = 23; // asks sent again

export const TELEMETRY_HEADER_BYTES = 16; // u32 tick, u32 memory used, u8 asleep, u8 asks kept, u16 0, u32 next ask; then the counters

// ── The device ────────────────────────────────────────────────────────────────
export const DEVICE_AGENTS = 4; // most agents
export const DEVICE_ASKS = 2; // most asks without an ack
export const DEVICE_VERSION = 256; // firmware version: major · 65536 + minor · 256 + patch
export const DEVICE_REBOOT = 64; // exit code that asks for another start
export const ASK_RETRY_TICKS = 250; // doubles with each retry
export const ASK_LIFE_TICKS = 3000;
export const MOTION_BLOCK_FRAMES = 16;
export const MOTION_STILL_VARIANCE = 40; // no block of 16 frames of the 61 HAPT recordings is below it
export const MOTION_WAKE_VARIANCE = 160;
export const MOTION_NOT_WORN_TICKS = 9000;
export const PERIOD_TELEMETRY_TICKS = 3000;
export const PERIOD_SNAPSHOT_TICKS = 30000;
export const SNAPSHOT_TICKS_MIN = 3000; // of OPTION_SNAPSHOT_TICKS, unless 0: flash wears out by erasing

// ── The store ─────────────────────────────────────────────────────────────────
export const STORE_MAGIC = 0x54534d44; // "DMST"
export const STORE_VERSION = 1;
export const STORE_HEADER_WORDS = 16; // u32
export const STORE_SECTOR_BYTES = 2; // word indices, after magic and version
export const STORE_AGENTS = 3;
export const STORE_SLOT_BYTES = 4;
export const STORE_SNAPSHOT_BYTES = 5; // an area, of two an agent
export const STORE_JOURNAL_BYTES = 6; // an area, of two
export const STORE_BYTES = 7;
export const STORE_CRC32 = 15; // of the words before

export const RECORD_MAGIC = 0x524a4d44; // "DMJR"
export const RECORD_BYTES = 512;
export const RECORD_SEQUENCE = 4; // byte offsets
export const RECORD_CRC32 = 8; // of the record with this word 0
export const RECORD_COUNTERS = 16;
export const RECORD_OPTIONS = 144;
export const RECORD_AGENTS = 176;
export const RECORD_AGENT_BYTES = 80; // u32 slot, u32 1 if there is a set-point, 8 zeros, SETPOINT_WORDS

export const AREA_MAGIC = 0x41534d44; // "DMSA": before a snapshot in the store
export const AREA_HEADER_BYTES = 16; // magic, u32 sequence, u32 snapshot bytes, CRC-32 of those
