import type { GovernedDay } from "../../../simulate/results.ts";
import type { DaySetting } from "../../../simulate/setting.ts";
import type { DayDocument } from "../../../simulate/summary.ts";
import { percentText } from "../../table.ts";
import { activityRibbon, asksFigure, batteryFigure, budgetFigure, exitsFigure, powerFigure, temperatureFigure } from "./day-figures.ts";
import { htmlTable, page } from "./page.ts";

/** The page of a simulated day. */
export function dayPage(setting: DaySetting, day: GovernedDay, document: DayDocument): string {
  const { labels } = setting.model.manifest;
  const { hours, metrics, baselines, savings, guarantee } = document;
  const limit = setting.board.thermal.skin.limitCelsius.value;
  const figures = [
    {
      title: "What the wearer did",
      caption: "Above what the agent showed at the end of each minute, below what was true.",
      drawing: activityRibbon(day, labels, hours),
    },
    { title: "Power by part", caption: "Means of a quarter of an hour.", drawing: powerFigure(day, hours) },
    {
      title: "Battery",
      caption: `${setting.board.battery.name}; it lasts ${document.batteryLifeHours.toFixed(0)} h at this day's mean power.`,
      drawing: batteryFigure(day, hours),
    },
    {
      title: "Budget",
      caption: "Fill of the bucket of discretionary joules; the shaded steps are levels of degradation.",
      drawing: budgetFigure(day, hours),
    },
    {
      title: "Temperature",
      caption: "Skin side of the device, pale the air, dashed the limit.",
      drawing: temperatureFigure(day, hours, limit),
    },
    { title: "Exits", caption: "How deep the decisions of a quarter of an hour went.", drawing: exitsFigure(day, hours) },
    {
      title: "Asks",
      caption:
        "A quarter of an hour: decisions that were unsure, and sure ones that the cloud was to check. Shaded where there was no coverage.",
      drawing: asksFigure(day, hours),
    },
  ];
  const lead =
    savings === undefined
      ? `<b>${percentText(document.accuracy, 2)}</b> of ${document.decisions.toLocaleString("en")} decisions right, <b>${document.batteryLifeHours.toFixed(0)} h</b> of battery.`
      : `<b>${percentText(savings.computeAgainstFullDepth, 1)}</b> less compute energy than full depth and ${pointsText(savings.accuracyAgainstFullDepth)}; ` +
        `compute and radio <b>${percentText(savings.computeAndRadioAgainstAlwaysCloud, 1)}</b> less than sending every window.`;
  const row = (
    name: string,
    one: {
      accuracy: number;
      energyJoules: DayDocument["energyJoules"];
      batteryLifeHours: number;
      decisionMillis: typeof metrics.decisionMillis;
    },
  ) => [
    name,
    percentText(one.accuracy, 2),
    ...[one.energyJoules.compute, one.energyJoules.radio, one.energyJoules.sensor, one.energyJoules.sleep].map((joules) =>
      joules.toFixed(1),
    ),
    one.batteryLifeHours.toFixed(0),
    `${one.decisionMillis.p50.toFixed(0)} / ${one.decisionMillis.p99.toFixed(0)}`,
  ];
  const rows = [row("governed", { ...document, decisionMillis: metrics.decisionMillis })];
  if (baselines !== undefined)
    for (const name of ["fullDepth", "alwaysLocal", "alwaysCloud"] as const) rows.push(row(name, baselines[name]));
  const head = ["", "right", "compute J", "radio J", "sensor J", "sleep J", "battery h", "decided in ms, p50 / p99"];
  const kept =
    guarantee.alpha === null
      ? ""
      : ` Answered on the device: ${guarantee.answered}, wrong ${percentText(guarantee.wrongShare ?? 0, 2)} (certified at ${guarantee.alpha}, δ ${guarantee.delta}; other draws of these wearers break it in ${percentText(guarantee.resampledViolationRate ?? 0, 1)}).`;
  return page(
    document.agent,
    `${hours} h on ${setting.board.name} over ${document.radio}`,
    lead,
    htmlTable(head, rows),
    figures,
    `Made of ${document.day.source} of ${document.day.wearers.join(" ")}, seed ${document.day.seed}.${kept} Energy is computed from operation counts and the figures of the board's file, not measured.`,
  );
}

/** A difference of two shares: "0.07 points of accuracy gained". */
function pointsText(difference: number): string {
  const points = (100 * Math.abs(difference)).toFixed(2);
  return points === "0.00" ? "no accuracy lost" : `${points} points of accuracy ${difference > 0 ? "gained" : "lost"}`;
}
