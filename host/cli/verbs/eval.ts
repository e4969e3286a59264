import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { type HaptDataset, loadHapt } from "../../agent/hapt.ts";
import { type LoadedAgent, loadAgent, openAgentModel } from "../../agent/registry.ts";
import { ModelError } from "../../core/errors.ts";
import type { Model } from "../../core/model.ts";
import type { EngineName, SetPoint } from "../../core/session-types.ts";
import { evaluateFloat, evaluatePolicy, evaluateStream, evaluateWindows } from "../../train/evaluate.ts";
import { readFloatModel } from "../../train/float-forward.ts";
import type { CliIo } from "../io.ts";
import { engineOption, jsonOption } from "../options.ts";
import { createOutput, type Output } from "../output.ts";
import { bytesText, percentText, table } from "../table.ts";

interface EvalOptions {
  readonly json: boolean;
  readonly data: string;
  readonly protocol: "window" | "stream" | "policy";
  readonly engine: EngineName;
  readonly float: boolean;
}

const PROGRESS_WINDOWS = 500;
/** HAPT labels 1–6; the postural transitions follow. */
const BASIC_ACTIVITIES = 6;

/** `dormouse eval`: how right a model is on the recordings of wearers that it was not made with. */
export function registerEval(program: Command, io: CliIo): void {
  program
    .command("eval")
    .description("Score an agent's model on the test wearers of HAPT, with the INT8 core and in floating point.")
    .argument("<agent>", "a bundled agent's name, or the path of an agent.ts")
    .requiredOption("--data <dir>", "folder of HAPT, or its parent")
    .addOption(
      new Option(
        "--protocol <name>",
        "window: from a reset state; stream: whole recordings, state carried; policy: a stream that may exit early or ask",
      )
        .choices(["window", "stream", "policy"])
        .default("window"),
    )
    .addOption(engineOption())
    .option("--no-float", "leave the floating-point run out")
    .addOption(jsonOption())
    .addHelpText("after", "\nExample:\n  $ dormouse eval activity --data ~/data --protocol stream --engine scalar --json")
    .action((agent: string, options: EvalOptions) => evaluate(io, agent, options));
}

async function evaluate(io: CliIo, name: string, options: EvalOptions): Promise<void> {
  const out = createOutput(io, options.json);
  const agent = await loadAgent(name, io.cwd);
  const model = await openAgentModel(agent, { engine: options.engine });
  const { manifest } = model;
  out.note(`Reading HAPT from ${options.data} …`);
  const dataset = loadHapt(resolve(io.cwd, options.data));
  const users = manifest.protocol.test;
  if (options.protocol === "policy") return evaluateUnderPolicy(out, agent, model, dataset);
  const onWindow = progress(out);
  const run = options.protocol === "window" ? evaluateWindows : evaluateStream;
  const result = run(() => model.createSession(), dataset, { users, onWindow });
  const last = result.exits.at(-1)!;
  const float = options.float && options.protocol === "window" ? floatAccuracy(out, agent, dataset, users) : undefined;
  const document = {
    agent: agent.definition.name,
    protocol: result.protocol,
    windows: result.windows,
    accuracy: last.accuracy,
    macroF1: last.macroF1,
    parameters: manifest.parameters,
    imageBytes: model.imageBytes,
    arenaBytes: model.arenaBytes,
    wasmBytes: model.wasmBytes,
    engine: model.engine,
    exits: result.exits.map(({ accuracy, macs }, exit) => ({ exit, accuracy, macs })),
    ...(float === undefined ? {} : { float: { accuracy: float } }),
    confusion: last.confusion,
    hash: result.sha256,
    imageHash: model.imageHash,
    labels: manifest.labels,
    users,
  };
  out.say(
    `${document.agent}, ${document.protocol} protocol, ${document.engine} core: ${document.windows} windows of ${users.length} test wearers`,
  );
  out.say(
    `accuracy ${percentText(document.accuracy, 2)}, macro F1 ${percentText(document.macroF1, 2)}${float === undefined ? "" : `, float ${percentText(float, 2)}`}`,
  );
  out.say(
    `${document.parameters} parameters, image ${bytesText(document.imageBytes)}, arena ${bytesText(document.arenaBytes)}, wasm ${bytesText(document.wasmBytes)}`,
  );
  out.say();
  const exits = document.exits.map(({ exit, accuracy, macs }) => [exit + 1, percentText(accuracy, 2), macs]);
  for (const line of table(["exit", "accuracy", "MACs a window"], exits)) out.say(line);
  out.say();
  const confusion = last.confusion.map((row, i) => [manifest.labels[i]!, ...row]);
  for (const line of table(["truth \\ said", ...manifest.labels], confusion)) out.say(line);
  out.say(`hash ${document.hash}`);
  out.document(document);
}

/** Early exits and asks as the image's own certificate allows them, every hop of whole recordings. */
function evaluateUnderPolicy(out: Output, agent: LoadedAgent, model: Model, dataset: HaptDataset): void {
  const { exits, hopPatches, manifest } = model.image;
  const transition = manifest.labels.indexOf("transition");
  const setPoint: SetPoint = {
    maxExit: exits.length - 1,
    hopPatches,
    askAllowed: true,
    limitReason: "none",
    askIntervalHops: agent.definition.asks.intervalHops,
    thresholds: [],
  };
  const classOf = (label: number): number => (label > BASIC_ACTIVITIES ? transition : label - 1);
  const result = evaluatePolicy(() => model.createSession(), dataset, { users: manifest.protocol.test, setPoint, classOf });
  const { decisions, answered, answeredRight, answeredByExit, macsPerDecision, rebuilds } = result;
  const document = {
    agent: agent.definition.name,
    protocol: "policy",
    decisions,
    answered,
    answeredFraction: answered / decisions,
    answeredAccuracy: answeredRight / Math.max(1, answered),
    answeredByExit,
    meanMacs: macsPerDecision,
    rebuilds,
    engine: model.engine,
    imageHash: model.imageHash,
    users: manifest.protocol.test,
  };
  out.say(`${document.agent}, policy: ${decisions} labelled decisions of ${document.users.length} test wearers`);
  out.say(`answered here ${percentText(document.answeredFraction, 1)}, right ${percentText(document.answeredAccuracy, 2)} of those`);
  out.say(`by exit ${answeredByExit.join(" ")}; ${Math.round(macsPerDecision)} MACs a decision, ${rebuilds} rebuilds`);
  out.document(document);
}

/** A float32 forward of the same trained weights, where the agent ships them. */
function floatAccuracy(out: Output, agent: LoadedAgent, dataset: HaptDataset, users: readonly number[]): number | undefined {
  const path = agent.modelPath.replace(/\.dmm$/, ".safetensors");
  if (!existsSync(path)) {
    out.note(`No ${path}: the floating-point run is left out.`);
    return undefined;
  }
  out.note("In floating point …");
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(readFileSync(path));
  } catch (cause) {
    throw new ModelError("FLOAT_UNREADABLE", `cannot read ${path}: check its permissions, or leave it out with --no-float.`, { cause });
  }
  return evaluateFloat(readFloatModel(bytes), dataset, { users, onWindow: progress(out) }).exits.at(-1)!.accuracy;
}

function progress(out: Output): (done: number) => void {
  return (done) => {
    if (done % PROGRESS_WINDOWS === 0) out.note(`  ${done} windows`);
  };
}
