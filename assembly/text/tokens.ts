import { TextModel } from "./model";
import * as T from "./layout";

// A text's hashed features, as host/core/text/text-features.ts has them of the same bytes.

const SPACE: u32 = 32;

/** Words of lower-case letters and digits, all digits 0, apostrophes left out, one space before, between and behind. Returns the bytes. */
function writeWords(text: usize, bytes: i32, out: usize): i32 {
  store<u8>(out, SPACE);
  let at = out + 1;
  const end = text + <usize>bytes;
  for (let p = text; p < end; p++) {
    let byte = <u32>load<u8>(p);
    if (byte - 65 < 26) byte += 32;
    else if (byte - 48 < 10) byte = 48;
    if (byte == 39) continue;
    if (byte - 97 >= 26 && byte != 48) {
      if (<u32>load<u8>(at - 1) == SPACE) continue;
      byte = SPACE;
    }
    store<u8>(at, byte);
    at++;
  }
  if (<u32>load<u8>(at - 1) != SPACE) {
    store<u8>(at, SPACE);
    at++;
  }
  return <i32>(at - out);
}

/** FNV-1a over the kind and the bytes, then the finaliser of MurmurHash3: the row is taken from the high bits. */
function hashOf(kind: u32, from: usize, to: usize): u32 {
  let hash = (<u32>T.TEXT_HASH_BASIS ^ kind) * <u32>T.TEXT_HASH_PRIME;
  for (let p = from; p < to; p++) hash = (hash ^ <u32>load<u8>(p)) * <u32>T.TEXT_HASH_PRIME;
  hash = (hash ^ (hash >> 16)) * <u32>T.TEXT_MIX_1;
  hash = (hash ^ (hash >> 13)) * <u32>T.TEXT_MIX_2;
  return hash ^ (hash >> 16);
}

let count: i32 = 0;
let wasCut: i32 = 0;

function add(model: TextModel, kind: u32, from: usize, to: usize): void {
  if (count == T.TEXT_LIMIT_FEATURES) {
    wasCut = 1;
    return;
  }
  const row = <u32>((<u64>hashOf(kind, from, to) * <u64>model.rowCount) >> 32);
  store<u32>(model.rows + <usize>(count << 2), row);
  count++;
}

/** Whether the last text had more features than were read: 0 or 1. */
export function isCut(): i32 {
  return wasCut;
}

/** Fills model.rows from `bytes` bytes of model.text. Returns how many features there are, at most TEXT_LIMIT_FEATURES. */
export function readFeatures(model: TextModel, bytes: i32): i32 {
  const words = model.words;
  const end = words + <usize>writeWords(model.text, bytes, words);
  count = 0;
  wasCut = 0;
  let before: usize = 0; // start of the word before; 0: there is none
  let from = words + 1;
  while (from < end && wasCut == 0) {
    let to = from;
    while (<u32>load<u8>(to) != SPACE) to++;
    add(model, T.TEXT_KIND_WORD, from, to);
    if (before != 0) add(model, T.TEXT_KIND_BIGRAM, before, to);
    for (let n: usize = T.TEXT_GRAM_MIN; n <= <usize>T.TEXT_GRAM_MAX; n++) {
      for (let at = from - 1; at + n <= to + 1; at++) add(model, T.TEXT_KIND_GRAM, at, at + n);
    }
    before = from;
    from = to + 1;
  }
  return count;
}
