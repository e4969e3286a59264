import { coordinate, escapeXml } from "./markup.ts";
import { type Mark, type Scale, text } from "./plot.ts";

/** Colour classes of the style sheet, each with a light and a dark value. */
export type Colour = "s0" | "s1" | "s2" | "s3" | "s4" | "s5" | "s6" | "s7" | "limit" | "soft" | "tint" | "hatch";
/** Colours of series, in order. */
export const seriesColours = ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"] as const satisfies readonly Colour[];

/** The colour of series number `index`; eight are told apart. */
export function seriesColour(index: number): Colour {
  return seriesColours[Math.max(0, index) % seriesColours.length]!;
}

export type Point = readonly [x: number, y: number];
export type Range = readonly [low: number, high: number];

/** User units of a stacked box that is high enough for a gap of one to the box above it. */
const LEAST_GAPPED = 3;

/** A line through points; dashed for limits and comparisons. */
export function line(points: readonly Point[], colour: Colour, style: "" | "dash" | "pale" = ""): Mark {
  const className = ["line", colour, style].filter((name) => name !== "").join(" ");
  return ({ x, y }) => {
    const at = points.map(([px, py]) => `${coordinate(x(px))},${coordinate(y(py))}`);
    return at.length === 0 ? "" : `<polyline class="${className}" points="${at.join(" ")}"/>`;
  };
}

/** A dashed level line across the plot. */
export function level(value: number, colour: Colour = "limit"): Mark {
  return (at) => line([[at.xAxis.low, value] as const, [at.xAxis.high, value] as const], colour, "dash")(at);
}

/** A dashed upright line at an x value; hovering shows `title`. */
export function upright(value: number, title: string, colour: Colour = "limit"): Mark {
  return ({ area, x }) => {
    const at = coordinate(x(value));
    return `<line class="line dash ${colour}" x1="${at}" x2="${at}" y1="${area.top}" y2="${area.height - area.bottom}">${titled(title)}</line>`;
  };
}

/** A horizontal line from one x value to another, at y: one deviation around a mean. */
export function span([from, to]: Range, value: number, colour: Colour): Mark {
  return ({ x, y }) => {
    const at = coordinate(y(value));
    return `<line class="line ${colour}" x1="${coordinate(x(from))}" x2="${coordinate(x(to))}" y1="${at}" y2="${at}"/>`;
  };
}

/** A dot; hovering shows `title`. */
export function dot([px, py]: Point, colour: Colour, title: string, radius = 3.5, style: "" | "bubble" = ""): Mark {
  const className = style === "" ? `fill ${colour}` : `fill ${style} ${colour}`;
  return ({ x, y }) =>
    `<circle class="${className}" cx="${coordinate(x(px))}" cy="${coordinate(y(py))}" r="${coordinate(radius)}">${titled(title)}</circle>`;
}

/** A ring around a point that stands out. */
export function ring([px, py]: Point, radius: number): Mark {
  return ({ x, y }) => `<circle class="ring" cx="${coordinate(x(px))}" cy="${coordinate(y(py))}" r="${coordinate(radius)}"/>`;
}

/** A text that is moved by (right, down) user units from a point. */
export function label(
  [px, py]: Point,
  content: string,
  anchor: "start" | "middle" | "end",
  [right, down]: Point = [0, 0],
  className: "tick" | "small" = "tick",
): Mark {
  return ({ x, y }) => text(x(px) + right, y(py) + down, content, anchor, className);
}

/** A bar of a histogram from the foot up to `value`, at least a hair high; hollow at opacity 0. */
export function bar([low, high]: Range, value: number, colour: Colour, title: string, opacity: number): Mark {
  return ({ x, y, yAxis }) => {
    const [left, top] = [x(low) + 0.75, y(value)];
    const height = Math.max(1, y(yAxis.low) - top);
    const at = `x="${coordinate(left)}" y="${coordinate(top)}" width="${coordinate(x(high) - 0.75 - left)}" height="${coordinate(height)}"`;
    const className = `bar fill ${colour}${opacity === 0 ? " few" : ""}`;
    return `<rect class="${className}" ${at} fill-opacity="${coordinate(opacity)}">${titled(title)}</rect>`;
  };
}

/** A text left of the axis, at the height of a y value: the name of a lane. */
export function laneName(value: number, content: string): Mark {
  return ({ area, y }) =>
    `<text class="tick" x="${area.left - 6}" y="${coordinate(y(value))}" dy="0.35em" text-anchor="end">${escapeXml(content)}</text>`;
}

/** Boxes over the whole height of the plot, for stretches in which something was missing. */
export function bands(stretches: readonly Range[], colour: Colour, title: string): Mark {
  return (at) => stretches.map((xs) => boxSvg(at, xs, [at.yAxis.low, at.yAxis.high], colour, title, false)).join("");
}

/** One bin of stacked bars: values from the bottom up. */
export interface Stack {
  readonly range: Range;
  readonly values: readonly number[];
}

/** Bars of several series on top of each other. `titleOf` describes a box: its series and its value. */
export function stackedBars(
  stacks: readonly Stack[],
  colours: readonly Colour[],
  titleOf: (series: number, value: number) => string,
): Mark {
  return (at) =>
    stacks
      .flatMap(({ range, values }) => {
        let low = 0;
        return values.map((value, series) => {
          const drawn = boxSvg(at, range, [low, low + value], colours[series]!, titleOf(series, value), true);
          low += value;
          return drawn;
        });
      })
      .join("");
}

/** A run of one name on a ribbon. */
export interface Run {
  readonly range: Range;
  readonly name: string;
}

/** A lane of runs, coloured by name: labels or levels over time. */
export function ribbon(runs: readonly Run[], lane: Range, colourOf: (name: string) => Colour): Mark {
  return (at) => runs.map(({ range, name }) => boxSvg(at, range, lane, colourOf(name), name, false)).join("");
}

/** A filled box between two x and two y values. A stacked one leaves a gap to the box above it. */
function boxSvg(at: Scale, [x0, x1]: Range, [y0, y1]: Range, colour: Colour, title: string, isStacked: boolean): string {
  const left = at.x(x0);
  const full = Math.max(0, at.y(y0) - at.y(y1));
  const height = isStacked && full >= LEAST_GAPPED ? full - 1 : full;
  if (height === 0) return "";
  const width = Math.max(0.2, at.x(x1) - left);
  const where = `x="${coordinate(left)}" y="${coordinate(at.y(y0) - height)}" width="${coordinate(width)}" height="${coordinate(height)}"`;
  return `<rect class="fill ${colour}" ${where}>${titled(title)}</rect>`;
}

function titled(title: string): string {
  return `<title>${escapeXml(title)}</title>`;
}
