import { percentText } from "../../../core/system/table.ts";
import { AUDIT_SHARE } from "../../../policy/govern/governed.ts";
import type { GovernedDay } from "../../../simulate/results.ts";
import type { DaySetting } from "../../../simulate/setting.ts";
import type { DayDocument } from "../../../simulate/summary.ts";
import { escapeXml } from "../../../train/report/plot.ts";
import { batteryText, comparisonSentences, courseSentences, dayTable, numberText } from "../day-words.ts";
import { activityRibbon, asksFigure, batteryFigure, budgetFigure, exitsFigure, powerFigure, temperatureFigure } from "./day-figures.ts";
import { htmlTable, page } from "./page.ts";

/** The page of a simulated day. */
export function dayPage(setting: DaySetting, day: GovernedDay, document: DayDocument): string {
  const { labels } = setting.model.manifest;
  const { hours, guarantee } = document;
  const limit = setting.board.thermal.skin.limitCelsius.value;
  const figures = [
    {
      title: "What the wearer did",
      caption: "Above what the agent showed at the end of each minute, below what was true. Clock time: the day begins at midnight.",
      drawing: activityRibbon(day, labels, hours),
    },
    {
      title: "Power by part",
      caption: `Means of a quarter of an hour.${document.course.load === null ? "" : ` Above the agent's own parts, below with the ${document.course.load} as load.`}`,
      drawing: powerFigure(day, hours),
    },
    {
      title: "Battery",
      caption: `${setting.board.battery.name}; at this day's mean power ${batteryText(document)}.`,
      drawing: batteryFigure(day, hours),
    },
    {
      title: "Budget",
      caption: "Fill of the bucket of discretionary joules, and what is given up as it empties.",
      drawing: budgetFigure(day, hours),
    },
    {
      title: "Temperature",
      caption: `Skin at most ${document.skinMaxCelsius.toFixed(1)} °C; the board's limit is ${limit} °C.`,
      drawing: temperatureFigure(day, hours, limit),
    },
    { title: "Exits", caption: "How deep the decisions of a quarter of an hour went.", drawing: exitsFigure(day, hours) },
    {
      title: "Asks",
      caption: `A quarter of an hour: decisions that were unsure, and sure ones that the cloud was to check. ${numberText(document.sensorBytesSent)} B of sensor data left the device; ${numberText(document.day.privacyBytesPerDay)} B a day may, the last ${percentText(AUDIT_SHARE)} of them for audits alone.`,
      drawing: asksFigure(day, hours),
    },
  ];
  const { head, rows } = dayTable(document);
  const asks = `${numberText(document.asked)} asked, ${numberText(document.asks.audits)} of them audits`;
  const lines = [
    `<b>${escapeXml(batteryText(document))}</b>, <b>${percentText(document.accuracy, 2)}</b> of ${numberText(document.decisions)} decisions right, ${asks}.`,
    ...courseSentences(document).map((sentence) => `<strong>${escapeXml(sentence)}</strong>`),
    ...comparisonSentences(document).map((sentence) => `<small>${escapeXml(sentence)}</small>`),
  ];
  const lead = lines.join("<br>");
  const kept =
    guarantee.alpha === null
      ? ""
      : ` Answered on the device: ${numberText(guarantee.answered)}, wrong ${percentText(guarantee.wrongShare ?? 0, 2)} (certified at ${guarantee.alpha}, δ ${guarantee.delta}; other draws of these wearers break it in ${percentText(guarantee.resampledViolationRate ?? 0, 1)}).`;
  return page(
    document.agent,
    `${hours} h on ${setting.board.name} over ${document.radio}`,
    lead,
    htmlTable(head, rows),
    figures,
    `Made of ${document.day.source === "synthetic" ? "a synthetic wearer" : `recordings of ${document.day.wearers.join(" ")}`}, seed ${document.day.seed}.${kept} Energy is computed from operation counts and the figures of the board's file, not measured.`,
  );
}
