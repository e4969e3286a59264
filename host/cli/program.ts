import { Command, CommanderError, Help, type Option } from "commander";
import { failureDocument, reportFailure } from "../core/system/output.ts";
import { plainLines } from "../core/system/plain-text.ts";
import { textWithoutSecrets } from "../core/system/secrets.ts";
import type { CliIo } from "../core/system/surroundings.ts";
import { packageVersion } from "./common/version.ts";

type Register = (program: Command, io: CliIo) => void;

/** Every verb by the heading that the help shows it under, in the help's order. A verb is loaded when it is used. */
const VERBS: Readonly<Record<string, Readonly<Record<string, () => Promise<Register>>>>> = {
  "Try and run:": {
    demo: async () => (await import("./verbs/demo.ts")).registerDemo,
    run: async () => (await import("./verbs/run.ts")).registerRun,
    diary: async () => (await import("./verbs/diary.ts")).registerDiary,
    cloud: async () => (await import("./verbs/cloud.ts")).registerCloud,
    broker: async () => (await import("./verbs/broker.ts")).registerBroker,
    provision: async () => (await import("./verbs/provision.ts")).registerProvision,
    ota: async () => (await import("./verbs/ota.ts")).registerOta,
  },
  "Train and score:": {
    train: async () => (await import("./verbs/train.ts")).registerTrain,
    eval: async () => (await import("./verbs/eval.ts")).registerEval,
    simulate: async () => (await import("./verbs/simulate.ts")).registerSimulate,
    import: async () => (await import("./verbs/import.ts")).registerImport,
    generate: async () => (await import("./verbs/generate.ts")).registerGenerate,
    "eval-lm": async () => (await import("./verbs/eval-lm.ts")).registerEvalLm,
  },
  "Put on a device:": {
    fits: async () => (await import("./verbs/fits.ts")).registerFits,
    build: async () => (await import("./verbs/build.ts")).registerBuild,
    flash: async () => (await import("./verbs/flash.ts")).registerFlash,
    emulate: async () => (await import("./verbs/emulate.ts")).registerEmulate,
    monitor: async () => (await import("./verbs/monitor.ts")).registerMonitor,
  },
  "Look up:": {
    inspect: async () => (await import("./verbs/inspect.ts")).registerInspect,
    doctor: async () => (await import("./verbs/doctor.ts")).registerDoctor,
    boards: async () => (await import("./verbs/boards.ts")).registerBoards,
    agents: async () => (await import("./verbs/agents.ts")).registerAgents,
  },
};

/** The command `dormouse`, with every verb or with the one of that name alone. */
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
  for (const [heading, verbs] of Object.entries(VERBS)) {
    program.commandsGroup(heading);
    for (const [name, load] of Object.entries(verbs)) if (only === undefined || only === name) (await load())(program, io);
  }
  for (const verb of program.commands) verb.showHelpAfterError(`(dormouse ${verb.name()} --help shows how)`);
  return program;
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
 * The verb whose registration alone answers these arguments: loading them all takes several times Node's own start. `--version` needs
 * none; help and unknown verbs need all (undefined).
 */
function neededVerb([first]: readonly string[]): string | undefined {
  if (first === "--version") return first;
  return Object.values(VERBS).some((verbs) => first !== undefined && Object.hasOwn(verbs, first)) ? first : undefined;
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
