import { plainText } from "../../core/system/plain-text.ts";

/** How a piece of text looks: dim, bold, or a colour of the 256-colour palette. */
export type Style = "dim" | "bold" | number;
/** A piece of text and its styles. Glyphs are one column wide. */
export type Segment = readonly [text: string, ...styles: Style[]];
/** A line before it is cut to the terminal's width and painted. */
export type Line = readonly Segment[];

/** Colours of the 256-colour palette that stand out (contrast 3 or more) on white and on black, because the background is unknown. */
export const GREEN = 29;
export const AMBER = 136;
export const RED = 167;
/** One calm colour a label, then again from the first. */
export const LABEL_COLOURS: readonly number[] = [GREEN, AMBER, 166, 68, 98, 245, 168, 100];

/** Whether to colour, after no-color.org: NO_COLOR set and not empty means no. */
export function wantsColour(env: Readonly<Record<string, string | undefined>>): boolean {
  return (env.NO_COLOR ?? "") === "";
}

/** Columns that a line takes. */
export function measureWidth(line: Line): number {
  return line.reduce((sum, [text]) => sum + [...text].length, 0);
}

/** `left` and `right` at the two edges; `right` is left out if both do not fit. */
export function spread(left: Line, right: Line, columns: number): Line {
  const space = columns - measureWidth(left) - measureWidth(right);
  return space < 1 ? left : [...left, [" ".repeat(space)], ...right];
}

/** Cuts a line at `columns` (the last column becomes …) and adds escape codes, or none; those in its text are shown, not interpreted. */
export function paintLine(raw: Line, columns: number, hasColour: boolean): string {
  const line = raw.map(([text, ...styles]): Segment => [plainText(text), ...styles]);
  let left = columns;
  let text = "";
  const isCut = measureWidth(line) > columns;
  for (const [piece, ...styles] of line) {
    if (left <= 0) break;
    const glyphs = [...piece];
    const fits = glyphs.length < left || (glyphs.length === left && !isCut);
    const shown = fits ? piece : `${glyphs.slice(0, left - 1).join("")}…`;
    left -= fits ? glyphs.length : left;
    text += hasColour ? withCodes(shown, styles) : shown;
  }
  return hasColour ? text : text.trimEnd();
}

function withCodes(text: string, styles: readonly Style[]): string {
  if (styles.length === 0 || text.trim() === "") return text;
  const codes = styles.map((style) => (style === "dim" ? "2" : style === "bold" ? "1" : `38;5;${style}`));
  return `\u001b[${codes.join(";")}m${text}\u001b[0m`;
}
