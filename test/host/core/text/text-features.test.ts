import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TEXT_LIMIT_BYTES, TEXT_LIMIT_FEATURES } from "../../../../assembly/text/layout.ts";
import { textBytes } from "../../../../host/core/text/text-bytes.ts";
import { rowOf, textFeatures } from "../../../../host/core/text/text-features.ts";

const hashes = (text: string): number[] => [...textFeatures(text).hashes];

describe("features of a text", () => {
  it.each([
    ["upper case", "What TIME is it", "what time is it"],
    ["an apostrophe of any kind", "what’s up, don't", "what's up dont"],
    ["accents", "café naïve", "cafe naive"],
    ["full-width letters", "ｈｅｌｌｏ", "hello"],
    ["digits, each as any other", "at 10:35", "at 42 17"],
    ["right-to-left marks, NUL and emoji between words", "how\u202e long\0have\u200f I 😀 sat", "how long have i sat"],
    ["punctuation", "  how, long -- is it?!", "how long is it"],
    ["a lone surrogate", "sit\ud800ting", "sit ting"],
  ])("are the same: %s", (_, one, other) => {
    expect(hashes(one)).toEqual(hashes(other));
  });

  it.each([
    ["empty", ""],
    ["spaces", "  \n\t"],
    ["emoji alone", "😀🎉👩‍👩‍👧"],
    ["lone surrogates", "\ud83d\ud83d\udc00\udc00"],
    ["Cyrillic", "как долго я сижу"],
    ["Arabic", "\u202eكم الساعة"],
    ["apostrophes", "'''"],
  ])("are none of a text without a letter or digit: %s", (_, text) => {
    expect(textFeatures(text)).toEqual({ hashes: new Uint32Array(0), isCut: false });
  });

  it("are pinned: an image trained with them stays valid", () => {
    expect(hashes("Hi 7!")).toMatchInlineSnapshot(`
      [
        1644047318,
        1030604697,
        2163543171,
        1163663777,
        1459715267,
        650918688,
        905927053,
      ]
    `);
    expect(rowOf(0xffffffff, 5000)).toBe(4999);
  });

  it("a text of 100 KB is cut to the limits, and says so", () => {
    for (const text of [
      "how long have I been sitting ".repeat(3500),
      "a".repeat(100_000),
      "😀".repeat(50_000),
      "ﷺ".repeat(TEXT_LIMIT_BYTES),
    ]) {
      const { hashes, isCut } = textFeatures(text);
      expect(hashes.length).toBeLessThanOrEqual(TEXT_LIMIT_FEATURES);
      expect(isCut).toBe(true);
    }
    expect(textFeatures("a ".repeat(120)).isCut).toBe(false);
  });

  it("any string has at most 512 features, the same each time, and its bytes are UTF-8 within the limit", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 3000 }), (text) => {
        const features = textFeatures(text);
        expect(features).toEqual(textFeatures(text));
        expect(features.hashes.length).toBeLessThanOrEqual(TEXT_LIMIT_FEATURES);
        const { bytes } = textBytes(text);
        expect(bytes.length).toBeLessThanOrEqual(TEXT_LIMIT_BYTES);
      }),
      { numRuns: 200 },
    );
  });
});
