import { expect, it } from "vitest";
import { defineTextAgent } from "../../../../host/agent/define-text-agent.ts";
import { IntentModel } from "../../../../host/core/text/intent-model.ts";
import { evaluateAssistant } from "../../../../host/eval/text/evaluate-assistant.ts";
import { exportText } from "../../../../host/train/text/export-text.ts";
import { bagRecipe, trainBag } from "../../../../host/train/text/train-bag.ts";

const of = (label: string, ...texts: string[]) => texts.map((text) => ({ text, label }));
const fit = [
  ...of("time", "what time is it", "tell me the time", "the time please", "which hour is it"),
  ...of("battery", "how full is the battery", "battery level", "charge left", "is the battery low"),
  ...of("cancel", "cancel that", "never mind cancel", "forget it cancel", "do cancel"),
  ...of("stop", "stop now", "please stop", "stop talking", "do stop"),
  ...of("oos", "who sang yellow submarine", "why do cats purr", "capital of peru", "how tall is everest"),
];
const labels = ["time", "cancel", "battery", "stop", "oos"];
const net = trainBag({ shape: { rows: 500, dModel: 16, labels }, examples: fit, seed: 1, recipe: { ...bagRecipe, epochs: 40 } });
const manifest = { name: "tiny", language: "en", provenance: { data: "own", licence: "none", trainedWith: "test", seed: 1 }, metrics: {} };
const model = IntentModel.load(exportText(net, { fit, validation: fit, askedShare: 0, outOfScope: ["oos"], manifest }));
const definition = defineTextAgent({
  name: "tiny",
  model: "model.dmm",
  text: { language: "en" },
  local: ["battery", "stop"],
  answeredAs: { cancel: "stop" },
});
const test = [...of("time", "what time is it", "tell me the time"), ...of("cancel", "cancel that"), ...of("time", "battery level")];
const clinc = { intents: ["cancel", "time"], train: [], validation: fit.slice(0, 4), test };
const outOfScope = { train: [], validation: [], test: of("oos", "why do cats purr", "charge left") };
let millis = 0;
const setting = {
  ...{ model, definition, clinc: { ...clinc, outOfScope }, now: () => (millis += 4) },
  diaryTest: [...of("stop", "do stop", "cancel that"), ...of("battery", "capital of peru")],
};

it("counts what the device answers, asks and takes for a diary intent", () => {
  const { curve, ...figures } = evaluateAssistant(setting);
  expect(figures).toEqual({
    inScopeAccuracy: 3 / 4,
    askedFraction: 0,
    localAccuracy: 3 / 4,
    localAccuracyWithOos: 3 / 5, // "charge left" is kept, and out of scope
    oosAsked: 1 / 2,
    deviceOnAsked: 0,
    diaryAccuracy: 2 / 3, // cancel is answered as stop
    diaryStrictAccuracy: 1 / 3,
    diaryAsked: 1 / 3,
    falseDiary: 2 / 6,
    falseDiaryOnTop: 2 / 6,
    imageBytes: model.imageBytes,
    microsPerQuery: 1000,
  });
  expect(curve.map(({ validationAsked }) => validationAsked)).toEqual([0.05, 0.1, 0.15, 0.2]);
});

it("joins the cloud's answers to what is asked", () => {
  const unsure = Object.create(model, {
    classify: { value: (text: string) => ({ ...model.classify(text), isSure: false }) },
  }) as IntentModel;
  const cloudIntents = ["time", "oos", "cancel", "time"];
  expect(evaluateAssistant({ ...setting, model: unsure, cloudIntents })).toMatchObject({
    askedFraction: 1,
    cloudAccuracy: 3 / 4,
    cloudOnAsked: 3 / 4,
    cascadeAccuracy: 3 / 4,
  });
  expect(evaluateAssistant({ ...setting, cloudIntents })).toMatchObject({ cascadeAccuracy: 3 / 4, cloudOnAsked: 0 });
});
