import { join, resolve } from "node:path";
import type { Command } from "commander";
import { forgetToday } from "../../assistant/forget-today.ts";
import { ConfigError } from "../../core/system/errors.ts";
import { createOutput, type Output } from "../../core/system/output.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { percentText, table } from "../../core/system/table.ts";
import { DIARY_FOLDER } from "../../diary/day-folder.ts";
import { type DiaryFigures, readDiary, type TimedBout } from "../../diary/figures.ts";
import { clockTime, localDay } from "../../diary/local-day.ts";
import { jsonOption, refuseWithout } from "../common/options.ts";

/** Bouts that are listed for people; --json has all. */
const LISTED_BOUTS = 20;

/** `dormouse diary`: what the wearer did, as the agents on this device noted it. */
export function registerDiary(program: Command, io: CliIo): void {
  program
    .command("diary")
    .description("Print what the wearer did today, as noted on this device: totals, bouts, alarms.")
    .option("--data-dir <dir>", "read the data folder of run", ".dormouse")
    .option("--forget-today", "remove today's notes and every ask in an outbox instead", false)
    .option("--ledger <file>", "remove today's lines of this ledger, too, with --forget-today")
    .addOption(jsonOption())
    .addHelpText("after", "\nExamples:\n  $ dormouse diary\n  $ dormouse diary --json\n  $ dormouse diary --forget-today")
    .action((options: { dataDir: string; forgetToday: boolean; ledger?: string; json: boolean }, command: Command) => {
      const out = createOutput(io, options.json);
      const dataDir = resolve(io.cwd, options.dataDir);
      const folder = join(dataDir, DIARY_FOLDER);
      const now = io.clock.wall();
      if (!options.forgetToday) refuseWithout(command, "--forget-today", "--ledger");
      else {
        const left = forgetToday({ dataDir, ledger: options.ledger && resolve(io.cwd, options.ledger), wallMillis: now });
        if (left.length > 0) throw new ConfigError("NOT_FORGOTTEN", `Not all of today is forgotten: ${left.join(" ")}`);
        out.say(`Forgot ${localDay(now).name}: its diary in ${folder}, and the asks in the outboxes beside it.`);
        out.document({ folder, forgotten: localDay(now).name });
        return;
      }
      const figures = readDiary(folder, now);
      for (const { file, reason } of figures.unreadable) out.note(`${join(folder, file)} is no diary: ${reason}. Remove it.`);
      sayDiary(out, folder, figures);
      out.document(diaryDocument(folder, figures));
    });
}

/** The diary as JSON: times in ISO 8601 (UTC), lengths in seconds. */
function diaryDocument(folder: string, figures: DiaryFigures) {
  const { asOfMillis, day, current, totals, bouts, foldedBouts, alarms, isSittingTooLong, unreadable } = figures;
  return {
    folder,
    asOf: isoTime(asOfMillis),
    day: day?.name ?? null,
    current: current === undefined ? null : boutDocument(current),
    totals,
    bouts: bouts.map(boutDocument),
    foldedBouts,
    alarms: alarms.map(({ agent, label, atMillis, probability }) => ({ agent, label, at: isoTime(atMillis), probability })),
    isSittingTooLong,
    unreadable,
  };
}

function boutDocument({ label, fromMillis, toMillis, seconds, probability }: TimedBout) {
  return { label, from: isoTime(fromMillis), to: isoTime(toMillis), seconds, probability };
}

function isoTime(wallMillis: number | undefined): string | null {
  return wallMillis === undefined ? null : new Date(wallMillis).toISOString();
}

function sayDiary(out: Output, folder: string, { asOfMillis, day, totals, bouts, foldedBouts, alarms }: DiaryFigures): void {
  if (asOfMillis === undefined) {
    out.say(`Nothing is noted in ${folder}: dormouse run activity notes what the wearer does.`);
    return;
  }
  out.say(`${day!.name}, as of ${clockTime(asOfMillis)}:`);
  for (const line of table(
    ["activity", "minutes", "bouts"],
    totals.map(({ label, seconds, bouts: count }) => [label, Math.round(seconds / 6) / 10, count]),
  ))
    out.say(line);
  const listed = bouts.slice(-LISTED_BOUTS);
  if (listed.length < bouts.length + foldedBouts) out.say(`The last ${listed.length} of ${bouts.length + foldedBouts} bouts:`);
  for (const { fromMillis, toMillis, label, probability } of listed)
    out.say(`  ${clockTime(fromMillis)}–${clockTime(toMillis)}  ${label}, ${percentText(probability)}`);
  for (const { agent, label, atMillis } of alarms)
    out.say(`Alarm: ${label} on ${localDay(atMillis).name} at ${clockTime(atMillis)} (${agent}).`);
}
