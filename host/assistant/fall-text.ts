import type { DiaryAlarm } from "../diary/diary-types.ts";
import { clockTime, localDay } from "../diary/local-day.ts";
import type { SharedFact } from "./shared-facts.ts";

/** What the wearer is told of a fall at once. */
export function fallText({ atMillis }: DiaryAlarm): string {
  return `A fall was noticed at ${clockTime(atMillis)}. Are you all right? If not, call for help.`;
}

/** The same as a fact for the cloud to reword. */
export function fallFact({ atMillis, probability }: DiaryAlarm): SharedFact {
  return { name: "last-fall", text: `A fall was noticed at ${clockTime(atMillis)}, ${Math.round(100 * probability)} % sure.` };
}

/** Whether a rewording has no figure that the fact lacks. */
export function isSameFigures(text: string, alarm: DiaryAlarm, nowMillis: number): boolean {
  const known = new Set(figures(`${fallFact(alarm).text} ${localDay(nowMillis).name}`));
  return figures(text).every((figure) => known.has(figure));
}

function figures(text: string): string[] {
  return text.match(/\p{Nd}+/gu) ?? [];
}
