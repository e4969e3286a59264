import { numberText, percentText } from "../../../core/system/table.ts";
import { axisOver, elapsedAxis } from "../../../page/axis.ts";
import { type Figure, legend, unlessFlat } from "../../../page/figure.ts";
import { type Colour, level, line } from "../../../page/marks.ts";
import { pageHtml } from "../../../page/page.ts";
import { plot, timeArea } from "../../../page/plot.ts";
import type { SustainedRun } from "../../../simulate/sustained.ts";

/** Points of a line; more could not be told apart. */
const MOST_POINTS = 600;

export interface HeatRun {
  readonly agent: string;
  readonly board: string;
  readonly ambientCelsius: number;
  readonly hours: number;
  readonly governed: SustainedRun;
  readonly free: SustainedRun;
}

/** The page of back-to-back decisions with and without the governor. */
export function heatPage({ agent, board, ambientCelsius, hours, governed, free }: HeatRun): string {
  const limit = governed.limitCelsius;
  const skinText = ({ skinMaxCelsius }: SustainedRun): string => `${skinMaxCelsius.toFixed(2)} °C`;
  return pageHtml({
    title: agent,
    subtitle: `back to back on ${board} at ${ambientCelsius} °C`,
    keyFigures: [
      { value: skinText(governed), name: "highest skin temperature, governed", isOver: governed.skinMaxCelsius > limit },
      { value: skinText(free), name: "without the governor", isOver: free.skinMaxCelsius > limit },
      { value: `${limit} °C`, name: "limit of the board" },
    ],
    tables: [
      {
        head: ["", "skin, highest", "burst, decisions/s", "sustained, decisions/s", "level changes", "least duty", "mean power"],
        best: [undefined, "lowest", "highest", "highest", "lowest", "highest", "lowest"],
        rows: [rowOf("governed", governed), rowOf("without the governor", free)],
      },
    ],
    figures: figuresOf(hours, ambientCelsius, governed, free),
    notes: ["Temperatures and power are computed from the figures of the board's file, not measured."],
  });
}

function rowOf(name: string, run: SustainedRun): string[] {
  return [
    name,
    `${run.skinMaxCelsius.toFixed(2)} °C`,
    numberText(run.burstPerSecond),
    numberText(run.sustainedPerSecond),
    String(run.levelChanges),
    percentText(run.leastDuty),
    `${numberText(1000 * run.meanWatts)} mW`,
  ];
}

type Row = SustainedRun["rows"][number];
const runColours = [
  ["governed", "s0"],
  ["without the governor", "s3"],
] as const satisfies readonly (readonly [string, Colour])[];

function figuresOf(hours: number, ambientCelsius: number, governed: SustainedRun, free: SustainedRun): Figure[] {
  const runs = [governed, free].map(({ rows }) => rows.filter((_, i) => i % Math.ceil(rows.length / MOST_POINTS) === 0));
  const x = elapsedAxis(hours);
  const area = { ...timeArea, left: 56 };
  const valuesOf = (of: (row: Row) => number): number[] => runs.flatMap((rows) => rows.map(of));
  const lines = (of: (row: Row) => number) =>
    runs
      .map((rows, i) =>
        line(
          rows.map((row) => [row.atSeconds / 3600, of(row)] as const),
          runColours[i]![1],
        ),
      )
      .reverse(); // the governed run on top
  const limit = governed.limitCelsius;
  const skin = valuesOf((row) => row.skinCelsius);
  const rates = valuesOf((row) => row.decisionsPerSecond);
  const celsius = axisOver([ambientCelsius, ...skin, limit + 1], "", (value) => `${value} °C`);
  const perSecond = axisOver(rates, "", (value) => `${numberText(value)}/s`, 0);
  return [
    {
      title: "Skin temperature",
      caption: "By elapsed time. The whole device is a first-order RC; the declared load is always on.",
      drawing: unlessFlat(
        skin,
        () =>
          plot({ title: "Skin temperature", x, y: celsius, area, marks: [...lines((row) => row.skinCelsius), level(limit)] }) +
          legend([...runColours, [`limit ${limit} °C`, "limit"]]),
        (value) => `Constant at ${numberText(value, 1)} °C; the limit is ${limit} °C.`,
        0.05,
      ),
    },
    {
      title: "Decisions per second",
      caption: "The governor reduces quality first, then the duty cycle.",
      drawing: unlessFlat(
        rates,
        () =>
          plot({ title: "Decisions per second", x, y: perSecond, area, marks: lines((row) => row.decisionsPerSecond) }) +
          legend(runColours),
        (value) => `Constant at ${numberText(value)} per second, governed or not.`,
      ),
    },
  ];
}
