/**
 * Characters that steer a terminal, end a line or hide or turn what is read: C0, DEL and C1, line and paragraph separators, and formats
 * (bidirectional overrides, tags). The joiners of emoji and of Persian are none of them.
 */
const STEERING = /(?!\u200c|\u200d)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Text for one line of a terminal or log, whoever wrote it: what steers stands there as \u001b. */
export function plainText(text: string): string {
  return text.replace(STEERING, escaped);
}

/** The same for text of several lines. */
export function plainLines(text: string): string {
  return text.split("\n").map(plainText).join("\n");
}

/** A value as one line of JSON. JSON.stringify leaves DEL, C1 and formats as they are; escaped, they are read back as the same. */
export function plainJson(value: unknown): string {
  return plainText(JSON.stringify(value));
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`).join("");
}
