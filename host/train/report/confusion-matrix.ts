import { coordinate, escapeXml, svg } from "./plot.ts";

const least = 360; // units wide, the margins included
const charWidth = 5.6; // of the tick text
const longestLabel = 24; // characters; the rest of a longer one is …
const leastCell = 16; // slanting heads nearer than that run into each other
const recallWidth = 42; // of "97.3 %" beside the matrix
const slope = Math.SQRT1_2; // the heads stand at 45°

/**
 * Counts [true class][said class] as tinted cells: the tint is the share of its row, the last column its recall. Rows without a window
 * are left out; a count that does not fit into its cell is shown on hover only.
 */
export function confusionMatrix(confusion: readonly (readonly number[])[], labels: readonly string[]): string {
  const rows = confusion.map((counts, own) => ({ counts, own })).filter(({ counts }) => counts.some((count) => count > 0));
  const texts = labels.map((label) => (label.length > longestLabel ? `${label.slice(0, longestLabel - 1)}…` : label));
  const label = charWidth * Math.max(...texts.map((text) => text.length), 4);
  const [left, top] = [14 + label, 18 + label * slope];
  const right = Math.max(recallWidth, label * slope); // the last head leans out over the edge
  const cell = Math.max(leastCell, (least - left - right) / Math.max(1, labels.length));
  const cellHeight = Math.max(16, Math.min(32, cell));
  const [width, height] = [left + cell * labels.length + right, top + rows.length * cellHeight + 22];
  const heads = texts.map((text, column) => {
    const at = `${coordinate(left + (column + 0.5) * cell)} ${coordinate(top - 6)}`;
    return `<text class="tick" transform="translate(${at}) rotate(-45)">${escapeXml(text)}</text>`;
  });
  const body = rows.map(({ counts, own }, row) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    const y = top + row * cellHeight;
    const textAt = (x: number, anchor: "start" | "end", text: string): string =>
      `<text class="tick" x="${coordinate(x)}" y="${coordinate(y + cellHeight / 2)}" dy="0.35em" text-anchor="${anchor}">${escapeXml(text)}</text>`;
    const cells = counts.map((count, column) =>
      cellOf(
        { x: left + column * cell, y, width: cell, height: cellHeight },
        count,
        count / total,
        `${labels[own]}, said ${labels[column]}`,
      ),
    );
    const recall = `${Number(((100 * counts[own]!) / total).toFixed(1))} %`;
    return textAt(left - 6, "end", texts[own]!) + cells.join("") + textAt(left + cell * labels.length + 6, "start", recall);
  });
  const foot = `<text class="name" x="${coordinate(width / 2)}" y="${coordinate(height - 4)}" text-anchor="middle">rows: truth, and the share found; columns: said</text>`;
  return svg({ width: Math.ceil(width), height: Math.ceil(height) }, "Confusion matrix", heads.join("") + body.join("") + foot);
}

function cellOf(box: { x: number; y: number; width: number; height: number }, count: number, share: number, name: string): string {
  const tint = `fill-opacity="${coordinate(0.04 + 0.96 * share)}"`;
  const rect = `<rect class="cell" x="${coordinate(box.x + 0.5)}" y="${coordinate(box.y + 0.5)}" width="${coordinate(box.width - 1)}" height="${coordinate(box.height - 1)}" ${tint}`;
  if (count === 0) return `${rect}/>`;
  const told = `${rect}><title>${escapeXml(`${name}: ${count}`)}</title></rect>`;
  if (String(count).length * charWidth + 2 > box.width) return told;
  const className = share > 0.5 ? "count on" : "count";
  return `${told}<text class="${className}" x="${coordinate(box.x + box.width / 2)}" y="${coordinate(box.y + box.height / 2)}" dy="0.35em" text-anchor="middle">${count}</text>`;
}
