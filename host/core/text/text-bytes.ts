import { TEXT_LIMIT_BYTES } from "../../../assembly/text/layout.ts";

/** Apostrophes that people type: each becomes the ASCII one, which the tokeniser leaves out ("what's" is the word "whats"). */
const APOSTROPHES = /[\u2018\u2019\u02bc\uff07]/g;
const MARKS = /\p{M}/gu;

export interface TextBytes {
  readonly bytes: Uint8Array; // UTF-8, at most TEXT_LIMIT_BYTES
  readonly isCut: boolean; // the text was longer
}

/**
 * A text as the tokeniser reads it: compatibility-decomposed (NFKD), accents left out, UTF-8, at most TEXT_LIMIT_BYTES. Any string has
 * one: lone surrogates become U+FFFD, which separates words like every character that is no ASCII letter or digit.
 */
export function textBytes(text: string): TextBytes {
  const head = text.slice(0, TEXT_LIMIT_BYTES);
  const all = new TextEncoder().encode(head.normalize("NFKD").replace(MARKS, "").replace(APOSTROPHES, "'"));
  const bytes = all.subarray(0, TEXT_LIMIT_BYTES);
  return { bytes, isCut: head.length < text.length || bytes.length < all.length };
}
