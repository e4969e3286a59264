import { numberText, percentText } from "../../../core/system/table.ts";
import type { Figure } from "../../../page/figure.ts";
import { type KeyFigure, pageHtml } from "../../../page/page.ts";
import { AUDIT_SHARE } from "../../../policy/govern/governed.ts";
import type { GovernedDay } from "../../../simulate/results.ts";
import type { DaySetting } from "../../../simulate/setting.ts";
import type { DayDocument } from "../../../simulate/summary.ts";
import { alarmSentences, batteryText, comparisonSentences, courseSentences, dayTable, hoursText } from "../day-words.ts";
import { activityRibbon, asksFigure, batteryFigure, budgetFigure, exitsFigure, powerFigure, temperatureFigure } from "./day-figures.ts";

/** The page of a simulated day. */
export function dayPage(setting: DaySetting, day: GovernedDay, document: DayDocument): string {
  return pageHtml({
    title: document.agent,
    subtitle: `${document.hours} h on ${setting.board.name} over ${document.radio}`,
    keyFigures: keyFiguresOf(document),
    warnings: courseSentences(document),
    remarks: [...alarmSentences(document), ...comparisonSentences(document)],
    tables: [dayTable(document)],
    figures: figuresOf(setting, day, document),
    notes: notesOf(document),
  });
}

function keyFiguresOf({ batteryLifeFromStartHours, day, accuracy, decisions, asked, asks }: DayDocument): KeyFigure[] {
  const from = day.stateOfChargeAtStart === 1 ? "" : ` from ${percentText(day.stateOfChargeAtStart)}`;
  return [
    {
      value: hoursText(batteryLifeFromStartHours),
      name: `of battery${from} (target ${hoursText(day.targetHours)})`,
      isOver: batteryLifeFromStartHours < day.targetHours,
    },
    { value: percentText(accuracy, 2), name: `of ${numberText(decisions)} decisions right` },
    { value: numberText(asked), name: `asks, ${numberText(asks.audits)} of them audits` },
  ];
}

function figuresOf({ model, board }: DaySetting, day: GovernedDay, document: DayDocument): Figure[] {
  const { hours, course } = document;
  const { labels } = model.manifest;
  const limit = board.thermal.skin.limitCelsius.value;
  return [
    {
      title: "Activity",
      caption: "Above: the label shown at the end of each minute. Below: the truth. The day begins at midnight.",
      drawing: activityRibbon(day, labels, hours),
      isWide: true,
    },
    {
      title: "Power by part",
      caption: `Means of 15 minutes.${course.load === null ? "" : ` Above: the agent's own parts. Below: with the ${course.load} as load.`}`,
      drawing: powerFigure(day, hours),
    },
    {
      title: "Battery",
      caption: `${board.battery.name}; ${batteryText(document)} at this day's mean power.`,
      drawing: batteryFigure(day, hours),
    },
    {
      title: "Energy budget",
      caption: "Fill of the bucket of discretionary joules, and the degradation level as it empties.",
      drawing: budgetFigure(day, hours),
    },
    {
      title: "Temperature",
      caption: `Skin at most ${numberText(document.skinMaxCelsius, 1)} °C; the board's limit is ${limit} °C.`,
      drawing: temperatureFigure(day, hours, limit),
    },
    { title: "Exits", caption: "Share of decisions per exit, in bins of 15 minutes.", drawing: exitsFigure(day, hours) },
    { title: "Asks", caption: asksCaption(document), drawing: asksFigure(day, hours) },
  ];
}

function asksCaption({ sensorBytesSent, day }: DayDocument): string {
  const sent = `${numberText(sensorBytesSent)} B of sensor data left the device`;
  const budget = `the privacy budget is ${numberText(day.privacyBytesPerDay)} B per day, its last ${percentText(AUDIT_SHARE)} for audits alone`;
  return `Unsure decisions and audits of sure ones, in bins of 15 minutes. ${sent}; ${budget}.`;
}

function notesOf({ day, guarantee }: DayDocument): string[] {
  const source = day.source === "synthetic" ? "a synthetic wearer" : `recordings of ${day.wearers.join(" ")}`;
  const made = `Simulated from ${source}, seed ${day.seed}.`;
  const energy = "Energy is computed from operation counts and the figures of the board's file, not measured.";
  if (guarantee.alpha === null) return [made, energy];
  const wrong = percentText(guarantee.wrongShare ?? 0, 2);
  const violated = percentText(guarantee.resampledViolationRate ?? 0, 1);
  const certified = `Answered on the device: ${numberText(guarantee.answered)}, ${wrong} wrong (certified at α ${guarantee.alpha}, δ ${guarantee.delta}; ${violated} of resampled sets of wearers exceed α).`;
  return [made, certified, energy];
}
