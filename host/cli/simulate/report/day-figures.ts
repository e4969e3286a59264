import { numberText, percentText } from "../../../core/system/table.ts";
import { type Axis, axisOver, bareAxis, clockAxis, shareAxis } from "../../../page/axis.ts";
import { legend, sentence, unlessFlat } from "../../../page/figure.ts";
import {
  bands,
  type Colour,
  laneName,
  level,
  line,
  type Range,
  type Run,
  ribbon,
  seriesColour,
  stackedBars,
  upright,
} from "../../../page/marks.ts";
import { type Mark, plot, timeArea, wideArea } from "../../../page/plot.ts";
import { degradeLevels } from "../../../power/degrade.ts";
import { findStretches, type Stretch, sensedOnly } from "../../../simulate/course.ts";
import type { GovernedDay, MinuteRow } from "../../../simulate/results.ts";
import { energyParts } from "../day-words.ts";
import { binsOf } from "./day-bins.ts";

const hourOf = ({ atSeconds }: MinuteRow): number => atSeconds / 3600;
const rangesOf = (stretches: readonly Stretch[]): Range[] => stretches.map(({ from, to }) => [from / 3600, to / 3600] as const);

/** A line of one value per minute. */
function minuteLine(rows: readonly MinuteRow[], of: (row: MinuteRow) => number, colour: Colour): Mark {
  return line(
    rows.map((row) => [hourOf(row), of(row)] as const),
    colour,
  );
}

/** Runs of minutes with the same name. */
function runsOf(rows: readonly MinuteRow[], of: (row: MinuteRow) => string | undefined): Run[] {
  const runs: Run[] = [];
  for (let i = 0; i < rows.length; ) {
    let end = i;
    while (end + 1 < rows.length && of(rows[end + 1]!) === of(rows[i]!)) end++;
    const name = of(rows[i]!);
    const from = i === 0 ? 0 : hourOf(rows[i - 1]!);
    if (name !== undefined) runs.push({ range: [from, hourOf(rows[end]!)], name });
    i = end + 1;
  }
  return runs;
}

/** The shown label above the truth, minute by minute. */
export function activityRibbon({ rows, aliveSeconds }: GovernedDay, labels: readonly string[], hours: number): string {
  const colourOf = (label: string): Colour => seriesColour(labels.indexOf(label));
  const empty: Range[] = aliveSeconds < hours * 3600 ? [[aliveSeconds / 3600, hours]] : [];
  const silent = rangesOf(sensedOnly(rows));
  const used = labels.filter((label) => rows.some((row) => row.label === label || row.truth === label));
  const missing: (readonly [string, Colour])[] = [
    ...(silent.length === 0 ? [] : [["sensed only: the energy budget was spent", "hatch"] as const]),
    ...(empty.length === 0 ? [] : [["battery empty", "tint"] as const]),
  ];
  const drawing = plot({
    title: "Shown label and truth over the day",
    x: clockAxis(hours),
    y: bareAxis(0, 2),
    area: wideArea,
    behind: [bands(silent, "hatch", "sensed only"), bands(empty, "tint", "battery empty")],
    marks: [
      laneName(1.5, "shown"),
      laneName(0.5, "truth"),
      ribbon(
        runsOf(rows, (row) => row.label),
        [1.05, 1.95],
        colourOf,
      ),
      ribbon(
        runsOf(rows, (row) => row.truth),
        [0.1, 0.95],
        colourOf,
      ),
    ],
  });
  return drawing + legend([...used.map((label) => [label, colourOf(label)] as const), ...missing]);
}

export function batteryFigure({ rows }: GovernedDay, hours: number): string {
  const charge = (row: MinuteRow): number => row.stateOfCharge;
  return unlessFlat(
    rows.map(charge),
    () =>
      plot({
        title: "State of charge over the day",
        x: clockAxis(hours),
        area: timeArea,
        y: shareAxis("state of charge"),
        marks: [minuteLine(rows, charge, "s0")],
      }),
    (value) => `Constant at ${percentText(value, 1)}.`,
    0.001,
  );
}

