import { z } from "zod";
import { LIMIT_CLASSES, LIMIT_DIM, LIMIT_EXITS, LIMIT_PATCHES } from "../../../assembly/layout.ts";
import { MqttError } from "../../core/system/errors.ts";
import { ASK_FORMS, type AskForm } from "./ask-forms.ts";
import { type Decoded, decodeCbor, encodeCbor } from "./cbor.ts";
import { textAnswerFields, textAskFields } from "./text-ask.ts";
import { isName, MAX_NAME_CHARS } from "./topics.ts";

/** `v` of every payload; a payload of another version is refused as a value. */
export const SCHEMA_VERSION = 1;
/** MQTT 5 Content Type of every payload but readable ones. */
export const CONTENT_TYPE = "application/cbor";
/** How state, events and telemetry are written. Asks, answers and commands are CBOR always. */
export type PayloadFormat = "cbor" | "json";
const JSON_CONTENT_TYPE = "application/json";
/** "{": no CBOR map begins so, nor an array. */
const BRACE = 0x7b;
/** Longest deadline of an ask: one day. */
export const MAX_DEADLINE_MILLIS = 86_400_000;
/** Largest payload of each kind, in bytes; checked before a byte is decoded. */
export const PAYLOAD_LIMITS = {
  ask: 131_072,
  "text-ask": 49_152,
  answer: 4096,
  "text-answer": 4096,
  refusal: 4096,
  event: 4096,
  state: 4096,
  telemetry: 8192,
} as const;
/** Largest MQTT packet that a node, a worker or the embedded broker accepts: the largest payload, topic and properties. */
export const MAX_PACKET_BYTES = 135_168;

const name = z.string().max(MAX_NAME_CHARS).refine(isName, "not a name");
const text = z.string().max(256);
const u32 = z.int().min(0).max(0xffff_ffff);
const millis = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
const probability = z.number().min(0).max(1);
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, "not bytes");
const finite = z.number().min(-1e6).max(1e6);
const head = { v: z.literal(SCHEMA_VERSION), node: name, wallMillis: millis };
const data = z.record(z.string().max(MAX_NAME_CHARS), z.unknown());

const schemas = {
  /** A query: all that its answer needs. `deadlineMillis` is what remains when it is sent, and is authoritative. */
  ask: z
    .object({
      ...head,
      kind: z.literal("ask"),
      agent: name,
      tick: u32,
      imageHash: z
        .string()
        .max(64)
        .regex(/^[0-9a-f]*$/),
      labels: z.array(text).min(1).max(LIMIT_CLASSES),
      form: z.enum(ASK_FORMS).optional(),
      atExit: z
        .int()
        .min(0)
        .max(LIMIT_EXITS - 1)
        .optional(),
      patches: bytes,
      patchBytes: z.int().min(1).max(LIMIT_DIM),
      windowPatches: z.int().min(1).max(LIMIT_PATCHES),
      local: z.object({ label: u32, confidenceQ15: z.int().min(0).max(32768), exit: z.int().min(0).max(255) }),
      deadlineMillis: z.int().min(1).max(MAX_DEADLINE_MILLIS),
    })
    .check(({ value, issues }) => {
      const message = askFlaw(value);
      if (message !== undefined) issues.push({ code: "custom", message, input: value });
    }),
  /** A question in free text, with all that its answer needs: computed facts, and what was asked and answered before. */
  "text-ask": z.object({
    ...head,
    kind: z.literal("text-ask"),
    agent: name,
    tick: u32,
    ...textAskFields,
    deadlineMillis: z.int().min(1).max(MAX_DEADLINE_MILLIS),
  }),
  /** The cloud's reply to a text ask. */
  "text-answer": z.object({ ...head, kind: z.literal("text-answer"), agent: name, tick: u32, ...textAnswerFields, model: text }),
  /** The cloud's answer; `label` indexes the labels of the ask. */
  answer: z.object({ ...head, kind: z.literal("answer"), agent: name, tick: u32, label: u32, confidence: probability, model: text }),
  /** Why there is no answer. With `retryAfterMillis` the worker is only busy: the ask stays pending and may be sent again then. */
  refusal: z.object({
    ...head,
    kind: z.literal("refusal"),
    agent: name,
    tick: u32,
    reason: text,
    detail: text,
    retryAfterMillis: millis.optional(),
  }),
  /** A decision worth telling. An alarm may come twice; it is one by its id. `event_type` is the label once more, for readers of text. */
  event: z.object({
    ...head,
    kind: z.literal("event"),
    agent: name,
    id: z
      .string()
      .regex(/^[0-9a-f]{32}$/)
      .optional(),
    isAlarm: z.boolean().optional(),
    event_type: text.optional(),
    data,
  }),
  /** Presence, retained. `untilWallMillis` when asleep. What is unknown is left out. `reportSeconds`: how often a live state comes. */
  state: z.object({
    ...head,
    kind: z.literal("state"),
    state: z.enum(["awake", "asleep", "offline"]),
    untilWallMillis: millis.optional(),
    firmware: text.optional(),
    model: text.optional(),
    agent: name.optional(),
    board: text.optional(),
    label: text.optional(),
    batteryPercent: z.number().min(0).max(100).optional(),
    skinCelsius: finite.optional(),
    level: z.int().min(0).max(15).optional(), // of degradation
    exits: z.array(z.int().min(0)).max(LIMIT_EXITS).optional(), // decisions by exit
    reportSeconds: z.number().min(0).max(MAX_DEADLINE_MILLIS).optional(),
  }),
  telemetry: z.object({ ...head, kind: z.literal("telemetry"), data }),
};

