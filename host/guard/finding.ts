/** What a piece of text is; kinds that come first win where two overlap. Also the name in its placeholder. */
export const KINDS = ["TEXT", "EMAIL", "IBAN", "IP", "PLACE", "CARD", "PHONE", "NUMBER", "STREET", "NAME"] as const;
export type Kind = (typeof KINDS)[number];

/** A piece of a text that must not leave: offsets of its first character and behind its last. */
export interface Finding {
  readonly kind: Kind;
  readonly start: number;
  readonly end: number;
}

/** Every match of a global pattern that passes a check. */
export function matches(kind: Kind, pattern: RegExp, text: string, isRight: (found: string) => boolean = () => true): Finding[] {
  const found: Finding[] = [];
  for (const match of text.matchAll(pattern)) {
    if (isRight(match[0])) found.push({ kind, start: match.index, end: match.index + match[0].length });
  }
  return found;
}
