import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { loadAgent, loadTextAgent, openAgentModel, readsText } from "../../agent/registry.ts";
import type { EngineName } from "../../core/session/session-types.ts";
import { ConfigError } from "../../core/system/errors.ts";
import { createOutput, type Output } from "../../core/system/output.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { openRecordings } from "../../data/open-recordings.ts";
import { type FaultName, faultNames } from "../../data/sensor-faults.ts";
import { hasLearnedFromSelect, type ScoredList, scoredLists, withModel } from "../../eval/eval-setting.ts";
import { checkWritable, writeFile } from "../common/files.ts";
import { engineOption, jsonOption, numberAtLeast, refuseWith, refuseWithout } from "../common/options.ts";
import { evalAccuracy } from "../eval/accuracy.ts";
import { accuracyPage } from "../eval/accuracy-page.ts";
import { evalAdapt, evalAdaptRuns } from "../eval/adapt.ts";
import { evalAlarms } from "../eval/alarms.ts";
import { evalCascade } from "../eval/cascade.ts";
import { evalConfirmed } from "../eval/confirm.ts";
import { evalFaults } from "../eval/faults.ts";
import { evalForms } from "../eval/forms.ts";
import { evalPolicy } from "../eval/policy.ts";
import { evalRuns } from "../eval/runs.ts";
import { evalTexts } from "../eval/texts.ts";

interface EvalOptions {
  readonly json: boolean;
  readonly data: string;
  readonly protocol: "window" | "stream" | "policy";
  readonly wearers: ScoredList;
  readonly engine: EngineName;
  readonly float: boolean;
  readonly cascade: boolean;
  readonly adapt: boolean;
  readonly forms: boolean;
  readonly lost: number;
  readonly after?: number;
  readonly daily?: "hapt";
  readonly alpha: number;
  readonly delta: number;
  readonly fault?: FaultName | "all";
  readonly model?: string;
  readonly runs?: string;
  readonly html?: string;
}

/** `dormouse eval`: how right a model is on the recordings of wearers that it was not made with. */
export function registerEval(program: Command, io: CliIo): void {
  program
    .command("eval")
    .description("Score an agent's model on its test wearers, with the INT8 core and in floating point.")
    .argument("<agent>", "a bundled agent's name, or the path of an agent.ts")
    .requiredOption("--data <dir>", "read the agent's data set (HAPT, SisFall, CLINC150), CSV recordings, or a CSV file text,label")
    .addOption(
      new Option(
        "--protocol <name>",
        "score single windows from a reset state; whole recordings (stream); or a stream with early exits and asks (policy)",
      )
        .choices(["window", "stream", "policy"])
        .default("window"),
    )
    .addOption(new Option("--cascade", "score device and cloud together; unsure decisions or texts are asked").default(false))
    .addOption(
      new Option("--adapt", "adapt the LDA head to each wearer from cloud answers, score the second half of their recordings")
        .default(false)
        .conflicts("cascade"),
    )
    .addOption(
      new Option("--forms", "compare asks with features, raw samples and activations: bytes, joules, accuracy")
        .default(false)
        .conflicts(["cascade", "adapt", "fault", "runs"]),
    )
    .addOption(
      new Option("--alpha <share>", "certify at most this share of wrong local answers, with --cascade; activity ships with 0.02")
        .default(0.01)
        .argParser(share)
        .conflicts("adapt"),
    )
    .addOption(
      new Option("--delta <share>", "allow this probability that the certificate is wrong, with --cascade")
        .default(0.1)
        .argParser(share)
        .conflicts("adapt"),
    )
    .addOption(
      new Option("--lost <share>", "discard this share of the asks about alarms, with --cascade")
        .default(0)
        .argParser(wholeShare)
        .conflicts("adapt"),
    )
    .addOption(
      new Option("--after <seconds>", "wait this long from a suspicion to its ask, with --cascade (default: set by the agent)").argParser(
        numberAtLeast(0),
      ),
    )
    .addOption(
      new Option(
        "--daily <set>",
        "score alarms on the daily life of another data set, with --cascade: wearers that nothing learned from",
      ).choices(["hapt"]),
    )
    .addOption(
      new Option("--fault <name>", "inject a sensor fault; all: score every fault with both protocols, in a table")
        .choices([...faultNames, "all"])
        .conflicts(["cascade", "adapt"]),
    )
    .addOption(
      new Option("--wearers <list>", "score these wearers of the image's manifest; keep test for the final figures")
        .choices(scoredLists)
        .default("test"),
    )
    .addOption(new Option("--model <file>", "score this image of train instead; its .safetensors and prior are read from the same folder"))
    .addOption(
      new Option("--runs <dir>", "score every seed of a train folder: mean and deviation").conflicts(["cascade", "fault", "model"]),
    )
    .addOption(
      new Option("--html <file>", "write the report as an HTML page, too, with --protocol window or stream").conflicts([
        "cascade",
        "adapt",
        "forms",
        "runs",
      ]),
    )
    .addOption(engineOption())
    .option("--no-float", "skip the floating-point run")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  $ dormouse eval activity --data ~/data --protocol stream --engine scalar --json" +
        "\n  $ dormouse eval activity --data ~/data --cascade --alpha 0.01 --json" +
        "\n  $ dormouse eval fall --data ~/data --cascade --lost 0.5 --json" +
        "\n  $ dormouse eval activity --data ~/data --fault all" +
        "\n  $ dormouse eval activity --data ~/data --adapt --runs runs/activity" +
        "\n  $ dormouse eval assistant --data ~/data --runs runs/assistant",
    )
    .action((agent: string, options: EvalOptions, command: Command) => evaluate(io, agent, options, command));
}

