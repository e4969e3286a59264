import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  countNumber,
  either,
  fields,
  list,
  number,
  positiveNumber,
  recordOf,
  text,
  wholeNumber,
} from "../../../../host/core/system/shape.ts";

const shape = fields(
  {
    name: text(1, 4),
    sizes: list(positiveNumber, 1),
    ids: list(either(wholeNumber, text(1))),
    inner: fields({ count: countNumber, any: number() }),
    rest: recordOf(number()),
  },
  { maybe: text() },
);
const schema = z.strictObject({
  name: z.string().min(1).max(4),
  sizes: z.array(z.number().positive()).min(1),
  ids: z.array(z.union([z.int(), z.string().min(1)])),
  inner: z.strictObject({ count: z.int().nonnegative(), any: z.number() }),
  rest: z.record(z.string(), z.number()),
  maybe: z.string().exactOptional(),
});
const good = { name: "a", sizes: [1], ids: [7, "x"], inner: { count: 0, any: -1.5 }, rest: { a: 1 }, maybe: "" };
const junk = fc.oneof(
  fc.jsonValue(),
  fc.double(),
  fc.constantFrom(undefined, Number.NaN, "", "long text", -1, 0.5, 2 ** 60, [], {}, [""], [0]),
);

describe("the shape of a value", () => {
  it("takes what zod takes, and refuses what zod refuses", () => {
    const mutated = fc.tuple(fc.constantFrom(...Object.keys(good), "other"), junk).map(([key, value]) => ({ ...good, [key]: value }));
    const inner = fc.tuple(fc.constantFrom("count", "any", "other"), junk).map(([k, v]) => ({ ...good, inner: { ...good.inner, [k]: v } }));
    const without = fc.constantFrom(...Object.keys(good)).map((key) => Object.fromEntries(Object.entries(good).filter(([k]) => k !== key)));
    fc.assert(
      fc.property(fc.oneof(junk, mutated, inner, without, fc.constant(good)), (value) => {
        expect(shape(value, "") === undefined).toBe(schema.safeParse(value).success);
      }),
      { numRuns: 2000 },
    );
  });

  it("says where and what", () => {
    const at = (value: unknown) => shape(value, "");
    expect(at(good)).toBeUndefined();
    expect(at([])).toEqual({ at: "its top level", message: "expected an object, found a list" });
    expect(at({ ...good, sizes: [1, -2] })).toEqual({ at: "sizes.1", message: "expected a number above 0, found -2" });
    expect(at({ ...good, inner: { count: 0.5, any: 1 } })).toEqual({
      at: "inner.count",
      message: "expected a whole number from 0, found 0.5",
    });
    expect(at({ ...good, colour: 1 })).toEqual({ at: "colour", message: "unknown key" });
    expect(at({ ...good, name: "" })).toEqual({ at: "name", message: "expected at least 1 characters, found 0" });
    expect(at({ ...good, rest: { a: null } })).toEqual({ at: "rest.a", message: "expected a number, found null" });
  });
});
