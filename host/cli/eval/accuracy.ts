import type { SubjectList } from "../../core/image/image-types.ts";
import type { Model } from "../../core/session/model.ts";
import { bytesText, countText, percentText, table } from "../../core/system/table.ts";
import { FAULT_SEED, type FaultName, withFault } from "../../data/sensor-faults.ts";
import { type EvalSetting, hasLearnedFromSelect, recordingsFor, requireScored, wearerRoles } from "../../eval/eval-setting.ts";
import { evaluateStream, evaluateWindows } from "../../eval/evaluate.ts";
import type { Losses } from "../../eval/protocols.ts";
import { compareWithBaselines } from "../../train/comparison.ts";
import { evaluateFloat, openFloatModel } from "../../train/evaluate-float.ts";
import { comparisonsLines } from "../../train/report/comparison-text.ts";
import { watchFaults } from "./faults.ts";

export interface AccuracyOptions {
  readonly protocol: "window" | "stream";
  readonly float: boolean; // also in floating point: window protocol, no fault
  readonly fault: FaultName | undefined;
}

/** How often each exit is right at full depth, by the window or the stream protocol, maybe with a faulty sensor: eval's JSON document. */
export function scoreAccuracy(setting: EvalSetting, { protocol, float: isFloat, fault }: AccuracyOptions) {
  const { out, agent, model, list } = setting;
  const { manifest } = model;
  const isCompared = manifest.windows !== undefined && fault === undefined; // an agent of one's own, the data set whole
  const users = wearerRoles(manifest.protocol, list).score;
  const sound = recordingsFor(setting, users);
  const dataset = { recordings: fault ? withFault(sound, fault, FAULT_SEED) : sound };
  const losses: Losses = { held: 0, resets: 0 };
  const run = protocol === "window" ? evaluateWindows : evaluateStream;
  const progress = out.progress("windows");
  const result = run(model, dataset, { users, onWindow: progress.at, losses });
  progress.end();
  requireScored(result.windows, users);
  const last = result.exits.at(-1)!;
  const floatModel = isFloat && protocol === "window" && fault === undefined ? openFloatModel(agent, out) : undefined;
  const inFloat = out.progress("windows in floating point");
  const float = floatModel && evaluateFloat(floatModel, model.image.lda, dataset, { users, onWindow: inFloat.at }).exits.at(-1)!.accuracy;
  inFloat.end();
  return {
    agent: agent.definition.name,
    protocol: result.protocol,
    ...(fault === undefined ? {} : { fault, ...losses }),
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
    decisionsHash: result.decisionsSha256,
    imageHash: model.imageHash,
    labels: manifest.labels,
    users,
    ...(isCompared && { comparison: compareWithBaselines(model, setting.dataset, trainedAndScored(model, users)) }),
  };
}

/** Who the image learned from, and who is scored: the fit wearers, and in training's last phase the select wearers too. */
export function trainedAndScored(model: Model, users: SubjectList) {
  const { fit, select } = model.manifest.protocol;
  const train = hasLearnedFromSelect(model.manifest) ? [...fit, ...select] : fit;
  return { train: train.map(String), scored: users.map(String) };
}

export type AccuracyDocument = ReturnType<typeof scoreAccuracy>;

/** Says and documents scoreAccuracy. */
export function evalAccuracy(setting: EvalSetting, options: AccuracyOptions): AccuracyDocument {
  const { out, model, list } = setting;
  const document = scoreAccuracy(setting, options);
  const { labels } = model.manifest;
  const float = document.float?.accuracy;
  out.say(
    `${document.agent}, ${document.protocol} protocol, ${document.engine} core: ${document.windows} windows of ${countText(document.users.length, `${list} wearer`)}`,
  );
  if (document.fault !== undefined) out.say(`sensor fault ${document.fault}: ${document.held} gaps held, ${document.resets} resets`);
  out.say(
    `accuracy ${percentText(document.accuracy, 2)}, macro F1 ${percentText(document.macroF1, 2)}${float === undefined ? "" : `, float ${percentText(float, 2)}`}`,
  );
  out.say(
    `${document.parameters} parameters, image ${bytesText(document.imageBytes)}, arena ${bytesText(document.arenaBytes)}, wasm ${bytesText(document.wasmBytes)}`,
  );
  out.say();
  const exits = document.exits.map(({ exit, accuracy, macs }) => [exit + 1, percentText(accuracy, 2), macs]);
  for (const line of table(["exit", "accuracy", "MACs per window"], exits)) out.say(line);
  out.say();
  const confusion = document.confusion.map((row, i) => [labels[i]!, ...row]);
  for (const line of table(["truth \\ predicted", ...labels], confusion)) out.say(line);
  if (document.comparison)
    for (const line of comparisonsLines([document.comparison], trainedAndScored(model, []).train.length)) out.say(line);
  out.say(`decisions hash ${document.decisionsHash}; with the state ${document.hash}`);
  const monitor = options.fault && watchFaults(setting, [options.fault]);
  const told = { ...document, ...(monitor && { monitor }) };
  out.document(told);
  return told;
}
