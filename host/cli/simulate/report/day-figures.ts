import { degradeLevels } from "../../../power/degrade.ts";
import { type Stretch, sensedOnly, stretchesOf } from "../../../simulate/course.ts";
import type { GovernedDay, MinuteRow } from "../../../simulate/results.ts";
import { type Axis, axes, axisOver, coordinate, escapeXml, polyline, shareAxis, svg, xOf } from "../../../train/report/plot.ts";
import { energyParts } from "../day-words.ts";
import { box, dayArea, hatch, hourAxis, legend, palette, tint } from "./day-axis.ts";

const hoursOf = ({ atSeconds }: MinuteRow): number => atSeconds / 3600;
const BIN_SECONDS = 900;

/** Stretches over the whole height of a picture. */
function bands(x: Axis, y: Axis, stretches: readonly Stretch[], fill: string, title: string, area = dayArea): string {
  return stretches.map(({ from, to }) => box(area, x, y, [from / 3600, to / 3600], [y.low, y.high], fill, title)).join("");
}

/** Shown label over truth, minute by minute. */
export function activityRibbon({ rows, aliveSeconds }: GovernedDay, labels: readonly string[], hours: number): string {
  const area = { ...dayArea, height: 96 };
  const x = hourAxis(hours);
  const y: Axis = { label: "", low: 0, high: 2, ticks: [], text: String };
  const names = `<text class="tick" x="${area.left - 6}" y="30" text-anchor="end">says</text><text class="tick" x="${area.left - 6}" y="56" text-anchor="end">truth</text>`;
  const empty = aliveSeconds < hours * 3600 ? [{ from: aliveSeconds, to: hours * 3600 }] : [];
  const silent = sensedOnly(rows);
  const missing = bands(x, y, silent, hatch, "sensed only", area) + bands(x, y, empty, tint, "battery empty", area);
  const marks = [
    ...(silent.length === 0 ? [] : [["sensed only: the energy budget was spent", hatch] as const]),
    ...(empty.length === 0 ? [] : [["battery empty", tint] as const]),
  ];
  const used = labels.filter((label) => rows.some((row) => row.label === label || row.truth === label));
  return (
    svg(
      area,
      "What the agent said and what was true, over the day",
      missing + axes(area, x, y) + names + lane((row) => row.label, 1.05, 1.95) + lane((row) => row.truth, 0.1, 0.95),
    ) +
    legend(
      [...used, ...marks.map(([name]) => name)],
      [...used.map((label) => colourOf(labels, label)), ...marks.map(([, colour]) => colour)],
    )
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
  const y = shareAxis("of the charge");
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

/** The bucket's fill, and below it a lane of the levels of degradation; a sentence where nothing was ever given up and it stayed full. */
export function budgetFigure({ rows }: GovernedDay, hours: number): string {
  const least = rows.reduce((low, { budgetFill }) => Math.min(low, budgetFill), 1);
  if (least > 0.99 && rows.every(({ level }) => level === 0))
    return `<p class="plain">Never below ${Math.floor(100 * least)} % full: nothing was given up.</p>`;
  const x = hourAxis(hours);
  const y = shareAxis("fill");
  const fill = svg(
    dayArea,
    "Fill of the budget over the day",
    axes(dayArea, x, y) +
      polyline(
        dayArea,
        x,
        y,
        rows.map((row) => [hoursOf(row), row.budgetFill] as const),
        "line a",
      ),
  );
  const area = { ...dayArea, height: 52, top: 4 };
  const lane: Axis = { label: "", low: 0, high: 1, ticks: [], text: String };
  const used = degradeLevels.map((name, level) => ({ name, colour: palette[levelColours[level]!]!, level }));
  const found = used.filter(({ level }) => rows.some((row) => row.level === level));
  const boxes = found.map(({ name, colour, level }) =>
    bands(
      x,
      lane,
      stretchesOf(rows, (row) => row.level === level),
      colour,
      name,
      area,
    ),
  );
  const title = `<text class="tick" x="${area.left - 6}" y="17" text-anchor="end">level</text>`;
  return (
    fill +
    svg(area, "Level of degradation over the day", axes(area, x, lane) + title + boxes.join("")) +
    legend(
      found.map(({ name }) => name),
      found.map(({ colour }) => colour),
    )
  );
}
/** Of each level of degradation, from teal (full) to red (sense-only). */
const levelColours = [0, 3, 2, 1, 7] as const;

export function temperatureFigure({ rows }: GovernedDay, hours: number, limitCelsius: number): string {
  const x = hourAxis(hours);
  const y = axisOver(
    [...rows.flatMap(({ skinCelsius, ambientCelsius }) => [skinCelsius, ambientCelsius]), limitCelsius + 0.5],
    "",
    (value) => `${value} °C`,
  );
  const names = ["skin side of the device", "air", `limit ${limitCelsius} °C`];
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
  return (
    svg(
      dayArea,
      "Skin and air temperature over the day",
      axes(dayArea, x, y) + line((row) => row.ambientCelsius, "faint") + line((row) => row.skinCelsius, "line b") + limit,
    ) + legend(names, ["var(--b)", "var(--faint)", "var(--limit)"])
  );
}

/** Mean milliwatts of each part, stacked, a box a quarter of an hour. A load dwarfs the agent's own parts, so these come first, alone. */
export function powerFigure(day: GovernedDay, hours: number): string {
  const used = energyParts.filter((part) => day.joules[part] > 0);
  const own = used.filter((part) => part !== "load");
  const all = stackedPower(day, hours, used, "Power by part over the day");
  return own.length === used.length ? all : stackedPower(day, hours, own, "Power of the agent's own parts over the day") + all;
}

function stackedPower({ rows }: GovernedDay, hours: number, parts: readonly (typeof energyParts)[number][], title: string): string {
  const bins = binned(rows);
  const milliwatts = bins.map(({ first, last, seconds }) =>
    parts.map((part) => (1000 * (last.joules[part] - (first?.joules[part] ?? 0))) / seconds),
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
      const text = `${parts[part]}: ${value.toPrecision(3)} mW`;
      const drawn = box(dayArea, x, y, [from, to], [low, low + value], partColours[parts[part]!], text, true);
      low += value;
      return drawn;
    });
  });
  return (
    svg(dayArea, title, axes(dayArea, x, y) + boxes.join("")) +
    legend(
      parts,
      parts.map((part) => partColours[part]),
    )
  );
}
const partColours = { compute: palette[2], radio: palette[3], sensor: palette[1], sleep: palette[0], load: palette[6] } as const;

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
      const drawn = box(dayArea, x, y, [from, to], [low, low + count / total], palette[k]!, `exit ${k + 1}: ${count}`, true);
      low += count / total;
      return drawn;
    });
  });
  const names = Array.from({ length: nExits }, (_, k) => `exit ${k + 1}`);
  return svg(dayArea, "Exits over the day", axes(dayArea, x, y) + boxes.join("")) + legend(names, palette);
}