/** Colours of the degradation levels, from teal (full) to red (sense-only). */
const levelColours = ["s0", "s3", "s2", "s1", "s7"] as const satisfies readonly Colour[];

/** The bucket's fill, and below it a lane of degradation levels; one sentence if it stayed full. */
export function budgetFigure({ rows }: GovernedDay, hours: number): string {
  const least = rows.reduce((low, { budgetFill }) => Math.min(low, budgetFill), 1);
  if (least > 0.99 && rows.every((row) => row.level === 0))
    return sentence(`Never below ${Math.floor(100 * least)} % full: no degradation.`);
  const x = clockAxis(hours);
  const colourOf = (name: string): Colour => colours.get(name) ?? "s0";
  const colours = new Map<string, Colour>(degradeLevels.map((name, i) => [name, levelColours[i]!]));
  const found = degradeLevels.filter((_, i) => rows.some((row) => row.level === i));
  const fill = plot({
    title: "Fill of the energy budget over the day",
    x,
    y: shareAxis("fill"),
    area: timeArea,
    marks: [minuteLine(rows, (row) => row.budgetFill, "s0")],
  });
  if (found.length === 1) return fill + sentence(`Level ${found[0]} throughout.`);
  const runs = runsOf(rows, (row) => degradeLevels[row.level]);
  const lane = plot({
    title: "Degradation level over the day",
    x,
    y: bareAxis(0, 1),
    area: { ...timeArea, height: 50, top: 4 },
    marks: [laneName(0.5, "level"), ribbon(runs, [0, 1], colourOf)],
  });
  return fill + lane + legend(found.map((name) => [name, colourOf(name)] as const));
}

export function temperatureFigure({ rows }: GovernedDay, hours: number, limitCelsius: number): string {
  const values = rows.flatMap(({ skinCelsius, ambientCelsius }) => [skinCelsius, ambientCelsius]);
  return unlessFlat(
    values,
    () =>
      plot({
        title: "Skin and air temperature over the day",
        x: clockAxis(hours),
        area: timeArea,
        y: axisOver([...values, limitCelsius + 0.5], "", (value) => `${value} °C`),
        marks: [
          minuteLine(rows, (row) => row.ambientCelsius, "soft"),
          minuteLine(rows, (row) => row.skinCelsius, "s1"),
          level(limitCelsius),
        ],
      }) +
      legend([
        ["skin side of the device", "s1"],
        ["air", "soft"],
        [`limit ${limitCelsius} °C`, "limit"],
      ]),
    (value) => `Skin and air constant at ${numberText(value, 1)} °C; the limit is ${limitCelsius} °C.`,
    0.05,
  );
}

type EnergyPart = (typeof energyParts)[number];
const partColours: Readonly<Record<EnergyPart, Colour>> = { compute: "s2", radio: "s3", sensor: "s1", sleep: "s0", load: "s6" };

/** Mean milliwatts of each part, stacked, in bins of 15 minutes. A load dwarfs the agent's own parts, so these are drawn first, alone. */
export function powerFigure(day: GovernedDay, hours: number): string {
  const used = energyParts.filter((part) => day.joules[part] > 0);
  const own = used.filter((part) => part !== "load");
  const all = stackedPower(day, hours, used, "Power by part over the day");
  return own.length === used.length ? all : stackedPower(day, hours, own, "Power of the agent's own parts over the day") + all;
}

