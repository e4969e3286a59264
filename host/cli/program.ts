import { Command, CommanderError, Help, type Option } from "commander";
import { ConfigError } from "../core/system/errors.ts";
import { describeLoadFailure } from "../core/system/load-failure.ts";
import { failureDocument, reportFailure } from "../core/system/output.ts";
import { plainLines } from "../core/system/plain-text.ts";
import { textWithoutSecrets } from "../core/system/secrets.ts";
import type { CliIo } from "../core/system/surroundings.ts";
import { packageVersion } from "./common/version.ts";

type Register = (program: Command, io: CliIo) => void;

/**
 * The help's headings, each with its verbs in the help's order. A group is loaded when one of its verbs is used: all of them take several
 * times Node's own start, and a file per verb would need more open files than a small limit allows.
 */
const GROUPS = {
  "Try and run:": {
    verbs: ["demo", "run", "gateway", "diary", "cloud", "broker", "provision", "ota", "fleet", "watch"],
    load: () => import("./groups/run.ts"),
  },
  "Train and score:": {
    verbs: ["new", "capture", "train", "eval", "simulate", "import", "generate", "eval-lm"],
    load: () => import("./groups/train.ts"),
  },
  "Put on a device:": { verbs: ["fits", "build", "flash", "emulate", "monitor"], load: () => import("./groups/device.ts") },
  "Look up:": { verbs: ["inspect", "doctor", "boards", "agents"], load: () => import("./groups/look-up.ts") },
};

/** The command `dormouse`, with every verb or with the group of that verb alone. */
export async function createProgram(io: CliIo, only?: string): Promise<Command> {
  const program = new Command("dormouse");
  program
    .description("Run, train and ship always-on agents for wearables: they decide on the device and ask the cloud only when unsure.")
    .version(packageVersion(), "--version")
    .configureOutput({
      writeOut: (text) => io.stdout(text),
      writeErr: (text) => io.stderr(text),
      outputError: (text, write) => write(plainLines(textWithoutSecrets(text))),
    })
    .configureHelp({ showGlobalOptions: false, optionDescription: describeOption })
    .showHelpAfterError("(dormouse <verb> --help shows how)")
    .exitOverride();
  program.addHelpText("after", "\nExample:\n  $ dormouse demo            run a wearer, a broker and a cloud worker in this terminal");
  for (const [heading, { verbs, load }] of Object.entries(GROUPS)) {
    if (only !== undefined && !verbs.includes(only)) continue;
    program.commandsGroup(heading);
    for (const register of await loaded(load)) register(program, io);
  }
  for (const verb of program.commands) verb.showHelpAfterError(`(dormouse ${verb.name()} --help shows how)`);
  return program;
}

async function loaded(load: () => Promise<{ readonly registers: readonly Register[] }>): Promise<readonly Register[]> {
  try {
    return (await load()).registers;
  } catch (cause) {
    const failure = describeLoadFailure(cause);
    throw failure === undefined ? cause : new ConfigError("PROGRAM_UNLOADABLE", failure, { cause });
  }
}

/** An option's description, with "required" if it is, without "default: false" and "default: []", which every flag and list would repeat. */
function describeOption(option: Option): string {
  const text = new Help().optionDescription(option).replace(/ \(default: (false|\[\])\)$/, "");
  return option.mandatory ? `${text} (required)` : text;
}

/** Ends with an error if help is wanted of a verb that there is not: commander would print the whole help instead. */
function checkHelpedVerb(program: Command, [verb, ...rest]: readonly string[]): void {
  if (verb === undefined || verb.startsWith("-") || verb === "help" || !(rest.includes("--help") || rest.includes("-h"))) return;
  if (program.commands.some((one) => one.name() === verb)) return;
  program.error(`error: unknown command '${verb}'`, { code: "commander.unknownCommand" });
}

/**
 * The verb whose group alone answers these arguments. `--version` needs none; help and unknown verbs need all (undefined).
 */
function neededVerb([first]: readonly string[]): string | undefined {
  if (first === "--version") return first;
  return Object.values(GROUPS).some(({ verbs }) => first !== undefined && verbs.includes(first)) ? first : undefined;
}

/** Runs one command line (without node and script) and returns the exit code. Never throws. */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  const isJson = args.includes("--json");
  try {
    const program = await createProgram(io, neededVerb(args));
    checkHelpedVerb(program, args);
    await program.parseAsync([...args], { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      // commander has printed it on stderr; an error of a verb (dormouse.…) follows the verb's document
      const isUsage = error.exitCode !== 0 && error.code.startsWith("commander.");
      if (isUsage && isJson) failureDocument(io, "USAGE", error.message.replace(/^error: /, ""));
      return error.exitCode;
    }
    return reportFailure(io, error, isJson);
  }
}
