/**
 * What a value must be. Returns what is wrong with it and where, or undefined. For what every start reads: building zod's schemas takes
 * longer there than to read an image and to decide. Everything else is checked with zod.
 */
export type Shape = (value: unknown, at: string) => Flaw | undefined;

export interface Flaw {
  /** Keys and indices, joined by dots. */
  readonly at: string;
  readonly message: string;
}

const within = (at: string, key: string | number): string => (at === "" ? String(key) : `${at}.${key}`);
const expected = (what: string, at: string, value: unknown): Flaw => ({
  at: at || "its top level",
  message: `expected ${what}, found ${value === undefined ? "nothing" : Array.isArray(value) ? "a list" : value === null ? "null" : typeof value}`,
});
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** A string of so many UTF-16 units. */
export function text(least = 0, most = Number.POSITIVE_INFINITY): Shape {
  return (value, at) => {
    if (typeof value !== "string") return expected("text", at, value);
    if (value.length < least) return { at, message: `expected at least ${least} characters, found ${value.length}` };
    if (value.length > most) return { at, message: `expected at most ${most} characters, found ${value.length}` };
    return undefined;
  };
}

/** A finite number that passes `isWanted`; `what` names it in the sentence. */
export function number(what = "a number", isWanted: (value: number) => boolean = () => true): Shape {
  return (value, at) => {
    if (typeof value !== "number") return expected(what, at, value);
    return Number.isFinite(value) && isWanted(value) ? undefined : { at, message: `expected ${what}, found ${value}` };
  };
}

export const positiveNumber = number("a number above 0", (value) => value > 0);
export const wholeNumber = number("a whole number", Number.isSafeInteger);
export const countNumber = number("a whole number from 0", (value) => Number.isSafeInteger(value) && value >= 0);

/** A list of at least so many items, each of that shape. */
export function list(item: Shape, least = 0): Shape {
  return (value, at) => {
    if (!Array.isArray(value)) return expected("a list", at, value);
    if (value.length < least) return { at, message: `expected at least ${least} items, found ${value.length}` };
    return firstOf(
      value.map((one, i) => [i, one, item]),
      at,
    );
  };
}

/** Any keys, each value of that shape. */
export function recordOf(item: Shape): Shape {
  return (value, at) =>
    isRecord(value)
      ? firstOf(
          Object.entries(value).map(([key, one]) => [key, one, item]),
          at,
        )
      : expected("an object", at, value);
}

/** Exactly these keys; those of `optional` may be absent. */
export function fields(required: Readonly<Record<string, Shape>>, optional: Readonly<Record<string, Shape>> = {}): Shape {
  return (value, at) => {
    if (!isRecord(value)) return expected("an object", at, value);
    const unknown = Object.keys(value).find((key) => !Object.hasOwn(required, key) && !Object.hasOwn(optional, key));
    const present = Object.entries(optional).filter(([key]) => Object.hasOwn(value, key));
    const flaw = firstOf(
      [...Object.entries(required), ...present].map(([key, shape]) => [key, Object.hasOwn(value, key) ? value[key] : undefined, shape]),
      at,
    );
    return flaw ?? (unknown === undefined ? undefined : { at: within(at, unknown), message: "unknown key" });
  };
}

/** One shape or the other; the first one's flaw is told. */
export function either(one: Shape, other: Shape): Shape {
  return (value, at) => {
    const flaw = one(value, at);
    return flaw && other(value, at) && flaw;
  };
}

function firstOf(parts: Iterable<readonly [string | number, unknown, Shape]>, at: string): Flaw | undefined {
  for (const [key, value, shape] of parts) {
    const flaw = shape(value, within(at, key));
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}
