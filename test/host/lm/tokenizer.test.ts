import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TokenizerData } from "../../../host/lm/checkpoint.ts";
import { createTokenizer } from "../../../host/lm/tokenizer.ts";
import { decodeTokenizer, encodeTokenizer } from "../../../host/lm/tokenizer-section.ts";
import { randomLlama } from "../../support/random-llama.ts";

const scored = randomLlama({ seed: 1, vocab: 400 }).tokenizer;

/** Bytes, then merges of "th", "the", "in" and " a"; a control token, an ask token that users define. */
const ranked: TokenizerData = (() => {
  const pieces = [
    ...Array.from({ length: 256 }, (_, byte) => [byte]),
    ...["th", "the", "in", " a", "<s>", "<ask>"].map((text) => [...Buffer.from(text)]),
  ];
  const id = (text: string): number => pieces.findIndex((piece) => Buffer.from(piece).toString("latin1") === text);
  const pairs = [
    ["t", "h"],
    ["th", "e"],
    ["i", "n"],
    [" ", "a"],
  ].flatMap(([left, right]) => [id(left!), id(right!)]);
  return {
    alphabet: "bytes",
    pieces: pieces.map((piece) => Uint8Array.from(piece)),
    kinds: pieces.map((_, token) => (token === 260 ? "control" : token === 261 ? "userDefined" : "normal")),
    merges: { by: "rank", pairs: Uint32Array.from(pairs) },
    split: "gpt2",
    keepsWholePieces: false,
    hasSpacePrefix: false,
    bos: 260,
    eos: [260],
  };
})();

describe.each([
  ["by score", scored],
  ["by rank", ranked],
])("a tokenizer that merges %s", (_, data) => {
  const tokenizer = createTokenizer(data);

  it("decodes what it encodes, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(Buffer.from(text).toString());
      }),
    );
  });

  it("streamed token by token, gives the same text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 20 }), (text) => {
        const stream = tokenizer.stream();
        const parts = tokenizer.encode(text).map((token) => stream.push(token));
        expect(parts.join("") + stream.end()).toBe(text);
        for (const part of parts) expect(part).not.toContain("\ufffd");
      }),
    );
  });

  it("makes no control token from text that spells one", () => {
    const [, ...tokens] = tokenizer.encode("a<s></s>b");
    for (const token of tokens) expect(data.kinds[token]).not.toBe("control");
    expect(tokenizer.decode(tokens)).toContain("<s>");
  });

  it("comes back from its section in an image as it was", () => {
    expect(decodeTokenizer(encodeTokenizer(data))).toEqual(data);
  });

  it("merges a long text without spaces in far less than quadratic time", () => {
    expect(tokenizer.encode("the".repeat(20_000)).length).toBeGreaterThan(1000);
  });
});

it("the first of two equal pairs merges first, then the merged one goes on", () => {
  const tokenizer = createTokenizer(ranked);
  expect(tokenizer.encode("thethe in a").map((token) => Buffer.from(ranked.pieces[token]!).toString())).toEqual([
    "<s>",
    "the",
    "the",
    " ",
    "in",
    " a",
  ]);
});

it("a user-defined token is found in text before anything is merged", () => {
  expect(createTokenizer(ranked).encode("in<ask>the")).toEqual([260, 258, 261, 257]);
});

it("a character cut between tokens becomes U+FFFD at the end, and none before", () => {
  const stream = createTokenizer(ranked).stream();
  const [first] = Buffer.from("é");
  expect([stream.push(first!), stream.end()]).toEqual(["", "\ufffd"]);
});

it("a section that is cut, longer or changed is refused or read; it never throws anything else", () => {
  const bytes = encodeTokenizer(scored);
  for (let length = 0; length < bytes.length; length += 7)
    expect(() => decodeTokenizer(bytes.subarray(0, length))).toThrowError(expect.objectContaining({ code: "BAD_TOKENIZER" }));
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
      const changed = bytes.slice();
      changed[at] = value;
      try {
        decodeTokenizer(changed);
      } catch (error) {
        expect(error).toMatchObject({ code: "BAD_TOKENIZER" });
      }
    }),
  );
});
