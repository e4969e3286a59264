import { z } from "zod";
import { DataError } from "../core/system/errors.ts";
import type { Bout, DiaryAlarm, DiaryDay, FoldedBouts } from "./diary-types.ts";

/** Bytes per day: an agent with an alarm has few bouts, so that both kinds together stay below 8 KiB. */
const RING_BYTES = { activity: 6144, alarm: 2048 } as const;
/** Largest file that is read. */
export const MAX_DAY_FILE_BYTES = 8192;
/** Longest label that a file holds. */
const MAX_LABEL_CHARS = 64;
/** Times are kept in tenths of a second since the day's first moment; a day has 25 hours at most. */
const TICK_MILLIS = 100;
const MAX_TICKS = 25 * 36_000;

const tick = z.int().min(0).max(MAX_TICKS);
const percent = z.int().min(0).max(100);
const label = z.int().min(0).max(255);
const schema = z.strictObject({
  v: z.literal(1),
  agent: z
    .string()
    .max(32)
    .regex(/^[a-z][a-z0-9-]*$/),
  alarm: z.string().max(MAX_LABEL_CHARS).optional(),
  start: z.int().min(-86_400_000).max(8.64e15), // midnight east of Greenwich lies before 1970
  labels: z.array(z.string().max(MAX_LABEL_CHARS)).max(256),
  bouts: z.array(z.tuple([label, tick, tick, percent])), // label, from, length, probability
  alarms: z.array(z.tuple([label, tick, percent])), // label, at, probability
  folded: z.array(z.tuple([label, z.int().min(1), z.int().min(0)])), // label, bouts, length
  foldedAlarms: z.int().min(0),
});

/** A day as the text of its file. Oldest bouts, then oldest alarms, are folded until it fits its ring; returns the day that is left. */
export function encodeDay(day: DiaryDay): { readonly text: string; readonly day: DiaryDay } {
  const limit = RING_BYTES[day.alarm === undefined ? "activity" : "alarm"];
  for (let kept = day; ; kept = foldOldest(kept)) {
    const text = write(kept);
    if (Buffer.byteLength(text) <= limit) return { text, day: kept };
    if (kept.bouts.length + kept.alarms.length === 0) {
      throw new DataError("DIARY_LABELS", `the labels of ${day.agent} alone need more than the ${limit} B of a day. Give it shorter ones.`);
    }
  }
}

/** Any text as a day, or the reason why it is none. Never throws. */
export function decodeDay(text: string): { readonly ok: true; readonly day: DiaryDay } | { readonly ok: false; readonly reason: string } {
  if (text.length > MAX_DAY_FILE_BYTES) return { ok: false, reason: `longer than ${MAX_DAY_FILE_BYTES} B` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, reason: "not valid JSON" };
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    return { ok: false, reason: `${issue.path.join(".") || "file"}: ${issue.message}`.slice(0, 200) };
  }
  const { agent, alarm, start, labels, bouts, alarms, folded, foldedAlarms } = parsed.data;
  if ([...bouts, ...alarms, ...folded].some(([of]) => of >= labels.length)) return { ok: false, reason: "a label is not in its table" };
  const at = (ticks: number) => start + ticks * TICK_MILLIS;
  const day: DiaryDay = {
    agent,
    alarm,
    startMillis: start,
    bouts: bouts.map(([of, from, length, p]) => ({
      label: labels[of]!,
      fromMillis: at(from),
      toMillis: at(from + length),
      probability: p / 100,
    })),
    alarms: alarms.map(([of, when, p]) => ({ label: labels[of]!, atMillis: at(when), probability: p / 100 })),
    folded: folded.map(([of, count, length]) => ({ label: labels[of]!, bouts: count, millis: length * TICK_MILLIS })),
    foldedAlarms,
  };
  if (bouts.some(([, from, length]) => from + length > MAX_TICKS)) return { ok: false, reason: "a bout is longer than its day" };
  const isOrdered = day.bouts.every((bout, i) => i === 0 || bout.fromMillis >= day.bouts[i - 1]!.toMillis);
  return isOrdered ? { ok: true, day } : { ok: false, reason: "bouts overlap" };
}

/** A wall time as the file keeps it, so that a figure is the same before and after it was written. */
export function roundedMillis(wallMillis: number): number {
  return Math.round(wallMillis / TICK_MILLIS) * TICK_MILLIS;
}

function write({ agent, alarm, startMillis, bouts, alarms, folded, foldedAlarms }: DiaryDay): string {
  const labels: string[] = [];
  const index = (name: string) => {
    const short = name.slice(0, MAX_LABEL_CHARS);
    if (!labels.includes(short)) labels.push(short);
    return labels.indexOf(short);
  };
  const ticks = (millis: number) => Math.min(MAX_TICKS, Math.max(0, Math.round(millis / TICK_MILLIS)));
  const percentOf = (probability: number) => Math.round(100 * Math.min(1, Math.max(0, probability)));
  const rows = {
    bouts: bouts.map((bout) => {
      const [from, to] = [ticks(bout.fromMillis - startMillis), ticks(bout.toMillis - startMillis)];
      return [index(bout.label), from, Math.max(0, to - from), percentOf(bout.probability)];
    }),
    alarms: alarms.map((one) => [index(one.label), ticks(one.atMillis - startMillis), percentOf(one.probability)]),
    folded: folded.map((sum) => [index(sum.label), sum.bouts, Math.round(sum.millis / TICK_MILLIS)]),
  };
  const named = alarm === undefined ? {} : { alarm: alarm.slice(0, MAX_LABEL_CHARS) };
  return `${JSON.stringify({ v: 1, agent, ...named, start: startMillis, labels, ...rows, foldedAlarms })}\n`;
}

/** A quarter of the bouts at once, so that a full ring is not folded at every change; alarms only if there are no bouts. */
function foldOldest(day: DiaryDay): DiaryDay {
  if (day.bouts.length === 0) return { ...day, ...foldAlarm(day.alarms, day.foldedAlarms) };
  const count = Math.ceil(day.bouts.length / 4);
  const sums = new Map<string, FoldedBouts>(day.folded.map((sum) => [sum.label, sum]));
  for (const { label: name, fromMillis, toMillis } of day.bouts.slice(0, count)) {
    const { bouts, millis } = sums.get(name) ?? { bouts: 0, millis: 0 };
    sums.set(name, { label: name, bouts: bouts + 1, millis: millis + toMillis - fromMillis });
  }
  return { ...day, bouts: day.bouts.slice(count), folded: [...sums.values()] };
}

function foldAlarm(alarms: readonly DiaryAlarm[], folded: number): Pick<DiaryDay, "alarms" | "foldedAlarms"> {
  return { alarms: alarms.slice(1), foldedAlarms: folded + 1 };
}

/** A bout without what lies after `atMillis`; undefined if nothing is left. */
export function cutBout(bout: Bout, atMillis: number): Bout | undefined {
  if (bout.fromMillis >= atMillis) return undefined;
  return bout.toMillis <= atMillis ? bout : { ...bout, toMillis: atMillis };
}
