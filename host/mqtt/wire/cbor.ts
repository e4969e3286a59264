import { Decoder, Encoder } from "cbor-x";

/** Deepest nesting of maps and arrays that a payload may have. */
export const CBOR_MAX_DEPTH = 8;
/** Most items (keys and values) in one payload. */
export const CBOR_MAX_ITEMS = 4096;

/** Bytes decoded, or why not. Network input is never an exception. */
export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

const encoder = new Encoder({
  useRecords: false,
  mapsAsObjects: true,
  variableMapSize: true,
  tagUint8Array: false,
  encodeUndefinedAsNil: true,
});
const decoder = new Decoder({ useRecords: false, mapsAsObjects: true, int64AsNumber: true } as ConstructorParameters<typeof Decoder>[0]);

/** A plain map as CBOR: definite lengths, no tags (RFC 8949 core data model), so that any decoder reads it. */
export function encodeCbor(map: Readonly<Record<string, unknown>>): Uint8Array {
  return encoder.encode(map);
}

/**
 * One CBOR map, of at most `maxBytes`. The shape is walked first: cbor-x interprets tags (records, shared references,
 * bundled strings, bignums) that a payload never needs and that cost a hostile sender little.
 */
export function decodeCbor(bytes: Uint8Array, maxBytes: number): Decoded<Record<string, unknown>> {
  if (bytes.length === 0) return { ok: false, reason: "empty payload" };
  if (bytes.length > maxBytes) return { ok: false, reason: `${bytes.length} B is above the limit of ${maxBytes} B` };
  if (bytes[0]! >> 5 !== MAP) return { ok: false, reason: "not a CBOR map" };
  try {
    const walker = new Walker(bytes);
    walker.item(0);
    if (walker.position !== bytes.length) return { ok: false, reason: `${bytes.length - walker.position} B follow the map` };
    return { ok: true, value: decoder.decode(bytes) as Record<string, unknown> };
  } catch (error) {
    return { ok: false, reason: `not readable as CBOR: ${error instanceof Error ? error.message : String(error)}` };
  }
}

const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;
const SIMPLE = 7;

/** Walks one item without building it. Throws what decodeCbor turns into a reason; touches each byte at most once. */
class Walker {
  position = 0;
  readonly #bytes: Uint8Array;
  #items = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  item(depth: number): void {
    if (depth > CBOR_MAX_DEPTH) throw new RangeError(`nested deeper than ${CBOR_MAX_DEPTH}`);
    if (++this.#items > CBOR_MAX_ITEMS) throw new RangeError(`more than ${CBOR_MAX_ITEMS} items`);
    const first = this.#take(1);
    const major = first >> 5;
    const short = first & 31;
    if (major === TAG) throw new RangeError("tags are not part of the schema");
    if (major === SIMPLE) {
      // false, true, null; float16, float32, float64. No undefined, no break, no unassigned simple value.
      if (short >= 25 && short <= 27) this.#skip(1 << (short - 24));
      else if (short < 20 || short > 22) throw new RangeError(`simple value ${short} is not part of the schema`);
      return;
    }
    const argument = short < 24 ? short : this.#argument(short);
    if (major === BYTES || major === TEXT) this.#skip(argument);
    else if (major === ARRAY) for (let i = 0; i < argument; i++) this.item(depth + 1);
    else if (major === MAP) for (let i = 0; i < argument; i++) this.#entry(depth + 1);
  }

  #entry(depth: number): void {
    const next = this.#bytes[this.position];
    if (next !== undefined && next >> 5 !== TEXT) throw new RangeError("a map key is not text");
    this.item(depth);
    this.item(depth);
  }

  #argument(short: number): number {
    if (short > 27) throw new RangeError("indefinite lengths are not part of the schema");
    let value = 0;
    for (let i = 0; i < 1 << (short - 24); i++) value = value * 256 + this.#take(1);
    return value;
  }

  #take(count: number): number {
    const at = this.position;
    this.#skip(count);
    return this.#bytes[at]!;
  }

  #skip(count: number): void {
    if (count > this.#bytes.length - this.position) throw new RangeError("ends in the middle of an item");
    this.position += count;
  }
}
