/** Characters that are read of a question; what follows is cut. */
export const MAX_READ_CHARS = 4096;
/** Behind the last character that is read: a number or name that is cut in two could not be recognised any more. */
const MARGIN_CHARS = 128;

/** A question as it is classified and scrubbed, and what was done to it. */
export type ReadQuestion =
  | { readonly ok: true; readonly text: string; readonly notes: readonly string[] }
  | { readonly ok: false; readonly flaw: string };

/**
 * Makes any string a question: control characters and lone surrogates, which no payload carries, and bidirectional marks are taken out,
 * more than MAX_READ_CHARS is cut. Says what it did; a text without a letter or digit is none.
 */
export function readQuestion(given: string): ReadQuestion {
  const notes: string[] = [];
  const isLong = given.length > MAX_READ_CHARS + MARGIN_CHARS;
  const cut = isLong ? given.slice(0, MAX_READ_CHARS) : given;
  if (isLong) notes.push(`only the first ${MAX_READ_CHARS} of ${given.length} characters were read`);
  const text = cut
    .replace(UNFIT, "")
    .replace(/\p{White_Space}+/gu, " ")
    .trim();
  if (UNFIT.test(cut)) notes.push("control characters, lone surrogates or direction marks were left out");
  UNFIT.lastIndex = 0;
  if (/[\p{L}\p{N}]/u.test(text)) return { ok: true, text, notes };
  return { ok: false, flaw: text === "" ? "it is empty" : "it has no letter and no digit" };
}

/** Lone surrogates, controls but white space, and formats but the joiners of emoji and Persian. */
const UNFIT = /(?![\t\n\r\u200c\u200d])[\p{Cs}\p{Cc}\p{Cf}]/gu;
