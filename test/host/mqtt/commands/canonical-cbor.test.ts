import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CanonicalValue, encodeCanonical } from "../../../../host/mqtt/commands/canonical-cbor.ts";
import { decodeCbor } from "../../../../host/mqtt/wire/cbor.ts";

const golden = new URL("../../../golden/canonical-cbor.json", import.meta.url);
const hex = (value: CanonicalValue) => Buffer.from(encodeCanonical(value)).toString("hex");

describe("canonical CBOR", () => {
  // RFC 8949 appendix A
  it.each<[CanonicalValue, string]>([
    [0, "00"],
    [-0, "00"],
    [23, "17"],
    [24, "1818"],
    [255, "18ff"],
    [256, "190100"],
    [1_000_000, "1a000f4240"],
    [1_000_000_000_000, "1b000000e8d4a51000"],
    [-1, "20"],
    [-1000, "3903e7"],
    ["IETF", "6449455446"],
    ["水", "63e6b0b4"],
    [Uint8Array.of(1, 2, 3, 4), "4401020304"],
    [[1, [2, 3]], "8201820203"],
    [{ a: 1, b: [2, 3] }, "a26161016162820203"],
    [{}, "a0"],
    [true, "f5"],
    [null, "f6"],
  ])("encodes %j as the RFC does", (value, bytes) => {
    expect(hex(value)).toBe(bytes);
  });

  it("encodes random maps to the bytes of another library, cborg 6.1.5 with rfc8949EncodeOptions", () => {
    const cases = JSON.parse(readFileSync(golden, "utf8")) as { value: CanonicalValue; bytes: string }[];
    expect(cases.map(({ value }) => hex(value))).toEqual(cases.map(({ bytes }) => bytes));
  });

  it("orders keys by their encoded bytes, so that how a map was built does not matter", () => {
    expect(hex({ bb: 1, a: 2, c: 3 })).toBe(hex({ c: 3, a: 2, bb: 1 }));
    expect(hex({ bb: 1, c: 3 })).toBe("a261630362626201"); // c before bb: the shorter first
  });

  it("leaves out keys without a value", () => {
    expect(hex({ a: undefined, b: 1 })).toBe(hex({ b: 1 }));
  });

  it.each([1.5, Number.NaN, 2 ** 53, "\ud800"])("refuses %s, which has no single encoding", (value) => {
    expect(() => encodeCanonical({ value })).toThrow(/cannot be signed/);
  });

  it("decodes to what it encoded, and encodes that to the same bytes", () => {
    const leaf = fc.oneof(
      fc.maxSafeInteger().map((n) => Math.max(n, -(2 ** 32))),
      fc.boolean(),
      fc.constant(null),
      fc.string({ unit: "grapheme" }),
      fc.uint8Array({ maxLength: 40 }),
    );
    const map = fc.dictionary(
      fc.string({ unit: "grapheme", maxLength: 20 }).filter((key) => key !== "__proto__" && key !== "__proto_"),
      fc.oneof(leaf, fc.array(leaf, { maxLength: 5 })),
      { maxKeys: 20 },
    );
    fc.assert(
      fc.property(map, (value) => {
        const bytes = encodeCanonical(value as CanonicalValue);
        const decoded = decodeCbor(bytes, 1 << 20);
        expect(decoded.ok).toBe(true);
        if (decoded.ok) expect(Buffer.from(encodeCanonical(decoded.value as CanonicalValue)).equals(Buffer.from(bytes))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
