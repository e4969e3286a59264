/** A text as the finders read it, and where each of its characters stands in the original. */
export interface FoldedText {
  readonly text: string;
  /** Offset in the original at which character i of `text` begins, and at which it ends. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/**
 * Folds what looks alike, so that a secret is found however it is written: compatibility forms (NFKC, per code point), digits of every
 * script, dashes and spaces; characters without width are left out.
 */
export function foldText(original: string): FoldedText {
  const parts: string[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  let at = 0;
  for (const character of original) {
    const end = at + character.length;
    const folded = fold(character);
    parts.push(folded);
    for (let i = 0; i < folded.length; i++) {
      starts.push(at);
      ends.push(end);
    }
    at = end;
  }
  return { text: parts.join(""), starts, ends };
}

/** Formats (zero-width, bidirectional), variation selectors and the enclosing keycap. */
const WIDTHLESS = /\p{Cf}|[\u{fe00}-\u{fe0f}]|\u{20e3}/u;

function fold(character: string): string {
  if (character >= " " && character <= "~") return character;
  if (WIDTHLESS.test(character)) return "";
  if (/\p{Pd}|\u2212/u.test(character)) return "-";
  if (/\p{Zs}/u.test(character)) return " ";
  return [...character.normalize("NFKC")].map((one) => (/\p{Nd}/u.test(one) ? digit(one.codePointAt(0)!) : one)).join("");
}

/** Decimal digits come in runs of ten. */
function digit(codePoint: number): string {
  let zero = codePoint;
  while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--;
  return String((codePoint - zero) % 10);
}
