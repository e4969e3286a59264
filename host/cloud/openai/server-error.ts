import { plainText } from "../../core/system/plain-text.ts";

/**
 * A chat completion that failed. `busy`: the server wants fewer requests; `server`: it failed or cannot be reached, and may recover;
 * `broken`: it had the request and cut its reply off; `rejected`: it would refuse the same request again.
 */
export interface ChatFailure {
  readonly ok: false;
  readonly kind: "busy" | "server" | "broken" | "malformed" | "timeout" | "rejected";
  /** What failed, with the server's own words: bounded, without control characters. */
  readonly detail: string;
  readonly retryAfterMillis?: number;
  /** Characters of the reply that came before it failed: they may cost money. */
  readonly replyChars: number;
  /** Of a server that refused: its status, and more of its words than `detail` passes on. */
  readonly status?: number | undefined;
  readonly words?: string;
  /** Of a malformed reply: why it cannot be read. */
  readonly flaw?: "withoutJson" | "cut" | "oversized";
}

/** The error text of a server, in any of the formats in use. */
export interface ServerError {
  readonly status: number | undefined; // an HTTP status, from the head of the reply or from the error itself
  readonly names: string; // type, code and status names, in lower case
  readonly words: string;
  readonly retryAfterMillis: number | undefined;
}

/** Longest piece of a server's words that is passed on. */
const MAX_WORDS_CHARS = 160;
/** Longest that is searched for the name of a parameter. */
const MAX_SEARCHED_CHARS = 1000;
/** However long a server asks to be left alone. */
const MAX_RETRY_AFTER_MILLIS = 3_600_000;
/** An account that is out of money or quota does not recover within a second. */
const QUOTA_MILLIS = 60_000;

const BUSY_STATUS: readonly number[] = [429, 503, 529];
/** Other than 5xx: request timeout, conflict, too early. */
const TRANSIENT_STATUS: readonly number[] = [408, 409, 425];
const BUSY_NAME =
  /rate.?limit|too.?many.?requests|throttl|overload|busy|unavailable|resource.?exhausted|slow.?down|capacity|queue|insufficient_system/;
const QUOTA_NAME = /quota|billing/;
const REJECTED_NAME = /invalid|not.?found|unsupported|authenti|permission|bad.?request|content.?filter/;
/** A prompt that is too long stays so; llama.cpp has sent 400 and 500 for it. */
const CONTEXT_NAME = /context.?(size|length|window)/;
/** Words alone decide only if no status does: Ollama, LM Studio and others send one sentence and no code. */
const BUSY_WORDS =
  /too many requests|rate.?limit|overloaded|(server|model|llm)( is)? busy|queue (is )?full|pending requests|no slots? available|loading model|temporarily unavailable|(try|retry) again (in|later|shortly)/i;

/** Text from elsewhere on one line, with single spaces, as `plainText` shows it: at most `maxChars`. */
export function plainWords(text: string, maxChars = MAX_WORDS_CHARS): string {
  const line = plainText(
    text
      .slice(0, 8 * maxChars)
      .replace(/\s+/g, " ")
      .trim(),
  );
  return line.length > maxChars ? `${line.slice(0, maxChars - 1).replace(/[\ud800-\udbff]$/, "")}…` : line;
}

/** The error that a parsed reply holds, if it is one; `error: null` beside choices is none. */
export function errorIn(value: unknown): ServerError | undefined {
  const reply = Array.isArray(value) ? value[0] : value; // Google's servers put the error into an array
  if (!isObject(reply)) return undefined;
  const choice = Array.isArray(reply.choices) ? reply.choices[0] : undefined;
  const inner = [reply.error, isObject(choice) ? choice.error : undefined].find(saysSomething);
  if (inner !== undefined) return describe(inner, reply);
  if (Array.isArray(reply.choices)) return undefined;
  if (reply.object === "error" || reply.type === "error" || saysSomething(reply.detail) || typeof reply.message === "string")
    return describe(reply, {});
  return undefined;
}

/** The error in the body of a refused request: JSON, an event stream or plain text. */
export function errorInBody(text: string): ServerError {
  const json = parseJson(text) ?? parseJson(/^data:(.*)$/m.exec(text)?.[1] ?? "");
  return (
    errorIn(json) ?? {
      status: undefined,
      names: "",
      words: text.replace(/<(style|script)[\s\S]*?<\/\1>|<[^>]*>/g, " "),
      retryAfterMillis: undefined,
    }
  );
}

/** The failure that a server's error stands for: `head` is what its HTTP status and headers said, where they said something. */
export function failureOf(
  error: ServerError,
  head: { status?: number; retryAfterMillis?: number | undefined },
  replyChars = 0,
): ChatFailure {
  const status = head.status ?? error.status;
  const kind = kindOf(error, [head.status, error.status]);
  const least = kind === "busy" && QUOTA_NAME.test(error.names) ? QUOTA_MILLIS : undefined;
  const retryAfterMillis = head.retryAfterMillis ?? error.retryAfterMillis ?? least;
  const words = plainWords(error.words);
  const key = status === 401 || status === 403 ? ": check OPENAI_API_KEY" : "";
  return {
    ok: false,
    kind,
    detail: `the server says ${status ?? "error"}${key}${words === "" ? "" : `: ${words}`}`,
    ...(retryAfterMillis === undefined || kind === "rejected"
      ? {}
      : { retryAfterMillis: Math.min(MAX_RETRY_AFTER_MILLIS, retryAfterMillis) }),
    replyChars,
    status,
    words: plainWords(`${error.names} ${error.words}`, MAX_SEARCHED_CHARS),
  };
}

