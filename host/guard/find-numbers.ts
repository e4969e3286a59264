import { isIPv4, isIPv6 } from "node:net";
import { ibanLength, isIban, isLuhn } from "./checksums.ts";
import { type Finding, type Kind, matches } from "./finding.ts";

const EMAIL = /[\p{L}\p{M}\p{N}._%+'-]{1,64} ?@ ?[\p{L}\p{M}\p{N}-]{1,63}(?:\.[\p{L}\p{M}\p{N}-]{1,63}){0,8}/gu;
/** `john at example dot com`, `john(at)example.com`. */
const SPOKEN_EMAIL =
  /[\p{L}\p{N}._%+-]{1,64}(?: at | ?[([{]at[)\]}] ?)[\p{L}\p{N}-]{1,63}(?:(?: dot | ?[([{]dot[)\]}] ?)[\p{L}\p{N}-]{1,63}){1,5}|[\p{L}\p{N}._%+-]{1,64} ?[([{]at[)\]}] ?[\p{L}\p{N}.-]{1,128}/giu;
/** Seven digits or more with at most three separators between two of them. */
const DIGITS = /[+(]{0,2}\d(?:[ ()./-]{0,3}\d){6,63}(?:,? ?(?:x|#|ext\.?|extension) ?\d{1,6})?/gi;
/** The same for a card that somebody wrote with any other separators. */
const GROUPS = /\d{2,6}(?:[^\p{L}\p{N}]{1,3}\d{2,6}){1,7}/gu;
const ISO_DATE = /(?<!\d[-./ ]?)\d{4}-(?:0?[1-9]|1[0-2])-(?:0?[1-9]|[12]\d|3[01])(?![-./ ]?\d{3})(?!\d)/g;
const DATE = /(?<!\d[-./ ]?)(?:0?[1-9]|[12]\d|3[01])[./-](?:0?[1-9]|[12]\d|3[01])[./-](?:19|20)\d\d(?![-./ ]?\d{3})(?!\d)/g;
const MAC = /(?<![\dA-Fa-f])(?:[\dA-Fa-f]{2}[:-]){5}[\dA-Fa-f]{2}(?![\dA-Fa-f])/g;
const ADDRESS = /[\dA-Fa-f:.]{2,45}/g;
const PAIR = /(?<![\d.])[-+]?\d{1,3}\.\d{3,12} ?°? ?[NnSs]?[ ,;/]{1,3}[-+]?\d{1,3}\.\d{3,12}(?: ?°? ?[EeWwOo](?!\p{L}))?/gu;
const DEGREES =
  /[-+]?\d{1,3}(?:\.\d{1,12})? ?° ?(?:\d{1,2}(?:\.\d{1,10})? ?['′’] ?)?(?:\d{1,2}(?:\.\d{1,10})? ?(?:["″”]|'') ?)?[NSEWO](?![\p{L}])/giu;
const LETTERED = /(?<![\d.])\d{1,3}\.\d{1,12} ?[NS](?!\p{L})[ ,;/]{1,3}\d{1,3}\.\d{1,12} ?[EWO](?!\p{L})/giu;
const NAMED = /\b(?:lat|latitude|lon|lng|long|longitude)\b(?: is| of)?[ :=]{0,3}[-+]?\d{1,3}\.\d{1,12}/giu;

/** E-mail addresses, cards, IBANs, telephone numbers, IP addresses, coordinates; and any other number of seven digits that is no date. */
export function findNumbers(text: string): Finding[] {
  return [
    ...matches("EMAIL", EMAIL, text),
    ...matches("EMAIL", SPOKEN_EMAIL, text),
    ...findIbans(text),
    ...findDigits(text),
    ...matches("CARD", GROUPS, text, (found) => kindOf(found) === "CARD"),
    ...matches("IP", MAC, text),
    ...findAddresses(text),
    ...[PAIR, DEGREES, LETTERED, NAMED].flatMap((pattern) => matches("PLACE", pattern, text)),
  ];
}

function findIbans(text: string): Finding[] {
  const found: Finding[] = [];
  for (const { index } of text.matchAll(/(?<![A-Za-z\d])[A-Za-z]{2}\d{2}/g)) {
    const wanted = ibanLength(text.slice(index, index + 2));
    let iban = "";
    for (let at = index; at < text.length && iban.length < wanted; at++) {
      const character = text[at]!;
      if (/[A-Za-z\d]/.test(character)) iban += character;
      else if (!/[ .-]/.test(character)) break;
      if (iban.length === wanted && isIban(iban)) found.push({ kind: "IBAN", start: index, end: at + 1 });
    }
  }
  return found;
}

function findDigits(text: string): Finding[] {
  const masked = [ISO_DATE, DATE].reduce((left, date) => left.replace(date, (found) => "_".repeat(found.length)), text);
  return [...masked.matchAll(DIGITS)].map((match) => ({
    kind: kindOf(match[0]),
    start: match.index,
    end: match.index + match[0].length,
  }));
}

function kindOf(written: string): Kind {
  const digits = written.replace(/[x#e].*|\D/giu, "");
  if (digits.length >= 12 && digits.length <= 19 && isLuhn(digits)) return "CARD";
  return digits.length <= 15 ? "PHONE" : "NUMBER";
}

function findAddresses(text: string): Finding[] {
  const found: Finding[] = [];
  for (const match of text.matchAll(ADDRESS)) {
    const written = match[0].replace(/^[.]+|[.]+$/g, "");
    const start = match.index + match[0].indexOf(written);
    const isWhole = !/[\p{L}\p{N}]/u.test(text[start - 1] ?? "") && !/[\p{L}\p{N}]/u.test(text[start + written.length] ?? "");
    const bare = written.replace(/(?<!:):$/, "");
    if (isWhole && (isV6(bare) || isIPv4(bare) || isIPv4(bare.replace(/:\d{1,5}$/, ""))))
      found.push({ kind: "IP", start, end: start + bare.length });
  }
  return found;
}

/** `::` alone is no address of anybody. */
function isV6(written: string): boolean {
  return isIPv6(written) && /[\dA-Fa-f]/.test(written);
}