function stackedPower({ rows }: GovernedDay, hours: number, parts: readonly EnergyPart[], title: string): string {
  const stacks = binsOf(rows).map(({ range, first, last, seconds }) => ({
    range,
    values: parts.map((part) => (1000 * (last.joules[part] - (first?.joules[part] ?? 0))) / seconds),
  }));
  const totals = stacks.map(({ values }) => values.reduce((a, b) => a + b, 0));
  const colours = parts.map((part) => partColours[part]);
  const bars = stackedBars(stacks, colours, (part, milliwatts) => `${parts[part]}: ${milliwatts.toPrecision(3)} mW`);
  const drawing = plot({
    title,
    x: clockAxis(hours),
    area: timeArea,
    y: axisOver(totals, "", (value) => `${value} mW`, 0),
    marks: [bars],
  });
  return drawing + legend(parts.map((part) => [part, partColours[part]] as const));
}

/** Shares of the exits, stacked. */
export function exitsFigure({ rows }: GovernedDay, hours: number): string {
  const exits = Array.from({ length: rows[0]?.exits.length ?? 0 }, (_, k) => ({ name: `exit ${k + 1}`, colour: seriesColour(k) }));
  const counted = binsOf(rows).map(({ range, all }) => ({
    range,
    values: exits.map((_, k) => all.reduce((sum, row) => sum + row.exits[k]!, 0)),
  }));
  const used = exits.filter((_, k) => counted.some(({ values }) => values[k]! > 0));
  if (used.length === 0) return sentence("No decision was made.");
  if (used.length === 1) return sentence(`Every decision left at ${used[0]!.name}.`);
  const shares = counted.map(({ range, values }) => {
    const total = Math.max(
      1,
      values.reduce((a, b) => a + b, 0),
    );
    return { range, values: values.map((count) => count / total) };
  });
  const bars = stackedBars(
    shares,
    exits.map(({ colour }) => colour),
    (k, share) => `${exits[k]!.name}: ${percentText(share, 1)}`,
  );
  const drawing = plot({ title: "Exits over the day", x: clockAxis(hours), area: timeArea, y: shareAxis(""), marks: [bars] });
  return drawing + legend(exits.map(({ name, colour }) => [name, colour] as const));
}

const askSeries = [
  { of: "asks", name: "unsure: asked", colour: "s3" },
  { of: "notAsked", name: "unsure: not asked", colour: "s6" },
  { of: "audits", name: "sure: audited", colour: "s1" },
] as const;
const LEAST_DECISIONS = 4; // of the axis

/** Unsure decisions, asked or not, and audits, in bins of 15 minutes. Stretches without coverage and spent allowances are marked. */
export function asksFigure({ rows }: GovernedDay, hours: number): string {
  const stacks = binsOf(rows).map(({ range: [from, to], all }) => ({
    range: [from, to - 0.1 * (to - from)] as const,
    values: askSeries.map(({ of }) => all.reduce((total, row) => total + row[of], 0)),
  }));
  const totals = stacks.map(({ values }) => values.reduce((a, b) => a + b, 0));
  if (totals.every((total) => total === 0)) return sentence("Every decision was sure, and none was audited.");
  const uncovered = rangesOf(findStretches(rows, ({ isUp }) => !isUp));
  const spent = findStretches(rows, ({ isAllowanceSpent }) => isAllowanceSpent);
  const spentText = "the allowance for asks was spent";
  const y: Axis = axisOver([...totals, LEAST_DECISIONS], "decisions", (value) => numberText(value), 0);
  const drawing = plot({
    title: "Asks over the day",
    x: clockAxis(hours),
    area: timeArea,
    y,
    behind: [bands(uncovered, "tint", "no coverage")],
    marks: [
      stackedBars(
        stacks,
        askSeries.map(({ colour }) => colour),
        (i, count) => `${askSeries[i]!.name}: ${count}`,
      ),
      ...spent.map(({ from }) => upright(from / 3600, spentText)),
    ],
  });
  return (
    drawing +
    legend([
      ...askSeries.map(({ name, colour }) => [name, colour] as const),
      ...(uncovered.length === 0 ? [] : [["no coverage", "tint"] as const]),
      ...(spent.length === 0 ? [] : [[spentText, "limit"] as const]),
    ])
  );
}