/** A text agent has neither wearers nor exits. */
async function evaluateTexts(io: CliIo, out: Output, name: string, options: EvalOptions, command: Command): Promise<void> {
  const flags = [
    "--protocol",
    "--adapt",
    "--forms",
    "--alpha",
    "--delta",
    "--lost",
    "--after",
    "--daily",
    "--fault",
    "--wearers",
    "--engine",
    "--no-float",
    "--html",
  ];
  refuseWith(command, `agent ${name}, which reads texts`, ...flags);
  const { data, model, runs } = options;
  await evalTexts(out, await loadTextAgent(name, io.cwd), {
    data: resolve(io.cwd, data),
    ...(model === undefined ? {} : { model: resolve(io.cwd, model) }),
    ...(runs === undefined ? {} : { runs: resolve(io.cwd, runs) }),
    cascade: options.cascade,
  });
}

async function evaluate(io: CliIo, name: string, options: EvalOptions, command: Command): Promise<void> {
  const { protocol, fault } = options;
  const isGiven = (option: string): boolean => command.getOptionValueSource(option) === "cli";
  const streamed = (["cascade", "adapt", "forms"] as const).find((kind) => options[kind]);
  if (streamed !== undefined && protocol !== "stream" && isGiven("protocol"))
    throw new ConfigError("EVAL_OPTIONS", `--${streamed} streams: leave --protocol ${protocol} out.`);
  if (fault !== undefined && protocol === "policy")
    throw new ConfigError("EVAL_OPTIONS", "--fault goes with --protocol window or stream: choose one of these.");
  if (options.runs !== undefined && protocol === "policy")
    throw new ConfigError("EVAL_OPTIONS", "--runs goes with --protocol window or stream, or with --adapt: choose one of these.");
  if (!options.cascade) refuseWithout(command, "--cascade", "--alpha", "--delta", "--lost", "--after", "--daily");
  const out = createOutput(io, options.json);
  const page = options.html === undefined ? undefined : resolve(io.cwd, options.html);
  if (page !== undefined && (protocol === "policy" || fault === "all"))
    throw new ConfigError("EVAL_OPTIONS", "--html goes with --protocol window or stream, without --fault all: leave it out.");
  if (page !== undefined) checkWritable(page);
  if (await readsText(name, io.cwd)) return evaluateTexts(io, out, name, options, command);
  const own = await loadAgent(name, io.cwd);
  const agent = options.model === undefined ? own : withModel(own, resolve(io.cwd, options.model));
  const { alarm } = agent.definition;
  if (alarm !== undefined) refuseWith(command, `agent ${agent.definition.name}, which is scored by its alarms`, "--html");
  const isOdd = streamed !== undefined && streamed !== "cascade";
  if (alarm === undefined) refuseWith(command, `agent ${agent.definition.name}, which tells no alarms`, "--lost", "--after", "--daily");
  else refuseWith(command, `agent ${agent.definition.name}, which is scored by its alarms`, "--alpha", "--delta");
  if (alarm !== undefined && (isOdd || fault !== undefined || options.runs !== undefined || isGiven("protocol")))
    throw new ConfigError(
      "EVAL_OPTIONS",
      `${agent.definition.name} is scored by its alarms, whole recordings at a time: leave --protocol, --adapt, --forms, --fault and --runs out.`,
    );
  if (!options.float && (alarm !== undefined || streamed !== undefined || fault === "all" || protocol === "policy"))
    throw new ConfigError("EVAL_OPTIONS", "--no-float would change nothing, there is no floating-point run here: leave it out.");
  const model = await openAgentModel(agent, { engine: options.engine });
  if (options.daily !== undefined && isGiven("wearers"))
    throw new ConfigError("EVAL_OPTIONS", "--daily scores the wearers that nothing learned from: leave --wearers out.");
  out.note(`Reading ${options.data} …`);
  const dataset = openRecordings(resolve(io.cwd, options.data), model.manifest, agent.definition.data);
  if (options.wearers === "select" && hasLearnedFromSelect(model.manifest))
    out.note("The image has learned from the select wearers too: this tells how it fits them, not how it does with others.");
  const setting = { out, agent, model, dataset, list: options.wearers };
  const { lost, after, daily } = options;
  if (alarm !== undefined && options.cascade) return evalConfirmed(setting, { lost, after, daily, data: resolve(io.cwd, options.data) });
  if (alarm !== undefined) return evalAlarms(setting, alarm);
  const runs = options.runs === undefined ? undefined : resolve(io.cwd, options.runs);
  if (options.adapt) return runs === undefined ? evalAdapt(setting) : evalAdaptRuns(setting, runs);
  if (runs !== undefined && protocol !== "policy") return evalRuns(setting, runs, { protocol, float: options.float, fault: undefined });
  if (options.forms) return evalForms(setting);
  if (options.cascade) return evalCascade(setting, options);
  if (fault === "all") return evalFaults(setting);
  if (protocol === "policy") return evalPolicy(setting);
  const document = evalAccuracy(setting, { protocol, float: options.float, fault });
  if (page !== undefined) writeFile(page, accuracyPage(document, options.wearers));
}

/** Parses a number from 0 to 1. */
function wholeShare(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1)) throw new InvalidArgumentError("Give a number from 0 to 1, for example 0.5.");
  return value;
}

/** Parses a number between 0 and 1, both left out. */
function share(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0 && value < 1)) throw new InvalidArgumentError("Give a number between 0 and 1, for example 0.01.");
  return value;
}
