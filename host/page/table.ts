import { escapeXml } from "./markup.ts";

/** Which value of a column is the best one. */
export type Best = "highest" | "lowest";

/** A table of text cells. The first cell of each row is its name. */
export interface Table {
  readonly head?: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly best?: readonly (Best | undefined)[]; // by column; its best cells are marked
}

/** The table as HTML. On a phone each row becomes a block of "head: cell" lines, so that nothing is wider than the window. */
export function htmlTable({ head, rows, best = [] }: Table): string {
  const marked = rows.map(() => new Set<number>());
  for (const [column, wanted] of best.entries())
    if (wanted !== undefined) for (const row of bestRows(rows, column, wanted)) marked[row]!.add(column);
  const cell = (text: string, column: number, row: number): string => {
    const name = head?.[column] ?? "";
    const data = name === "" ? "" : ` data-head="${escapeXml(name)}"`;
    if (column === 0) return `<th scope="row"${data}>${escapeXml(text)}</th>`;
    return `<td${marked[row]!.has(column) ? ' class="best"' : ""}${data}><span>${escapeXml(text)}</span></td>`;
  };
  const body = rows.map((row, i) => `<tr>${row.map((text, column) => cell(text, column, i)).join("")}</tr>`);
  if (head === undefined) return `<table class="pairs"><tbody>${body.join("")}</tbody></table>`;
  const heads = head.map((text) => (text === "" ? "<td></td>" : `<th scope="col">${escapeXml(text)}</th>`));
  return `<table class="grid-table"><thead><tr>${heads.join("")}</tr></thead><tbody>\n${body.join("\n")}\n</tbody></table>`;
}

/** Rows whose cell of a column holds its best number; none if all rows are equal or there is only one. */
export function bestRows(rows: readonly (readonly string[])[], column: number, wanted: Best): number[] {
  const values = rows.map((row) => Number.parseFloat((row[column] ?? "").replaceAll(",", "")));
  const known = values.filter((value) => !Number.isNaN(value));
  const best = wanted === "highest" ? Math.max(...known) : Math.min(...known);
  const found = values.flatMap((value, row) => (value === best ? [row] : []));
  return found.length === known.length ? [] : found;
}
