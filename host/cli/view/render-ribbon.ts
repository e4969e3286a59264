import { AMBER, LABEL_COLOURS, type Line, type Segment, type Style } from "./paint.ts";
import { type RibbonCell, ribbonCells, type ViewState } from "./view-state.ts";

export function labelColour(labels: readonly string[], label: string): number {
  const at = labels.indexOf(label);
  return at < 0 ? 245 : LABEL_COLOURS[at % LABEL_COLOURS.length]!;
}

/** A letter of its own for each label, for terminals without colour. */
export function labelLetters(labels: readonly string[]): ReadonlyMap<string, string> {
  const taken = new Set<string>();
  const letters = new Map<string, string>();
  for (const label of labels) {
    const letter = [..."abcdefghijklmnopqrstuvwxyz"].sort((a, b) => rank(label, a) - rank(label, b)).find((one) => !taken.has(one)) ?? "?";
    taken.add(letter);
    letters.set(label, letter);
  }
  return letters;
}

/** Letters of the label come first, in its order. */
function rank(label: string, letter: string): number {
  const at = label.indexOf(letter);
  return at < 0 ? 100 : at;
}

/** The last minute, newest at the right: asks, shown labels (light = unsure), and the truth if known. */
export function ribbonLines(state: ViewState, columns: number, hasColour: boolean): { asks: Line; says: Line; truth: Line | undefined } {
  const { info, ribbon } = state;
  const letters = labelLetters(info.labels);
  const total = ribbonCells(info);
  // Counted from the right, so that the newest decision is always there.
  const cellAt = (column: number): number => ribbon.length - 1 - Math.floor(((columns - 1 - column) * total) / columns);
  const asks: Segment[] = [];
  const says: Segment[] = [];
  const truth: Segment[] = [];
  for (let column = 0; column < columns; column++) {
    const index = cellAt(column);
    const cell = ribbon[index];
    const isAsked = ribbon.slice(Math.max(0, cellAt(column - 1) + 1), Math.max(0, index + 1)).some(({ isAsk }) => isAsk);
    asks.push(isAsked ? ["↑", AMBER] : [" "]);
    says.push(cell === undefined ? ["·", "dim"] : glyph(cell.label, cell.isSure));
    truth.push(cell?.truth === undefined ? [" "] : hasColour ? ["▀", "dim", ...colourOf(cell.truth)] : glyph(cell.truth, false));
  }
  return { asks: merged(asks), says: merged(says), truth: ribbon.some(hasTruth) ? merged(truth) : undefined };

  function glyph(label: string, isSure: boolean): Segment {
    if (hasColour) return [isSure ? "█" : "▒", ...colourOf(label)];
    const letter = letters.get(label) ?? "?";
    return [isSure ? letter.toUpperCase() : letter];
  }
  function colourOf(label: string): Style[] {
    return [labelColour(info.labels, label)];
  }
}

/** Those of the labels that the ribbon shows just now. */
export function shownLabels({ info, ribbon }: ViewState): string[] {
  return info.labels.filter((one) => ribbon.some(({ label, truth }) => label === one || truth === one));
}

/** What the colours (or letters) of the ribbon mean, those of `shown` alone, in as many lines as it takes. */
export function legend(labels: readonly string[], shown: readonly string[], columns: number, hasColour: boolean): Line[] {
  const letters = labelLetters(labels);
  const lines: Segment[][] = [[]];
  let used = 0;
  for (const label of shown) {
    const needs = label.length + 4;
    if (used > 0 && used + needs - 2 > columns) {
      lines.push([]);
      used = 0;
    }
    const mark: Segment = hasColour ? ["■ ", labelColour(labels, label)] : [`${letters.get(label)} `];
    lines.at(-1)!.push(mark, [`${label}  `, "dim"]);
    used += needs;
  }
  const [sure, unsure] = hasColour ? ["█ sure", "▒ unsure"] : ["CAPITAL sure", "small unsure"];
  if (used > 0 && used + sure!.length + unsure!.length + 2 > columns) lines.push([]);
  lines.at(-1)!.push([`${sure}  ${unsure}`, "dim"]);
  return lines;
}

function hasTruth({ truth }: RibbonCell): boolean {
  return truth !== undefined;
}

/** Neighbours of one style become one segment: far fewer escape codes. */
function merged(segments: readonly Segment[]): Line {
  const result: Segment[] = [];
  for (const [text, ...styles] of segments) {
    const last = result.at(-1);
    if (last !== undefined && last.slice(1).join() === styles.join()) result[result.length - 1] = [last[0] + text, ...styles];
    else result.push([text, ...styles]);
  }
  return result;
}
