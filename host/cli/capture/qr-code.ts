import qrcode from "qrcode-generator";

/** Modules of light around the code, which a scanner needs. */
const QUIET = 2;

/** A text as a QR code of half blocks: two modules per character. With colour it is dark on light, whatever the terminal's background. */
export function qrLines(text: string, hasColour: boolean): string[] {
  const code = qrcode(0, "L");
  code.addData(text);
  code.make();
  const size = code.getModuleCount();
  const isDark = (row: number, column: number): boolean =>
    row >= 0 && column >= 0 && row < size && column < size && code.isDark(row, column);
  const lines: string[] = [];
  for (let row = -QUIET; row < size + QUIET; row += 2) {
    let line = "";
    for (let column = -QUIET; column < size + QUIET; column++) {
      const [upper, lower] = [isDark(row, column) === hasColour, isDark(row + 1, column) === hasColour];
      line += upper ? (lower ? "█" : "▀") : lower ? "▄" : " ";
    }
    lines.push(hasColour ? `  \u001b[30;107m${line}\u001b[0m` : `  ${line}`);
  }
  return lines;
}
