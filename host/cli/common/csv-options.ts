import { InvalidArgumentError, Option } from "commander";
import { groupings } from "../../data/csv/regroup.ts";
import { labelRules } from "../../data/window-rule.ts";
import { MOST_TEACHERS } from "../../train/csv/csv-training.ts";
import { wholeNumber } from "./options.ts";

/** Options of `train --name` on CSV recordings. */
export function csvOptions(): Option[] {
  return [
    new Option(
      "--rate <hz>",
      "resample to this many frames per second, 50 or 1/60, with --name (default: the rate of the time columns)",
    ).argParser(parseRate),
    new Option("--ignore <columns>", "discard these columns, with --name: names with commas between them").argParser((text) =>
      text.split(",").map((name) => name.trim()),
    ),
    new Option("--window <time>", "set the length of a window, 2s, 5min or 2h, with --name (default: by the labels' lengths)").argParser(
      parseSeconds,
    ),
    new Option("--label-rule <rule>", "choose which label a window has, with --name (default: by the labels' lengths)").choices(labelRules),
    new Option("--split <groups>", "keep these apart when testing, with --name (default: subjects)").choices(groupings),
    new Option("--fold <n>", "score other subjects: count positions from so many places further on, with --name (default: 0)").argParser(
      wholeNumber(0, 1000),
    ),
    new Option("--teachers <n>", "train this many nets to learn from and to answer asks, with --name; 0: none (default: 3)").argParser(
      wholeNumber(0, MOST_TEACHERS),
    ),
    new Option("--dry-run", "show what was understood of the recordings, and train nothing, with --name").default(false),
  ];
}

/** Parses a rate: 50, or 1/60 for a sample a minute. */
function parseRate(text: string): number {
  const [, above, below = "1"] = /^(\d+(?:\.\d+)?)(?:\/(\d+(?:\.\d+)?))?$/.exec(text.trim()) ?? [];
  const rate = Number(above) / Number(below);
  if (above === undefined || !(rate >= 0.001)) throw new InvalidArgumentError("Give frames per second of at least 0.001: 50, or 1/60.");
  return rate;
}

const unitSeconds: ReadonlyMap<string, number> = new Map([
  ["ms", 0.001],
  ["s", 1],
  ["min", 60],
  ["h", 3600],
]);

/** Parses a length of time, in seconds. */
function parseSeconds(text: string): number {
  const [, size, unit = "s"] = /^(\d+(?:\.\d+)?)\s*(ms|s|min|h)?$/.exec(text.trim()) ?? [];
  const seconds = Number(size) * unitSeconds.get(unit)!;
  if (size === undefined || seconds <= 0) throw new InvalidArgumentError("Give a number and ms, s, min or h: 2s, 5min, 2h.");
  return seconds;
}
