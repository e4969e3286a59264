/** Three-row letters of box-drawing strokes, after the figlet font Calvin S. */
const GLYPHS: Readonly<Record<string, readonly [string, string, string]>> = {
  a: ["┌─┐", "├─┤", "┴ ┴"],
  b: ["┌┐ ", "├┴┐", "└─┘"],
  c: ["┌─┐", "│  ", "└─┘"],
  d: ["┌┬┐", " ││", "─┴┘"],
  e: ["┌─┐", "├┤ ", "└─┘"],
  f: ["┌─┐", "├┤ ", "└  "],
  g: ["┌─┐", "│ ┬", "└─┘"],
  h: ["┬ ┬", "├─┤", "┴ ┴"],
  i: ["┬", "│", "┴"],
  j: [" ┬", " │", "└┘"],
  k: ["┬┌─", "├┴┐", "┴ ┴"],
  l: ["┬  ", "│  ", "┴─┘"],
  m: ["┌┬┐", "│││", "┴ ┴"],
  n: ["┌┐┌", "│││", "┘└┘"],
  o: ["┌─┐", "│ │", "└─┘"],
  p: ["┌─┐", "├─┘", "┴  "],
  q: ["┌─┐ ", "│─┼┐", "└─┘└"],
  r: ["┬─┐", "├┬┘", "┴└─"],
  s: ["┌─┐", "└─┐", "└─┘"],
  t: ["┌┬┐", " │ ", " ┴ "],
  u: ["┬ ┬", "│ │", "└─┘"],
  v: ["┬  ┬", "└┐┌┘", " └┘ "],
  w: ["┬ ┬", "│││", "└┴┘"],
  x: ["─┐ ┬", "┌┴┬┘", "┴ └─"],
  y: ["┬ ┬", "└┬┘", " ┴ "],
  z: ["┌─┐", "┌─┘", "└─┘"],
  "-": ["  ", "──", "  "],
  "…": ["   ", "   ", "ooo"],
  " ": ["  ", "  ", "  "],
};

/** A word in letters three rows high, or undefined if a letter has no glyph or the word is wider than `columns`. */
export function bigLetters(word: string, columns: number): readonly string[] | undefined {
  const glyphs = [...word.toLowerCase()].map((letter) => GLYPHS[letter]);
  if (glyphs.length === 0 || glyphs.includes(undefined)) return undefined;
  const rows = [0, 1, 2].map((row) => glyphs.map((glyph) => glyph![row]).join(""));
  return [...rows[0]!].length <= columns ? rows : undefined;
}
