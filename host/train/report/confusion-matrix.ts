import { coordinate, escapeXml, svg } from "./plot.ts";

const width = 360;
const charWidth = 5.6; // of the tick text

/** Counts [true class][said class] as tinted cells: the tint is the share of its row. Rows without a window are left out. */
export function confusionMatrix(confusion: readonly (readonly number[])[], labels: readonly string[]): string {
  const rows = confusion.map((counts, i) => ({ counts, label: labels[i]! })).filter(({ counts }) => counts.some((count) => count > 0));
  const longest = Math.max(...labels.map((label) => label.length), 4);
  const left = Math.min(110, 14 + longest * charWidth);
  const top = Math.min(96, 16 + longest * charWidth * 0.72);
  const cell = (width - left - 20) / Math.max(1, labels.length);
  const cellHeight = Math.max(18, Math.min(32, cell));
  const height = top + rows.length * cellHeight + 22;
  const heads = labels.map((label, column) => {
    const at = `${coordinate(left + (column + 0.5) * cell)} ${coordinate(top - 6)}`;
    return `<text class="tick" transform="translate(${at}) rotate(-45)">${escapeXml(label)}</text>`;
  });
  const body = rows.map(({ counts, label }, row) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    const y = top + row * cellHeight;
    const name = `<text class="tick" x="${coordinate(left - 6)}" y="${coordinate(y + cellHeight / 2)}" dy="0.35em" text-anchor="end">${escapeXml(label)}</text>`;
    const cells = counts.map((count, column) =>
      cellOf({ x: left + column * cell, y, width: cell, height: cellHeight }, count, count / total),
    );
    return name + cells.join("");
  });
  const foot = `<text class="name" x="${coordinate((left + width - 20) / 2)}" y="${coordinate(height - 4)}" text-anchor="middle">rows: truth, columns: said</text>`;
  return svg({ width, height }, "Confusion matrix", heads.join("") + body.join("") + foot);
}

function cellOf(box: { x: number; y: number; width: number; height: number }, count: number, share: number): string {
  const rect = `<rect class="cell" x="${coordinate(box.x + 0.5)}" y="${coordinate(box.y + 0.5)}" width="${coordinate(box.width - 1)}" height="${coordinate(box.height - 1)}" fill-opacity="${coordinate(0.04 + 0.96 * share)}"/>`;
  if (count === 0) return rect;
  const className = share > 0.5 ? "count on" : "count";
  return `${rect}<text class="${className}" x="${coordinate(box.x + box.width / 2)}" y="${coordinate(box.y + box.height / 2)}" dy="0.35em" text-anchor="middle">${count}</text>`;
}
