import { z } from "zod";
import { ConfigError } from "./errors.ts";

/** Parses `value` with `schema`, or throws a ConfigError that names every wrong field. `where` opens the sentence, `mend` ends it. */
export function checked<S extends z.ZodType>(schema: S, value: unknown, code: string, where: string, mend: string): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ConfigError(code, `${where}: ${issuesText(parsed.error)}. ${mend}`);
}

/** The issues of a failed parse in one line: `asks.deadlineSeconds: expected number; name: …`. */
function issuesText(error: z.ZodError): string {
  return error.issues
    .map((issue) => {
      const path = z.core.toDotPath(issue.path);
      return path === "" ? issue.message : `${path}: ${issue.message}`;
    })
    .join("; ")
    .replaceAll(/Invalid input: /g, "");
}
