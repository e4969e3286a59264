import { SITTING_LIMIT_SECONDS } from "../diary/figures.ts";
import { clockTime, localDay } from "../diary/local-day.ts";
import { doingText, durationText } from "./activity-words.ts";
import type { Share } from "./assistant-types.ts";
import type { LocalKnowledge } from "./local-answers.ts";

/** A fact as an ask carries it: one sentence, and the intent that it answers. */
export interface SharedFact {
  readonly name: string;
  readonly text: string;
}

/** Totals that an ask carries, longest first. */
const MOST_TOTALS = 8;

/** Facts that the wearer shares, computed from the diary; times of day only if `time` is shared. */
export function sharedFacts(known: LocalKnowledge, share: readonly Share[]): SharedFact[] {
  const hasTime = share.includes("time");
  const facts: SharedFact[] = [];
  if (hasTime) facts.push({ name: "time", text: `It is ${clockTime(known.nowMillis)} on ${localDay(known.nowMillis).name}.` });
  if (share.includes("activity")) facts.push(...activityFacts(known, hasTime));
  const { battery } = known;
  if (share.includes("battery") && battery !== undefined)
    facts.push({ name: "battery", text: `The battery is at ${Math.round(battery.percent)} %.` });
  return facts;
}

function activityFacts({ figures, nowMillis }: LocalKnowledge, hasTime: boolean): SharedFact[] {
  const { current, totals, isSittingTooLong, alarms } = figures;
  const facts: SharedFact[] = [];
  if (current !== undefined) {
    const since = hasTime ? `, since ${clockTime(current.fromMillis)}` : "";
    facts.push({ name: "how-long", text: `The wearer has been ${doingText(current.label)} for ${durationText(current.seconds)}${since}.` });
  }
  if (totals.length > 0) {
    const parts = totals.slice(0, MOST_TOTALS).map(({ label, seconds }) => `${doingText(label)} ${durationText(seconds)}`);
    facts.push({ name: "total-today", text: `Totals of today: ${parts.join(", ")}.`.slice(0, 200) });
  }
  if (isSittingTooLong)
    facts.push({ name: "sitting-too-long", text: `That is longer than ${durationText(SITTING_LIMIT_SECONDS)} of sitting.` });
  const fall = alarms.findLast(({ label }) => label === "fall");
  if (fall !== undefined) {
    const when = hasTime
      ? `on ${localDay(fall.atMillis).name} at ${clockTime(fall.atMillis)}`
      : `${durationText((nowMillis - fall.atMillis) / 1000)} ago`;
    facts.push({ name: "last-fall", text: `The wearer's last fall was ${when}.` });
  }
  return facts;
}