/** Decisions that were unsure, asked or not, and audits a quarter of an hour; where there was no coverage, or no allowance, is marked. */
export function asksFigure({ rows }: GovernedDay, hours: number): string {
  const x = hourAxis(hours);
  const series = [
    { of: "asks", name: "unsure: asked", colour: palette[3] },
    { of: "notAsked", name: "unsure: not asked", colour: palette[6] },
    { of: "audits", name: "sure: audited", colour: palette[1] },
  ] as const;
  const bins = binned(rows).map((bin) => ({
    ...bin,
    counts: series.map(({ of }) => bin.all.reduce((total, row) => total + row[of], 0)),
  }));
  const y = axisOver([...bins.map(({ counts }) => counts.reduce((a, b) => a + b, 0)), 4], "decisions", String, 0);
  const uncovered = stretchesOf(rows, ({ isUp }) => !isUp);
  const spent = stretchesOf(rows, ({ isAllowanceSpent }) => isAllowanceSpent);
  const bars = bins.map(({ from, to, counts }) => {
    let low = 0;
    return series
      .map(({ name, colour }, i) => {
        const drawn = box(dayArea, x, y, [from, to - 0.1 * (to - from)], [low, low + counts[i]!], colour, `${name}: ${counts[i]}`, true);
        low += counts[i]!;
        return drawn;
      })
      .join("");
  });
  const ends = spent.map(({ from }) => {
    const at = coordinate(xOf(dayArea, x, from / 3600));
    return `<line class="limit" x1="${at}" x2="${at}" y1="${dayArea.top}" y2="${dayArea.height - dayArea.bottom}"><title>${escapeXml("the allowance for asks was spent")}</title></line>`;
  });
  const marks = [
    ...(uncovered.length === 0 ? [] : [["no coverage", tint] as const]),
    ...(spent.length === 0 ? [] : [["the allowance for asks was spent", "var(--limit)"] as const]),
  ];
  const drawing = svg(
    dayArea,
    "Asks over the day",
    bands(x, y, uncovered, tint, "no coverage") + axes(dayArea, x, y) + bars.join("") + ends.join(""),
  );
  return (
    drawing +
    legend(
      [...series.map(({ name }) => name), ...marks.map(([name]) => name)],
      [...series.map(({ colour }) => colour), ...marks.map(([, colour]) => colour)],
    )
  );
}

/** Rows by quarters of an hour; what is left at the end and shorter than half of one belongs to the last. */
function binned(rows: readonly MinuteRow[]) {
  const end = rows.at(-1)?.atSeconds ?? 0;
  const bins: { from: number; to: number; seconds: number; first: MinuteRow | undefined; last: MinuteRow; all: MinuteRow[] }[] = [];
  let all: MinuteRow[] = [];
  let first: MinuteRow | undefined;
  for (const [i, row] of rows.entries()) {
    all.push(row);
    const from = first?.atSeconds ?? 0;
    const isWhole = row.atSeconds - from >= BIN_SECONDS && end - row.atSeconds >= BIN_SECONDS / 2;
    if (!isWhole && i + 1 < rows.length) continue;
    bins.push({ from: from / 3600, to: row.atSeconds / 3600, seconds: row.atSeconds - from, first, last: row, all });
    first = row;
    all = [];
  }
  return bins;
}
