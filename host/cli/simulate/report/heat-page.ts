import type { SustainedRun } from "../../../simulate/sustained.ts";
import { axes, axisOver, polyline, svg } from "../../../train/report/plot.ts";
import { numberText } from "../day-words.ts";
import { dayArea, elapsedAxis, legend } from "./day-axis.ts";
import { htmlTable, page } from "./page.ts";

/** Points of a line: more could not be told apart. */
const MOST_POINTS = 1200;

/** Back-to-back decisions with and without the governor: both in one picture. */
export function heatPage(
  agent: string,
  board: string,
  ambientCelsius: number,
  hours: number,
  governed: SustainedRun,
  free: SustainedRun,
): string {
  const x = elapsedAxis(hours);
  const limit = governed.limitCelsius;
  const thin = (run: SustainedRun) => run.rows.filter((_, i) => i % Math.ceil(run.rows.length / MOST_POINTS) === 0);
  const celsius = axisOver(
    [ambientCelsius, ...thin(governed).map((row) => row.skinCelsius), ...thin(free).map((row) => row.skinCelsius), limit + 1],
    "",
    (value) => `${value} °C`,
  );
  const skin = (run: SustainedRun, name: string): string =>
    polyline(
      dayArea,
      x,
      celsius,
      thin(run).map((row) => [row.atSeconds / 3600, row.skinCelsius] as const),
      name,
    );
  const temperature = svg(
    { ...dayArea },
    "Skin temperature with and without the governor",
    axes(dayArea, x, celsius) +
      skin(free, "line free") +
      skin(governed, "line a") +
      polyline(
        dayArea,
        x,
        celsius,
        [
          [0, limit],
          [hours, limit],
        ],
        "limit",
      ),
  );
  const rates = axisOver(
    [...thin(free), ...thin(governed)].map((row) => row.decisionsPerSecond),
    "",
    (value) => `${numberText(value)}/s`,
    0,
  );
  const rate = (run: SustainedRun, name: string): string =>
    polyline(
      dayArea,
      x,
      rates,
      thin(run).map((row) => [row.atSeconds / 3600, row.decisionsPerSecond] as const),
      name,
    );
  const runs = ["with the governor", "without"];
  const colours = ["var(--a)", "var(--c3)"];
  const row = (name: string, run: SustainedRun) => [
    name,
    `${run.skinMaxCelsius.toFixed(2)} °C`,
    numberText(run.burstPerSecond),
    numberText(run.sustainedPerSecond),
    String(run.levelChanges),
    `${Math.round(100 * run.leastDuty)} %`,
    `${(1000 * run.meanWatts).toFixed(0)} mW`,
  ];
  return page(
    agent,
    `back to back on ${board} at ${ambientCelsius} °C`,
    `Skin at most <b>${governed.skinMaxCelsius.toFixed(2)} °C</b> with the governor, <strong class="${free.skinMaxCelsius > limit ? "over" : "under"}">${free.skinMaxCelsius.toFixed(2)} °C</strong> without; the limit is ${limit} °C.`,
    htmlTable(
      ["", "skin at most", "burst, decisions/s", "sustained, decisions/s", "level changes", "least duty", "mean power"],
      [row("with the governor", governed), row("without", free)],
    ),
    [
      {
        title: "Skin temperature",
        caption: "Over the time that has passed. A first-order RC of the whole device; the declared load is on all the time.",
        drawing: temperature + legend([...runs, `limit ${limit} °C`], [...colours, "var(--limit)"]),
      },
      {
        title: "Decisions a second",
        caption: "Quality is given up first, then time.",
        drawing:
          svg(dayArea, "Decisions a second", axes(dayArea, x, rates) + rate(free, "line free") + rate(governed, "line a")) +
          legend(runs, colours),
      },
    ],
    "Temperatures and power are computed from the figures of the board's file, not measured.",
  );
}
