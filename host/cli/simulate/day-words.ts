import { numberText, percentText } from "../../core/system/table.ts";
import type { Best, Table } from "../../page/table.ts";
import type { DayDocument } from "../../simulate/summary.ts";
import { ACCURACY_TOLERANCE } from "../../simulate/verdict.ts";

/** Names of the baselines, in the order shown. They tell what the governed day tells; `mute`, which does not, stands apart. */
export const baselineNames = {
  fullDepth: "full depth, never asks",
  alwaysLocal: "early exits, never asks",
  alwaysCloud: "every window to the cloud",
} as const;
export const baselineKeys = ["fullDepth", "alwaysLocal", "alwaysCloud"] as const satisfies readonly (keyof typeof baselineNames)[];

/** Parts of a day's joules, in the order shown. */
export const energyParts = ["compute", "radio", "sensor", "sleep", "load"] as const;

/** Clock time of the simulated day, from midnight: 01:20; after a day 1 d 01:20. */
export function clockText(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const two = (value: number): string => String(value).padStart(2, "0");
  const days = Math.floor(minutes / 1440);
  return `${days > 0 ? `${days} d ` : ""}${two(Math.floor(minutes / 60) % 24)}:${two(minutes % 60)}`;
}

/** Hours of battery: whole ones, below ten with a decimal. */
export function hoursText(hours: number): string {
  return `${numberText(hours, hours < 10 ? 1 : 0)} h`;
}

/** Battery life at the day's mean power: from the initial charge, and from full if that differs. */
export function batteryText({ batteryLifeHours, batteryLifeFromStartHours, day }: DayDocument): string {
  const target = `target ${hoursText(day.targetHours)}`;
  if (day.stateOfChargeAtStart === 1) return `${hoursText(batteryLifeHours)} of battery (${target})`;
  const start = percentText(day.stateOfChargeAtStart);
  return `${hoursText(batteryLifeFromStartHours)} of battery from ${start} (${hoursText(batteryLifeHours)} from full; ${target})`;
}

/** One sentence per shortfall of a day: gaps in deciding, an empty battery, an unreachable target. */
export function courseSentences({ course, hours, day }: DayDocument): string[] {
  const { decidedShare, silentFromSeconds, batteryEmptyAtSeconds, floorHours, load } = course;
  const sentences: string[] = [];
  const silent =
    silentFromSeconds === null
      ? ""
      : silentFromSeconds === batteryEmptyAtSeconds
        ? `, nothing from ${clockText(silentFromSeconds)} on`
        : `, nothing from ${clockText(silentFromSeconds)} on: the energy budget was spent`;
  if (decidedShare < 0.9995 || silent !== "") sentences.push(`Decided on ${percentText(decidedShare, 1)} of the ${hours} h${silent}.`);
  if (batteryEmptyAtSeconds !== null) sentences.push(`The battery was empty at ${clockText(batteryEmptyAtSeconds)}.`);
  if (floorHours < day.targetHours) {
    const needs = load === null ? "sensor and sleep" : `sensor, sleep and ${load}`;
    sentences.push(
      `The target of ${hoursText(day.targetHours)} cannot be met on this battery: ${needs} alone empty it in ${hoursText(floorHours)}.`,
    );
  }
  return sentences;
}

/** "12.0 % less", "12.0 % more". */
function lessText(own: number, other: number): string {
  return other === 0 ? "as much" : `${percentText(Math.abs(1 - own / other), 1)} ${own <= other ? "less" : "more"}`;
}

/** Who is best, then one sentence per baseline that compares it with the day; none without baselines. */
export function comparisonSentences(document: DayDocument): string[] {
  const { baselines, energyJoules, batteryLifeFromStartHours: hours } = document;
  if (baselines === undefined) return [];
  const own = energyJoules.compute + energyJoules.radio;
  const { mute } = baselines;
  const compared = baselineKeys.map((key) => {
    const { batteryLifeFromStartHours, accuracy, energyJoules: joules } = baselines[key];
    const against = lessText(own, joules.compute + joules.radio);
    return `Without a governor, ${baselineNames[key]}: ${hoursText(batteryLifeFromStartHours)} of battery, ${percentText(accuracy, 2)} right; governed, compute and radio take ${against}.`;
  });
  const silent = `Not comparable: with early exits and a radio that is never on, telling nobody, ${hoursText(mute.batteryLifeFromStartHours)} of battery; telling costs ${hoursText(mute.batteryLifeFromStartHours - hours)}.`;
  return [...verdictSentences(document), ...compared, ...(mute.batteryLifeFromStartHours > hours ? [silent] : [])];
}

