import { percentText } from "../core/system/table.ts";
import { coordinate, escapeXml } from "./markup.ts";
import { svg, text } from "./plot.ts";

const LEAST_WIDTH = 360; // user units, margins included
const CHARACTER_WIDTH = 5.6; // of the tick text, user units
const LONGEST_LABEL = 24; // characters; a longer one ends in …
const LEAST_CELL = 16; // narrower cells would make the slanting heads overlap
const RECALL_WIDTH = 42; // of "97.3 %" beside the matrix
const SLOPE = Math.SQRT1_2; // column heads stand at 45°

/**
 * A confusion matrix: counts [true class][predicted class] as tinted cells. The tint is the share of its row; the last column is the
 * recall. Rows without a window are left out. A count too wide for its cell is shown on hovering alone.
 */
export function confusionMatrix(confusion: readonly (readonly number[])[], labels: readonly string[]): string {
  const rows = confusion.map((counts, truth) => ({ counts, truth })).filter(({ counts }) => counts.some((count) => count > 0));
  const heads = labels.map((label) => (label.length > LONGEST_LABEL ? `${label.slice(0, LONGEST_LABEL - 1)}…` : label));
  const labelWidth = CHARACTER_WIDTH * Math.max(...heads.map((head) => head.length), 4);
  const [left, top] = [14 + labelWidth, 18 + labelWidth * SLOPE];
  const right = Math.max(RECALL_WIDTH, labelWidth * SLOPE); // room for the last head, which leans over the edge
  const cell = Math.max(LEAST_CELL, (LEAST_WIDTH - left - right) / Math.max(1, labels.length));
  const cellHeight = Math.max(16, Math.min(32, cell));
  const [width, height] = [left + cell * labels.length + right, top + rows.length * cellHeight + 22];
  const headTexts = heads.map((head, column) => {
    const at = `${coordinate(left + (column + 0.5) * cell)} ${coordinate(top - 6)}`;
    return `<text class="tick" transform="translate(${at}) rotate(-45)">${escapeXml(head)}</text>`;
  });
  const body = rows.map(({ counts, truth }, row) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    const y = top + row * cellHeight;
    const middle = y + cellHeight / 2 + 4;
    const cells = counts.map((count, column) =>
      cellSvg(
        { x: left + column * cell, y, width: cell, height: cellHeight },
        count,
        count / total,
        `${labels[truth]}, predicted ${labels[column]}`,
      ),
    );
    const recall = percentText(counts[truth]! / total, 1).replace(".0 ", " ");
    return text(left - 6, middle, heads[truth]!, "end") + cells.join("") + text(left + cell * labels.length + 6, middle, recall, "start");
  });
  const foot = text(width / 2, height - 4, "rows: truth and recall; columns: prediction", "middle", "name");
  return svg({ width: Math.ceil(width), height: Math.ceil(height) }, "Confusion matrix", headTexts.join("") + body.join("") + foot);
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function cellSvg({ x, y, width, height }: Box, count: number, share: number, name: string): string {
  const at = `x="${coordinate(x + 0.5)}" y="${coordinate(y + 0.5)}" width="${coordinate(width - 1)}" height="${coordinate(height - 1)}"`;
  const rect = `<rect class="cell fill s0" ${at} fill-opacity="${coordinate(0.04 + 0.96 * share)}"`;
  if (count === 0) return `${rect}/>`;
  const hovered = `${rect}><title>${escapeXml(`${name}: ${count}`)}</title></rect>`;
  if (String(count).length * CHARACTER_WIDTH + 2 > width) return hovered;
  return hovered + text(x + width / 2, y + height / 2 + 4, String(count), "middle", share > 0.5 ? "count on" : "count");
}
