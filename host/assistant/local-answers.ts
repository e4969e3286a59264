import { type DiaryFigures, SITTING_LIMIT_SECONDS, type TimedBout } from "../diary/figures.ts";
import { clockTime, localDay } from "../diary/local-day.ts";
import { askedLabel, doingText, durationText } from "./activity-words.ts";
import type { BatteryLevel, Share } from "./assistant-types.ts";
import { askedTime } from "./time-words.ts";

/** What local answers are made from: computed figures, never a model's guess. */
export interface LocalKnowledge {
  readonly figures: DiaryFigures;
  readonly battery: BatteryLevel | undefined;
  readonly nowMillis: number; // wall time
}

/** A sentence and the figure in it; `share`: what of the wearer it tells. */
export interface LocalAnswer {
  readonly text: string;
  readonly seconds?: number;
  readonly share?: Share;
}

/** Figures older than this are told with the time at which they were true. */
const STALE_MILLIS = 120_000;
/** Words that a question is read with; "today" in the answers is the diary's last day. */
type Handler = (known: LocalKnowledge, question: string) => LocalAnswer;

/** The intents that the diary answers, each with its handler. */
const HANDLERS: Readonly<Record<string, Handler>> = {
  "what-am-i-doing": whatNow,
  "how-long": howLong,
  "total-today": totalToday,
  "at-time": atTime,
  "sitting-too-long": sittingTooLong,
  "last-fall": lastFall,
  battery: batteryLevel,
};

/** What the device itself says to a question of this intent; undefined if it is none of the diary's. */
export function answerLocally(intent: string, question: string, known: LocalKnowledge): LocalAnswer | undefined {
  return Object.hasOwn(HANDLERS, intent) ? HANDLERS[intent]!(known, question) : undefined;
}

const NOTHING: LocalAnswer = { text: "The diary is empty: nothing was noted yet.", share: "activity" };
const ofActivity = (text: string, seconds?: number): LocalAnswer => ({
  text,
  share: "activity",
  ...(seconds === undefined ? {} : { seconds }),
});

function whatNow({ figures, nowMillis }: LocalKnowledge): LocalAnswer {
  const { current, asOfMillis } = figures;
  if (asOfMillis === undefined) return NOTHING;
  if (current === undefined) return ofActivity(`Nothing was noted since ${clockTime(asOfMillis)}.`);
  const { label, seconds, fromMillis } = current;
  const what = `${doingText(label)}, since ${clockTime(fromMillis)} (${durationText(seconds)})`;
  return ofActivity(
    isStale(figures, nowMillis) ? `When last seen, at ${clockTime(asOfMillis)}, you were ${what}.` : `You are ${what}.`,
    seconds,
  );
}

function howLong(known: LocalKnowledge, question: string): LocalAnswer {
  const { figures, nowMillis } = known;
  const { current } = figures;
  const asked = askedLabel(question);
  if (figures.asOfMillis === undefined) return NOTHING;
  if (current !== undefined && (asked === undefined || asked === current.label)) {
    const { label, seconds, fromMillis } = current;
    const asOf = isStale(figures, nowMillis) ? `, as of ${clockTime(figures.asOfMillis)}` : "";
    return ofActivity(`You have been ${doingText(label)} for ${durationText(seconds)}, since ${clockTime(fromMillis)}${asOf}.`, seconds);
  }
  const last = asked === undefined ? figures.bouts.at(-1) : figures.lastBout(asked);
  const now = current === undefined ? "" : `You are ${doingText(current.label)} now. `;
  if (last === undefined) return ofActivity(`${now}No ${doingText(asked!)} is noted.`);
  return ofActivity(`${now}${lastTime(last, nowMillis)}`, last.seconds);
}

function lastTime({ label, seconds, toMillis }: TimedBout, nowMillis: number): string {
  return `You were last ${doingText(label)} for ${durationText(seconds)}, until ${dayAndTime(toMillis, nowMillis)}.`;
}

