import type { GovernedDay, MinuteRow } from "../../../simulate/results.ts";
import { type Axis, axes, axisOver, polyline, roundTicks, shareAxis, svg } from "../../../train/report/plot.ts";
import { box, dayArea, hourAxis, legend, palette } from "./day-axis.ts";

const hoursOf = ({ atSeconds }: MinuteRow): number => atSeconds / 3600;
const BIN_SECONDS = 900;

/** Shown label over truth, minute by minute. */
export function activityRibbon({ rows }: GovernedDay, labels: readonly string[], hours: number): string {
  const area = { ...dayArea, height: 96 };
  const x = hourAxis(hours);
  const y: Axis = { label: "", low: 0, high: 2, ticks: [], text: String };
  const names = `<text class="tick" x="${area.left - 6}" y="30" text-anchor="end">says</text><text class="tick" x="${area.left - 6}" y="56" text-anchor="end">truth</text>`;
  return (
    svg(
      area,
      "What the agent said and what was true, over the day",
      axes(area, x, y) + names + lane((row) => row.label, 1.05, 1.95) + lane((row) => row.truth, 0.1, 0.95),
    ) + legend(labels, palette)
  );

  /** One box a run of minutes with the same label. */
  function lane(of: (row: MinuteRow) => string | undefined, low: number, high: number): string {
    const boxes: string[] = [];
    for (let i = 0; i < rows.length; ) {
      let end = i;
      while (end + 1 < rows.length && of(rows[end + 1]!) === of(rows[i]!)) end++;
      const label = of(rows[i]!);
      const from = i === 0 ? 0 : hoursOf(rows[i - 1]!);
      if (label !== undefined) boxes.push(box(area, x, y, [from, hoursOf(rows[end]!)], [low, high], colourOf(labels, label), label));
      i = end + 1;
    }
    return boxes.join("");
  }
}

function colourOf(labels: readonly string[], label: string): string {
  return palette[Math.max(0, labels.indexOf(label)) % palette.length]!;
}

export function batteryFigure({ rows }: GovernedDay, hours: number): string {
  const x = hourAxis(hours);
  const least = Math.min(...rows.map(({ stateOfCharge }) => stateOfCharge));
  const ticks = roundTicks(Math.min(least, 0.999), 1, 4);
  const y: Axis = { label: "", low: ticks[0]!, high: 1, ticks, text: (value) => `${Number((100 * value).toFixed(2))} %` };
  return svg(
    dayArea,
    "State of charge over the day",
    axes(dayArea, x, y) +
      polyline(
        dayArea,
        x,
        y,
        rows.map((row) => [hoursOf(row), row.stateOfCharge] as const),
        "line a",
      ),
  );
}

export function budgetFigure({ rows }: GovernedDay, hours: number): string {
  const x = hourAxis(hours);
  const y = shareAxis("");
  const levels = rows.map((row, i) =>
    row.level === 0 ? "" : box(dayArea, x, y, [i === 0 ? 0 : hoursOf(rows[i - 1]!), hoursOf(row)], [0, row.level / 4], "var(--band)"),
  );
  return svg(
    dayArea,
    "Fill of the budget over the day",
    axes(dayArea, x, y) +
      levels.join("") +
      polyline(
        dayArea,
        x,
        y,
        rows.map((row) => [hoursOf(row), row.budgetFill] as const),
        "line a",
      ),
  );
}

export function temperatureFigure({ rows }: GovernedDay, hours: number, limitCelsius: number): string {
  const x = hourAxis(hours);
  const y = axisOver(
    [...rows.flatMap(({ skinCelsius, ambientCelsius }) => [skinCelsius, ambientCelsius]), limitCelsius + 0.5],
    "",
    (value) => `${value} °C`,
  );
  const line = (of: (row: MinuteRow) => number, name: string): string =>
    polyline(
      dayArea,
      x,
      y,
      rows.map((row) => [hoursOf(row), of(row)] as const),
      name,
    );
  const limit = polyline(
    dayArea,
    x,
    y,
    [
      [0, limitCelsius],
      [hours, limitCelsius],
    ],
    "limit",
  );
  return svg(
    dayArea,
    "Skin and air temperature over the day",
    axes(dayArea, x, y) + line((row) => row.ambientCelsius, "faint") + line((row) => row.skinCelsius, "line b") + limit,
  );
}

