import type * as z from "zod/mini";
import en from "zod/v4/locales/en.js";
import { ConfigError } from "./errors.ts";

// What the package's light entry loads (host/index.ts) has its schemas in zod/mini, which is bundled in a tenth of zod's size and brings
// no messages. All else has them in zod. Both are checked here.

type Schema<T> = z.core.$ZodType<T> & {
  safeParse(value: unknown, context: z.core.ParseContext<z.core.$ZodIssue>): z.core.util.SafeParseResult<T>;
};

const english = { error: en().localeError, jitless: true }; // each schema checks a handful of values: compiling it costs more

/** Parses `value` with `schema`, or throws a ConfigError that names every wrong field. `where` opens the sentence, `mend` ends it. */
export function checked<T>(schema: Schema<T>, value: unknown, code: string, where: string, mend: string): T {
  const parsed = schema.safeParse(value, english);
  if (parsed.success) return parsed.data;
  throw new ConfigError(code, `${where}: ${issuesText(parsed.error)}. ${mend}`);
}

/** The issues of a failed parse in one line: `asks.deadlineSeconds: expected number; name: …`. */
function issuesText(error: z.core.$ZodError): string {
  return error.issues
    .map(({ path, message }) => (path.length === 0 ? message : `${pathText(path)}: ${message}`))
    .join("; ")
    .replaceAll(/Invalid input: /g, "");
}

/** A path as a program would write it: `asks.inputs[0].form`. (zod's own comes with all of zod.) */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((key) =>
      typeof key === "string" && /^[\w$]+$/.test(key) ? `.${key}` : `[${typeof key === "number" ? key : JSON.stringify(String(key))}]`,
    )
    .join("")
    .replace(/^\./, "");
}
