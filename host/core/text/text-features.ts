import * as L from "../../../assembly/text/layout.ts";
import { textBytes } from "./text-bytes.ts";

const SPACE = 32;

/** The hashed features of a text, in its order. A net with n rows has feature h in row `rowOf(h, n)`. */
export interface TextFeatures {
  readonly hashes: Uint32Array; // at most TEXT_LIMIT_FEATURES
  readonly isCut: boolean; // the text has more than was read
}

/**
 * Words, pairs of neighbouring words and character 3- and 4-grams of each word, hashed. Any string has features or none ("", emoji alone,
 * a script without ASCII letters); pure. The rule is in assembly/README.md, "Text"; the text core has the same hashes of the same bytes.
 */
export function textFeatures(text: string): TextFeatures {
  const { bytes, isCut } = textBytes(text);
  const features = hashBytes(bytes);
  return { hashes: features.hashes, isCut: isCut || features.isCut };
}

/** Row of a feature in a table of `rows` rows: the high word of hash × rows. */
export function rowOf(hash: number, rows: number): number {
  return Math.floor((hash * rows) / 4294967296);
}

/** The same from UTF-8 that is already cut to TEXT_LIMIT_BYTES: what the text core does. */
export function hashBytes(bytes: Uint8Array): TextFeatures {
  const text = plainWords(bytes);
  const hashes = new Uint32Array(L.TEXT_LIMIT_FEATURES);
  let count = 0;
  let isCut = false;
  const add = (kind: number, from: number, to: number): void => {
    if (count < L.TEXT_LIMIT_FEATURES) hashes[count++] = hashOf(kind, text, from, to);
    else isCut = true;
  };
  let before = 0; // start of the word before; 0: there is none
  for (let from = 1; from < text.length && !isCut; ) {
    let to = from;
    while (text[to] !== SPACE) to++;
    add(L.TEXT_KIND_WORD, from, to);
    if (before > 0) add(L.TEXT_KIND_BIGRAM, before, to);
    for (let n = L.TEXT_GRAM_MIN; n <= L.TEXT_GRAM_MAX; n++)
      for (let at = from - 1; at + n <= to + 1; at++) add(L.TEXT_KIND_GRAM, at, at + n);
    before = from;
    from = to + 1;
  }
  return { hashes: hashes.slice(0, count), isCut };
}

/** Words of lower-case letters and digits, all digits 0, apostrophes left out, one space before, between and behind. */
function plainWords(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + 2);
  out[0] = SPACE;
  let length = 1;
  for (const byte of bytes) {
    const lower = byte >= 65 && byte <= 90 ? byte + 32 : byte;
    if (lower >= 97 && lower <= 122) out[length++] = lower;
    else if (byte >= 48 && byte <= 57) out[length++] = 48;
    else if (byte !== 39 && out[length - 1] !== SPACE) out[length++] = SPACE;
  }
  if (out[length - 1] !== SPACE) out[length++] = SPACE;
  return out.subarray(0, length);
}

/** FNV-1a over the kind and the bytes, then the finaliser of MurmurHash3: the row is taken from the high bits. */
function hashOf(kind: number, text: Uint8Array, from: number, to: number): number {
  let hash = Math.imul(L.TEXT_HASH_BASIS ^ kind, L.TEXT_HASH_PRIME);
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ text[i]!, L.TEXT_HASH_PRIME);
  hash = Math.imul(hash ^ (hash >>> 16), L.TEXT_MIX_1);
  hash = Math.imul(hash ^ (hash >>> 13), L.TEXT_MIX_2);
  return (hash ^ (hash >>> 16)) >>> 0;
}
