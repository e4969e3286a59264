import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergePairs, type Piece } from "../../../host/lm/byte-pair-merge.ts";
import { createTokenizer } from "../../../host/lm/tokenizer.ts";
import { decodeTokenizer, encodeTokenizer } from "../../../host/lm/tokenizer-section.ts";
import { rankedTokenizer, scoredTokenizer } from "../../support/small-tokenizers.ts";

const scored = scoredTokenizer(400);
const ranked = rankedTokenizer(330);

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
    expect(tokenizer.encode("the".repeat(10_000)).length).toBeGreaterThan(1000);
  });
});

it("the pair learned first is merged first", () => {
  const text = (token: number): string => Buffer.from(ranked.pieces[token]!).toString();
  expect(createTokenizer(ranked).encode("mouse moused in the").map(text)).toEqual(["<s>", "m", "ouse", " mouse", "d", " i", "n", " the"]);
});

it("the heap merges as the plain search for the lowest rank does, the leftmost of equals first", () => {
  const rank = (key: string): number | undefined =>
    key.length > 6 ? undefined : [...key].reduce((sum, c) => sum + c.charCodeAt(0), 0) % 5 || undefined;
  const find = (left: Piece, right: Piece) => {
    const key = left.key + right.key;
    const found = rank(key);
    return found === undefined ? undefined : { rank: found, token: 0 };
  };
  const plain = (pieces: string[]): string[] => {
    for (;;) {
      const ranks = pieces.slice(1).map((right, i) => rank(pieces[i]! + right) ?? Number.POSITIVE_INFINITY);
      const at = ranks.indexOf(Math.min(...ranks));
      if (ranks.length === 0 || ranks[at] === Number.POSITIVE_INFINITY) return pieces;
      pieces.splice(at, 2, pieces[at]! + pieces[at + 1]!);
    }
  };
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("a", "b", "c", "d"), maxLength: 40 }), (text) => {
      const pieces = [...text].map((key) => ({ token: 0, key }));
      expect(mergePairs(pieces, find).map(({ key }) => key)).toEqual(plain([...text]));
    }),
  );
});

it("a user-defined token is found in text before anything is merged", () => {
  const tokens = createTokenizer(ranked).encode("in<ask>the");
  expect(tokens).toContain(ranked.kinds.indexOf("userDefined"));
  expect(createTokenizer(ranked).decode(tokens)).toBe("in<ask>the");
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