/** Whether the governed day is at least as good as the best baseline that never asks. */
function verdictSentences({ verdict, baselines, accuracy, alarms }: DayDocument): string[] {
  if (verdict === undefined || baselines === undefined) return [];
  const { best, accuracyAgainstBest, energyAgainstBest, isAsGood } = verdict;
  const percents = percentText(Math.abs(energyAgainstBest), 1);
  const energy = `${percents} ${energyAgainstBest > 0 ? "more" : "less"} energy`;
  const others = baselines[best].alarms;
  const right =
    alarms && others
      ? `${alarmText(alarms)} against ${alarmText(others)}`
      : `${percentText(accuracy, 2)} right against ${percentText(baselines[best].accuracy, 2)}`;
  const name = baselineNames[best];
  const isBetter = accuracyAgainstBest > ACCURACY_TOLERANCE && alarms !== undefined;
  if (isAsGood && isBetter) return [`Verdict: the governed day is better than the best that never asks (${name}): ${right}, ${energy}.`];
  if (isAsGood) return [`Verdict: the governed day is as good as the best that never asks (${name}): ${right}, ${energy}.`];
  if (accuracyAgainstBest < 0 && energyAgainstBest >= 0)
    return [`Verdict: better without the governor (${name}): governed ${right}, ${energy}.`];
  return [`Verdict: a trade against the best that never asks (${name}): governed ${right}, ${energy}.`];
}

function alarmText({ events, found, falseAlarms }: NonNullable<DayDocument["alarms"]>): string {
  return `${found} of ${events} found, ${falseAlarms} false ${falseAlarms === 1 ? "alarm" : "alarms"}`;
}

/** Which alarms were told, of an agent with one: governed, and by the baselines that tell any. */
export function alarmSentences({ alarms, suspicions, asksPerDay, baselines }: DayDocument): string[] {
  if (alarms === undefined) return [];
  const ends =
    suspicions &&
    `; ${suspicions.raised} suspicions: ${suspicions.told} told, ${suspicions.dismissed} dismissed by the cloud, ${suspicions.expired} decided by the device alone; ${numberText(asksPerDay)} asks per day`;
  const others = baselineKeys.flatMap((key) => {
    const tally = baselines?.[key].alarms;
    return tally === undefined ? [] : [`${baselineNames[key]}: ${alarmText(tally)}`];
  });
  return [`Alarms: ${alarmText(alarms)}${ends ?? ""}.`, ...others.map((other) => `Alarms, ${other}.`)];
}

/** The governed day and its baselines as a table. */
export function dayTable(document: DayDocument): Required<Table> {
  const { baselines, metrics, day } = document;
  const parts = energyParts.filter((part) => (document.energyJoules[part] ?? 0) > 0 || part !== "load");
  const row = (
    title: string,
    one: Pick<DayDocument, "accuracy" | "energyJoules" | "batteryLifeFromStartHours"> & {
      readonly decisionMillis: { readonly p50: number; readonly p99: number };
    },
  ): string[] => {
    const joules = energyParts.map((part) => one.energyJoules[part] ?? 0);
    return [
      title,
      percentText(one.accuracy, 2),
      numberText(one.batteryLifeFromStartHours, one.batteryLifeFromStartHours < 10 ? 1 : 0),
      numberText(
        joules.reduce((a, b) => a + b, 0),
        1,
      ),
      ...parts.map((part) => numberText(one.energyJoules[part] ?? 0, 1)),
      `${millisText(one.decisionMillis.p50)} / ${millisText(one.decisionMillis.p99)}`,
    ];
  };
  const rows = [row("governed", { ...document, decisionMillis: metrics.decisionMillis })];
  if (baselines !== undefined) for (const key of baselineKeys) rows.push(row(baselineNames[key], baselines[key]));
  const from = day.stateOfChargeAtStart === 1 ? "" : ` from ${percentText(day.stateOfChargeAtStart)}`;
  const head = ["", "right", `battery h${from}`, "total J", ...parts.map((part) => `${part} J`), "ms to decide: half / 99 % within"];
  const best: Best[] = ["highest", "highest", "lowest", ...parts.map(() => "lowest" as const), "lowest"];
  return { head, rows, best: [undefined, ...best] };
}

function millisText(millis: number): string {
  return numberText(millis, millis < 10 ? 1 : 0);
}
