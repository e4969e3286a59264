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

/** Every verb, in the order that the help shows. */
const VERBS = [
  registerDemo,
  registerRun,
  registerDiary,
  registerCloud,
  registerBroker,
  registerProvision,
  registerOta,
  registerTrain,
  registerEval,
  registerSimulate,
  registerFits,
  registerBuild,
  registerFlash,
  registerEmulate,
  registerInspect,
  registerImport,
  registerGenerate,
  registerEvalLm,
  registerMonitor,
  registerDoctor,
  registerBoards,
  registerAgents,
];

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
  for (const register of VERBS) register(program, io);
  for (const verb of program.commands) verb.showHelpAfterError(`(dormouse ${verb.name()} --help shows how)`);
  return program;
}

/** An option's description without "default: false" and "default: []", which every flag and list would repeat. */
function describeOption(option: Option): string {
  return new Help().optionDescription(option).replace(/ \(default: (false|\[\])\)$/, "");
}

/** Runs one command line (without node and script) and returns the exit code. Never throws. */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  const isJson = args.includes("--json");
  try {
    await createProgram(io).parseAsync([...args], { from: "user" });
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