/** What no field of an ask shows alone. In one check: each costs an ask as much as a field. */
function askFlaw(ask: {
  readonly form?: AskForm | undefined;
  readonly atExit?: number | undefined;
  readonly patches: Uint8Array;
  readonly patchBytes: number;
  readonly labels: readonly string[];
  readonly local: { readonly label: number };
}): string | undefined {
  const { form, atExit, patches, patchBytes, labels, local } = ask;
  if (patches.length === 0 || patches.length % patchBytes !== 0) return "patches are not a whole number of patchBytes";
  if (patches.length / patchBytes > LIMIT_PATCHES) return `more than ${LIMIT_PATCHES} patches`;
  if ((atExit !== undefined) !== (form === "activations")) return "atExit goes with activations, and they with it";
  if (form === "raw" && patchBytes % 2 !== 0) return "raw rows are whole int16 values";
  return local.label < labels.length ? undefined : "the local label is not among the labels";
}

export type PayloadKind = keyof typeof schemas;
export type Payload<K extends PayloadKind = PayloadKind> = { [P in K]: z.infer<(typeof schemas)[P]> }[K];

/**
 * A payload as CBOR or JSON, a wall time before 1970 as 0: not set. Throws MqttError for one that its own reader would refuse: a fault of
 * the program, not of the network.
 */
export function encodePayload(payload: Payload, format: PayloadFormat = "cbor"): Uint8Array {
  return encodeAndRead(payload, format).bytes;
}

/** As `encodePayload`, with what its reader will see: it shares no memory with `payload`. */
export function encodeAndRead<K extends PayloadKind>(
  payload: Payload<K>,
  format: PayloadFormat = "cbor",
): { readonly bytes: Uint8Array; readonly read: Payload<K> } {
  const map = { ...payload, wallMillis: Math.max(0, payload.wallMillis) };
  const bytes = format === "cbor" ? encodeCbor(map) : Buffer.from(JSON.stringify(printable(map)));
  const check = decodePayload([payload.kind as K], bytes);
  if (check.ok) return { bytes, read: check.value };
  throw new MqttError(
    "PAYLOAD_INVALID",
    `the ${payload.kind} of ${payload.node} cannot be sent: ${check.reason}. Mend the named field, or send less.`,
  );
}

/** Any bytes as a payload of one of `kinds`, or the reason why they are not. Never throws; the work is bounded by the size limit. */
export function decodePayload<K extends PayloadKind>(kinds: readonly K[], bytes: Uint8Array): Decoded<Payload<K>> {
  const mostBytes = Math.max(...kinds.map((kind) => PAYLOAD_LIMITS[kind]));
  const map = bytes[0] === BRACE ? decodeJson(bytes, mostBytes) : decodeCbor(bytes, mostBytes);
  if (!map.ok) return map;
  const kind = kinds.find((one) => one === map.value.kind);
  if (kind === undefined) return { ok: false, reason: `kind is not ${kinds.join(" or ")}` };
  if (bytes.length > PAYLOAD_LIMITS[kind])
    return { ok: false, reason: `${bytes.length} B is above the limit of ${PAYLOAD_LIMITS[kind]} B` };
  const parsed = schemas[kind].safeParse(map.value);
  return parsed.success ? { ok: true, value: parsed.data as Payload<K> } : { ok: false, reason: describe(parsed) ?? "invalid" };
}

/** The MQTT 5 Content Type of a payload. */
export function contentType(payload: Uint8Array): string {
  return payload[0] === BRACE ? JSON_CONTENT_TYPE : CONTENT_TYPE;
}

/** A JSON object of at most `maxBytes`. */
function decodeJson(bytes: Uint8Array, maxBytes: number): Decoded<Record<string, unknown>> {
  if (bytes.length > maxBytes) return { ok: false, reason: `${bytes.length} B is above the limit of ${maxBytes} B` };
  try {
    return { ok: true, value: JSON.parse(Buffer.from(bytes).toString("utf8")) as Record<string, unknown> };
  } catch {
    return { ok: false, reason: "not readable as JSON" };
  }
}

/** A payload for people and `--json`: bytes as base64, everything else as it is. */
export function printable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
  if (Array.isArray(value)) return value.map(printable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, printable(inner)]));
}

function describe(result: z.ZodSafeParseResult<unknown>): string | undefined {
  const issue = result.error?.issues[0];
  return issue && `${issue.path.join(".") || "payload"}: ${issue.message}`.slice(0, 200);
}
