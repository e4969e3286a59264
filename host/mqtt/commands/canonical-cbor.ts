import { MqttError } from "../../core/system/errors.ts";
import { CBOR_MAX_DEPTH } from "../wire/cbor.ts";

/** What a signed body may hold: no floats, because integers have one encoding on every machine. */
export type CanonicalValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly CanonicalValue[]
  | { readonly [key: string]: CanonicalValue | undefined };

/** What every decoder reads as a plain number. */
const LEAST_INTEGER = -(2 ** 32);

const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;

/**
 * Deterministic CBOR (RFC 8949 §4.2.1): shortest heads, definite lengths, keys in the order of their encoded bytes. Keys whose value
 * is undefined are left out. Throws for what has no single encoding.
 */
export function encodeCanonical(value: CanonicalValue): Uint8Array {
  return encode(value, 0);
}

function encode(value: CanonicalValue, depth: number): Buffer {
  if (depth > CBOR_MAX_DEPTH) throw unfit(`nested deeper than ${CBOR_MAX_DEPTH}`);
  if (value === null) return Buffer.of(0xf6);
  if (typeof value === "boolean") return Buffer.of(value ? 0xf5 : 0xf4);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value) || value < LEAST_INTEGER) throw unfit(`${value} is no whole number from −2^32 to 2^53`);
    return value < 0 ? head(NEGATIVE, -1 - value) : head(UNSIGNED, value === 0 ? 0 : value); // −0 is 0
  }
  if (typeof value === "string") {
    const bytes = Buffer.from(value);
    if (bytes.toString() !== value) throw unfit("a text is not well-formed Unicode");
    return Buffer.concat([head(TEXT, bytes.length), bytes]);
  }
  if (value instanceof Uint8Array) return Buffer.concat([head(BYTES, value.length), value]);
  if (isArray(value)) return Buffer.concat([head(ARRAY, value.length), ...value.map((item) => encode(item, depth + 1))]);
  const entries = Object.entries(value).flatMap(([key, item]) =>
    item === undefined ? [] : [[encode(key, depth + 1), encode(item, depth + 1)] as const],
  );
  entries.sort(([a], [b]) => Buffer.compare(a, b));
  return Buffer.concat([head(MAP, entries.length), ...entries.flat()]);
}

function head(major: number, argument: number): Buffer {
  const first = major << 5;
  if (argument < 24) return Buffer.of(first | argument);
  if (argument < 2 ** 8) return Buffer.of(first | 24, argument);
  const bytes = argument < 2 ** 16 ? 2 : argument < 2 ** 32 ? 4 : 8;
  const out = Buffer.alloc(1 + bytes);
  out[0] = first | (bytes === 2 ? 25 : bytes === 4 ? 26 : 27);
  if (bytes === 8) out.writeBigUInt64BE(BigInt(argument), 1);
  else out.writeUIntBE(argument, 1, bytes);
  return out;
}

function isArray(value: CanonicalValue): value is readonly CanonicalValue[] {
  return Array.isArray(value);
}

function unfit(why: string): MqttError {
  return new MqttError("CANONICAL_CBOR", `this cannot be signed: ${why}. Use integers, text, bytes, booleans, lists and maps.`);
}