/** Mean milliwatts of each part, stacked, a box a quarter of an hour. */
export function powerFigure({ rows }: GovernedDay, hours: number): string {
  const parts = ["sleep", "sensor", "compute", "radio", "load"] as const;
  const used = parts.filter((part) => (rows.at(-1)?.joules[part] ?? 0) > 0);
  const bins = binned(rows);
  const milliwatts = bins.map(({ first, last, seconds }) =>
    used.map((part) => (1000 * (last.joules[part] - (first?.joules[part] ?? 0))) / seconds),
  );
  const x = hourAxis(hours);
  const y = axisOver(
    milliwatts.map((values) => values.reduce((a, b) => a + b, 0)),
    "",
    (value) => `${value} mW`,
    0,
  );
  const boxes = bins.flatMap(({ from, to }, i) => {
    let low = 0;
    return milliwatts[i]!.map((value, part) => {
      const drawn = box(dayArea, x, y, [from, to], [low, low + value], palette[part]!, `${used[part]}: ${value.toPrecision(3)} mW`);
      low += value;
      return drawn;
    });
  });
  return svg(dayArea, "Power by part over the day", axes(dayArea, x, y) + boxes.join("")) + legend(used, palette);
}

/** Shares of the exits, stacked. */
export function exitsFigure({ rows }: GovernedDay, hours: number): string {
  const x = hourAxis(hours);
  const y = shareAxis("");
  const nExits = rows[0]?.exits.length ?? 0;
  const boxes = binned(rows).flatMap(({ from, to, all }) => {
    const counts = Array.from({ length: nExits }, (_, k) => all.reduce((sum, row) => sum + row.exits[k]!, 0));
    const total = Math.max(
      1,
      counts.reduce((a, b) => a + b, 0),
    );
    let low = 0;
    return counts.map((count, k) => {
      const drawn = box(dayArea, x, y, [from, to], [low, low + count / total], palette[k]!, `exit ${k + 1}: ${count}`);
      low += count / total;
      return drawn;
    });
  });
  const names = Array.from({ length: nExits }, (_, k) => `exit ${k + 1}`);
  return svg(dayArea, "Exits over the day", axes(dayArea, x, y) + boxes.join("")) + legend(names, palette);
}

/** Asks and audits a quarter of an hour; shaded where there was no coverage. */
export function asksFigure({ rows }: GovernedDay, hours: number): string {
  const x = hourAxis(hours);
  const sum = (all: readonly MinuteRow[], of: "asks" | "audits") => all.reduce((total, row) => total + row[of], 0);
  const bins = binned(rows).map((bin) => ({ ...bin, asks: sum(bin.all, "asks"), audits: sum(bin.all, "audits") }));
  const y = axisOver([...bins.map(({ asks, audits }) => asks + audits), 4], "", String, 0);
  const dark = rows.map((row, i) =>
    row.isUp ? "" : box(dayArea, x, y, [i === 0 ? 0 : hoursOf(rows[i - 1]!), hoursOf(row)], [0, y.high], "var(--band)", "no coverage"),
  );
  const bars = bins.map(({ from, to, asks, audits }) => {
    const across = [from, to - 0.02] as const;
    const asked = box(dayArea, x, y, across, [0, asks], palette[3], `${asks} asked`);
    return asked + box(dayArea, x, y, across, [asks, asks + audits], palette[1], `${audits} audited`);
  });
  const drawing = svg(dayArea, "Asks over the day", axes(dayArea, x, y) + dark.join("") + bars.join(""));
  return drawing + legend(["unsure: asked", "sure: audited"], [palette[3], palette[1]]);
}

function binned(rows: readonly MinuteRow[]) {
  const bins: { from: number; to: number; seconds: number; first: MinuteRow | undefined; last: MinuteRow; all: MinuteRow[] }[] = [];
  let all: MinuteRow[] = [];
  let first: MinuteRow | undefined;
  for (const [i, row] of rows.entries()) {
    all.push(row);
    const from = first?.atSeconds ?? 0;
    if (row.atSeconds - from < BIN_SECONDS && i + 1 < rows.length) continue;
    bins.push({ from: from / 3600, to: row.atSeconds / 3600, seconds: Math.max(1, row.atSeconds - from), first, last: row, all });
    first = row;
    all = [];
  }
  return bins;
}
