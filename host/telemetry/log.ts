import { plainJson } from "../core/system/plain-text.ts";
import { textWithoutSecrets } from "../core/system/secrets.ts";

/** Least urgent first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFields = Readonly<Record<string, unknown>>;

/** A log of JSON lines. */
export interface Log {
  write(level: LogLevel, message: string, fields?: LogFields): void;
}

export interface LogOptions {
  readonly write: (line: string) => void;
  readonly wall: () => number;
  readonly level?: LogLevel; // default info
  /** Stand in every line: service, node. */
  readonly fields?: LogFields;
}

const MAX_TEXT_CHARS = 2000;
const SECRET_KEY = /pass(word|phrase)|secret|token|authorization|api[-_]?key|private|^key$|^cert$/i;

/** `{"time":…,"level":…,"message":…, …fields}`, one object a line, secrets taken out. */
export function createLog({ write, wall, level = "info", fields: common = {} }: LogOptions): Log {
  const least = LOG_LEVELS.indexOf(level);
  return {
    write(at, message, fields = {}) {
      if (LOG_LEVELS.indexOf(at) < least) return;
      const line = { time: new Date(wall()).toISOString(), level: at, message, ...common, ...fields };
      write(`${plainJson(withoutSecrets(line))}\n`);
    },
  };
}

/** A value without what must never be written down: private keys, passwords in URLs, authorization headers, fields named like secrets. */
export function withoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return textWithoutSecrets(value.slice(0, MAX_TEXT_CHARS));
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return `${value.length} B`;
  if (depth > 6) return "…";
  if (value instanceof Error) return withoutSecrets({ code: (value as { code?: unknown }).code, message: value.message }, depth + 1);
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => withoutSecrets(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      typeof item === "string" && SECRET_KEY.test(key) ? "…" : withoutSecrets(item, depth + 1),
    ]),
  );
}
