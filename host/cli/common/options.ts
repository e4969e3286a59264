import { type Command, InvalidArgumentError, Option } from "commander";
import { SHARES, type Share } from "../../assistant/assistant-types.ts";
import type { EngineName } from "../../core/session/session-types.ts";
import { ConfigError } from "../../core/system/errors.ts";
import { radioKinds } from "../../power/board-power.ts";

/** Parses a number of at least `least`. */
export function numberAtLeast(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value) || value < least)
      throw new InvalidArgumentError(`Give a number of at least ${least}.`);
    return value;
  };
}

/** Parses a whole number from `least` to `most`. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`Give a whole number from ${least}${most === Number.MAX_SAFE_INTEGER ? "" : ` to ${most}`}.`);
    return value;
  };
}

/** Parses a probability above 0. */
export function probability(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError("Give a number above 0, at most 1.");
  return value;
}

/** Parses a speed: sensor seconds per second; 0 and `max` mean no pacing. */
export function parseSpeed(text: string): number {
  if (text === "max" || text === "0") return Number.POSITIVE_INFINITY;
  return numberAtLeast(0.01)(text);
}

/** Parses `i/N`, the first worker being 0/N. */
export function parseWorker(text: string): { index: number; count: number } {
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const index = Number(match?.[1]);
  const count = Number(match?.[2]);
  if (match === null || count < 1 || index >= count) throw new InvalidArgumentError("Give i/N with 0 ≤ i < N, e.g. 0/2.");
  return { index, count };
}

/** Parses `in,out`: two prices. */
export function parsePrices(text: string): { prompt: number; completion: number } {
  const [prompt, completion, ...rest] = text.split(",").map(Number);
  if (!(prompt! >= 0) || !(completion! >= 0) || rest.length > 0) throw new InvalidArgumentError("Give two prices, e.g. 0.15,0.60.");
  return { prompt: prompt!, completion: completion! };
}

/** Parses `activity,battery,time`, or none of them: what an ask may tell of the wearer. */
export function parseShares(text: string): readonly Share[] {
  const shares = text.split(",").filter((part) => part !== "" && part !== "none");
  const unknown = shares.find((part) => !SHARES.includes(part as Share));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`"${unknown}" is none of ${SHARES.join(", ")}. Write e.g. activity,time or none.`);
  return shares as Share[];
}

/** Throws OPTION_ALONE if the command line has one of `flags`: they have no effect without `other`. */
export function refuseWithout(command: Command, other: string, ...flags: readonly string[]): void {
  const names = givenOf(command, flags);
  if (names === undefined) return;
  throw new ConfigError("OPTION_ALONE", `${names} would change nothing without ${other}: give that, too, or leave ${names} out.`);
}

/** Throws OPTION_UNUSED if the command line has one of `flags`: they have no effect with `other`. */
export function refuseWith(command: Command, other: string, ...flags: readonly string[]): void {
  const names = givenOf(command, flags);
  if (names !== undefined) throw new ConfigError("OPTION_UNUSED", `${names} would change nothing with ${other}: leave ${names} out.`);
}

function givenOf(command: Command, flags: readonly string[]): string | undefined {
  const given = command.options.filter(
    (option) => flags.includes(option.long ?? "") && command.getOptionValueSource(option.attributeName()) === "cli",
  );
  return given.length === 0 ? undefined : given.map(({ long }) => long).join(" and ");
}

export const jsonOption = (): Option => new Option("--json", "print one JSON document on stdout, everything else on stderr").default(false);

export const engineOption = (): Option =>
  new Option("--engine <name>", "run the model on this build of the core; the results are bit-identical")
    .choices(["scalar", "simd"] satisfies EngineName[])
    .default("simd");

export const speedOption = (): Option =>
  new Option("--speed <n>", "replay this many sensor seconds per second; max or 0: no pacing").default(1).argParser(parseSpeed);

export const secondsOption = (): Option =>
  new Option("--seconds <n>", "stop after this many sensor seconds (default: at Ctrl-C or at the end of the recording)").argParser(
    numberAtLeast(0.02),
  );

/** The board that a run on this machine is governed as. */
export const boardOption = (): Option => new Option("--board <id>", "apply this board's power and thermal model");

export const radioOption = (): Option => new Option("--radio <kind>", "compute the energy of asks for this radio").choices(radioKinds);