function kindOf({ names, words }: ServerError, statuses: readonly (number | undefined)[]): "busy" | "server" | "rejected" {
  if (statuses.some((status) => status !== undefined && BUSY_STATUS.includes(status)) || BUSY_NAME.test(names)) return "busy";
  const status = statuses.find((one) => one !== undefined);
  if (CONTEXT_NAME.test(names)) return "rejected";
  const isClients = status !== undefined && status < 500 && !TRANSIENT_STATUS.includes(status);
  if (isClients) return "rejected";
  if (BUSY_WORDS.test(words) || QUOTA_NAME.test(names)) return "busy";
  return status === undefined && REJECTED_NAME.test(names) ? "rejected" : "server";
}

function describe(error: unknown, around: Readonly<Record<string, unknown>>): ServerError {
  if (!isObject(error))
    return {
      status: statusOf(around.code ?? around.status),
      names: nameOf(around.error_type),
      words: String(error),
      retryAfterMillis: saidWait(String(error)),
    };
  const { metadata } = error;
  const raw = isObject(metadata) && typeof metadata.raw === "string" ? ` (${metadata.raw})` : ""; // OpenRouter: the words of the server behind it
  const message = [error.message, error.detail, error.error].find((one) => one !== undefined && one !== null) ?? "";
  const words = `${typeof message === "string" ? message : JSON.stringify(message)}${raw}`;
  const numbers = [error.code, error.status, error.status_code, error.http_code, around.code, around.status].map(statusOf);
  const seconds = Number(error.retry_after ?? (isObject(metadata) ? metadata.retry_after_seconds : undefined));
  return {
    status: numbers.find((one) => one !== undefined),
    names: [error.type, error.code, error.status, error.error_type, around.error_type].map(nameOf).join(" "),
    words,
    retryAfterMillis: seconds >= 0 ? seconds * 1000 : (saidDelay(error.details) ?? saidWait(words)),
  };
}

/** A number or numeric text (LiteLLM's codes are such) that is an HTTP status of an error. */
function statusOf(value: unknown): number | undefined {
  const status = typeof value === "number" ? value : typeof value === "string" && /^\d{3}$/.test(value) ? Number(value) : undefined;
  return status !== undefined && status >= 400 && status <= 599 ? status : undefined;
}

const nameOf = (value: unknown) => (typeof value === "string" ? value.slice(0, 80).toLowerCase() : "");

/** `retryDelay: "30s"` in the details of a Google error. */
function saidDelay(details: unknown): number | undefined {
  for (const detail of Array.isArray(details) ? details.slice(0, 8) : []) {
    const seconds = isObject(detail) && typeof detail.retryDelay === "string" ? Number(detail.retryDelay.replace(/s$/, "")) : Number.NaN;
    if (seconds >= 0) return seconds * 1000;
  }
  return undefined;
}

/** "Please try again in 7.66s", "retry after 20 seconds", "in 1m30s": milliseconds. */
function saidWait(words: string): number | undefined {
  const match = /(?:try again|retry)\s(?:in|after)\s(?:(\d{1,3})m(?:in\w*)?\s?)?(\d{1,7}(?:\.\d{1,9})?)\s?(ms|milli|s|m)?/i.exec(
    words.slice(0, 4096),
  );
  if (match === null) return undefined;
  const [, minutes = "0", amount = "0", unit = "s"] = match;
  const perUnit = { ms: 1, milli: 1, m: 60_000 }[unit.toLowerCase()] ?? 1000;
  return Number(minutes) * 60_000 + Number(amount) * perUnit;
}

/** The wait that the headers ask for: `retry-after-ms` (OpenAI, Azure), or Retry-After in seconds or as a date (RFC 9110 §10.2.3). */
export function retryAfterOf(headers: Headers, nowWallMillis: number): number | undefined {
  for (const name of ["retry-after-ms", "x-ms-retry-after-ms"]) {
    const millis = headers.get(name)?.trim();
    if (millis !== undefined && /^\d+(\.\d+)?$/.test(millis)) return Math.min(MAX_RETRY_AFTER_MILLIS, Number(millis));
  }
  const header = headers.get("retry-after")?.trim() ?? "";
  if (header === "") return undefined;
  const seconds = Number(header);
  const millis = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - nowWallMillis;
  return Number.isFinite(millis) ? Math.min(MAX_RETRY_AFTER_MILLIS, Math.max(0, millis)) : undefined;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Neither null nor empty: what some servers put beside a good reply. */
function saysSomething(value: unknown): boolean {
  if (isObject(value)) return Object.values(value).some((one) => one !== null && one !== "");
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null && value !== "" && value !== false;
}