function totalToday({ figures }: LocalKnowledge, question: string): LocalAnswer {
  const { totals, day } = figures;
  if (day === undefined) return NOTHING;
  const asked = askedLabel(question);
  if (asked === undefined) {
    const parts = totals.map(({ label, seconds }) => `${doingText(label)} ${durationText(seconds)}`);
    return ofActivity(parts.length === 0 ? "Nothing was noted today." : `Today: ${parts.join(", ")}.`);
  }
  const total = totals.find(({ label }) => label === asked);
  if (total === undefined) return ofActivity(`No ${doingText(asked)} was noted today.`, 0);
  const { seconds, bouts } = total;
  return ofActivity(
    `Today you have been ${doingText(asked)} for ${durationText(seconds)}, in ${bouts} ${bouts === 1 ? "bout" : "bouts"}.`,
    seconds,
  );
}

function atTime({ figures, nowMillis }: LocalKnowledge, question: string): LocalAnswer {
  const moment = askedTime(question, nowMillis);
  if (moment === undefined) return ofActivity('Which time? Ask for example: "What was I doing at 14:05?"');
  const bout = figures.at(moment);
  const when = dayAndTime(moment, nowMillis);
  if (bout === undefined) return ofActivity(`Nothing is noted for ${when}.`);
  const { label, fromMillis, toMillis, seconds } = bout;
  return ofActivity(
    `At ${when} you were ${doingText(label)}, from ${clockTime(fromMillis)} to ${clockTime(toMillis)} (${durationText(seconds)}).`,
    seconds,
  );
}

function sittingTooLong({ figures, nowMillis }: LocalKnowledge): LocalAnswer {
  const { current, isSittingTooLong } = figures;
  const limit = durationText(SITTING_LIMIT_SECONDS);
  if (figures.asOfMillis === undefined) return NOTHING;
  if (current?.label === "sitting") {
    const text = `you have been sitting for ${durationText(current.seconds)}`;
    const verdict = isSittingTooLong
      ? `Yes, ${text}: longer than ${limit}. Stand up and walk a little.`
      : `No, ${text}: less than ${limit}.`;
    return ofActivity(verdict, current.seconds);
  }
  const last = figures.lastBout("sitting");
  const now = current === undefined ? "" : `, you are ${doingText(current.label)}`;
  return ofActivity(`No${now}.${last === undefined ? "" : ` ${lastTime(last, nowMillis)}`}`, last?.seconds);
}

function lastFall({ figures, nowMillis }: LocalKnowledge): LocalAnswer {
  const falls = figures.alarms.filter(({ label }) => label === "fall");
  const last = falls.at(-1);
  if (last === undefined) return ofActivity("No fall is noted.");
  const count = falls.length === 1 ? "It is the only one noted." : `${falls.length} falls are noted.`;
  return ofActivity(
    `The last fall was at ${dayAndTime(last.atMillis, nowMillis)} (${Math.round(100 * last.probability)} % sure). ${count}`,
  );
}

function batteryLevel({ battery }: LocalKnowledge): LocalAnswer {
  if (battery === undefined) return { text: "This device does not tell its battery's level.", share: "battery" };
  const { percent, hoursLeft } = battery;
  const left = hoursLeft === undefined ? "" : `, enough for about ${Math.round(hoursLeft)} h`;
  return { text: `The battery is at ${Math.round(percent)} %${left}.`, share: "battery" };
}

function isStale({ asOfMillis }: DiaryFigures, nowMillis: number): boolean {
  return asOfMillis !== undefined && nowMillis - asOfMillis > STALE_MILLIS;
}

/** "14:05", or "2026-11-30, 14:05" if it was another day. */
function dayAndTime(wallMillis: number, nowMillis: number): string {
  const { name } = localDay(wallMillis);
  return name === localDay(nowMillis).name ? clockTime(wallMillis) : `${name}, ${clockTime(wallMillis)}`;
}
