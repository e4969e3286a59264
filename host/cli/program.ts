import { Command, CommanderError, Help, type Option } from "commander";
import { failureDocument, reportFailure } from "../core/system/output.ts";
import { plainLines } from "../core/system/plain-text.ts";
import { textWithoutSecrets } from "../core/system/secrets.ts";
import type { CliIo } from "../core/system/surroundings.ts";
import { packageVersion } from "./common/version.ts";
import { registerAgents } from "./verbs/agents.ts";
import { registerBoards } from "./verbs/boards.ts";
import { registerBroker } from "./verbs/broker.ts";
import { registerBuild } from "./verbs/build.ts";
import { registerCloud } from "./verbs/cloud.ts";
import { registerDemo } from "./verbs/demo.ts";
import { registerDiary } from "./verbs/diary.ts";
import { registerDoctor } from "./verbs/doctor.ts";
import { registerEmulate } from "./verbs/emulate.ts";
import { registerEval } from "./verbs/eval.ts";
import { registerEvalLm } from "./verbs/eval-lm.ts";
import { registerFits } from "./verbs/fits.ts";
import { registerFlash } from "./verbs/flash.ts";
import { registerGenerate } from "./verbs/generate.ts";
import { registerImport } from "./verbs/import.ts";
import { registerInspect } from "./verbs/inspect.ts";
import { registerMonitor } from "./verbs/monitor.ts";
import { registerOta } from "./verbs/ota.ts";
import { registerProvision } from "./verbs/provision.ts";
import { registerRun } from "./verbs/run.ts";
import { registerSimulate } from "./verbs/simulate.ts";
import { registerTrain } from "./verbs/train.ts";

/** Every verb by the heading that the help shows it under, in the help's order. */
const VERBS = {
  "Try and run:": [registerDemo, registerRun, registerDiary, registerCloud, registerBroker, registerProvision, registerOta],
  "Train and score:": [registerTrain, registerEval, registerSimulate, registerImport, registerGenerate, registerEvalLm],
  "Put on a device:": [registerFits, registerBuild, registerFlash, registerEmulate, registerMonitor],
  "Look up:": [registerInspect, registerDoctor, registerBoards, registerAgents],
};

/** The command `dormouse`. */
export function createProgram(io: CliIo): Command {
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
    for (const register of verbs) register(program, io);
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

/** Runs one command line (without node and script) and returns the exit code. Never throws. */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  const isJson = args.includes("--json");
  try {
    const program = createProgram(io);
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
