/** Stands for a URL in which no parser can tell a password from the rest. */
export const HIDDEN_URL = "(URL not shown: it may hold a password)";

/** Longest text that is printed of a URL. */
const MAX_URL_CHARS = 200;

/**
 * A URL as it may be printed, whatever it holds: scheme, host, port and path, never user, password, query or fragment.
 * HIDDEN_URL where the parser finds no host, or where an @ behind the host shows that a password was cut in two.
 */
export function urlText(text: string): string {
  const whole = parseUrl(text);
  const url = whole ?? (text.includes("://") ? undefined : parseUrl(`mqtt://${text}`)); // localhost:1883
  if (url === undefined || isCutInTwo(url)) return HIDDEN_URL;
  const path = url.pathname === "/" ? "" : url.pathname;
  return `${whole === undefined ? "" : `${url.protocol}//`}${url.host}${path}`.slice(0, MAX_URL_CHARS);
}

/** A URL taken apart: `bare` is what is left without user and password, which are decoded. */
export interface SplitUrl {
  readonly bare: string;
  readonly username?: string;
  readonly password?: string;
}

/** Takes user and password out of a URL; undefined where the parser cannot tell them for certain, or a % encodes nothing. */
export function splitUrl(text: string): SplitUrl | undefined {
  const url = parseUrl(text);
  if (url === undefined || hasAtBehindHost(url)) return undefined;
  try {
    const [username, password] = [url.username, url.password].map(decodeURIComponent);
    if (!username && !password) return { bare: text };
    url.username = "";
    url.password = "";
    return { bare: url.href, ...(username && { username }), ...(password && { password }) };
  } catch {
    return undefined;
  }
}

/** Whether a parsed URL holds an @ behind its host: what stands before it was meant as user and password. */
export function hasAtBehindHost({ pathname, search, hash }: URL): boolean {
  return `${pathname}${search}${hash}`.includes("@");
}

/** Free text (an error of a library, a log field) without private keys, authorization headers, and passwords of the URLs that it quotes. */
export function textWithoutSecrets(text: string): string {
  return withoutUrlUsers(text.replace(PEM, "…").replace(BEARER, "$1 …"));
}

const PEM = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g;
const BEARER = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/g;

/** A password may hold blanks, quotes and slashes, so all from the first :// to the last @ goes: rather too much than a part too little. */
function withoutUrlUsers(text: string): string {
  const scheme = text.indexOf("://");
  const at = Math.max(text.lastIndexOf("@"), text.toLowerCase().lastIndexOf("%40") + 2);
  return scheme < 0 || at < scheme + 3 ? text : `${text.slice(0, scheme + 3)}…@${text.slice(at + 1)}`;
}

/** The message of JSON.parse without the quoted text of the file that newer engines add. */
export function jsonFlaw(cause: unknown): string {
  const { message = "" } = cause as Partial<Error>;
  const place = message.lastIndexOf(" at position ");
  return place < 0 ? "not valid JSON" : `not valid JSON${message.slice(place)}`;
}

function parseUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.host ? url : undefined;
}

/** `mqtt://joe:12/34@host` parses, as host joe and port 12. An encoded @ counts as well. */
function isCutInTwo(url: URL): boolean {
  return hasAtBehindHost(url) || `${url.host}${url.pathname}${url.search}${url.hash}`.toLowerCase().includes("%40");
}
