import { expect, it } from "vitest";
import { activityTraining, labelledTraining } from "../../../agents/activity/train.ts";
import { writeImage } from "../../../host/core/image/image-write.ts";
import { createRandom } from "../../../host/core/system/random.ts";
import { makeBatch } from "../../../host/train/batches.ts";
import { startJax } from "../../../host/train/device-arrays.ts";
import { exportNet } from "../../../host/train/export.ts";
import { floatLogits, readFloatModel, writeFloatModel } from "../../../host/train/float-forward.ts";
import { createNetEvaluator } from "../../../host/train/net-evaluator.ts";
import { createObserver } from "../../../host/train/observer.ts";
import { initialParameters } from "../../../host/train/parameters.ts";
import { createReferenceSession } from "../../reference/session.ts";

const { config, features } = activityTraining;

it("exports a net whose integer logits follow the int8 imitation and the float forward", async () => {
  await startJax();
  const random = createRandom(5);
  const parameters = initialParameters(config, random);
  const frames = Int16Array.from({ length: 6 * 512 }, (_, i) => 1500 * Math.sin(i * (0.05 + 0.01 * (i % 6))) + 200 * random.normal());
  const recording = { name: "one", subject: "1", channels: 6, frames, labels: new Uint8Array(512).fill(1), segments: [] };
  const starts = Array.from({ length: 8 }, (_, i) => ({ recording, start: 40 * i }));
  const batch = makeBatch(starts, 32, random, {
    config,
    features,
    augmentation: undefined,
    labelSmoothing: 0,
    classOf: activityTraining.classOf,
    weightAt: () => 1,
    resetProbability: 0,
  });
  const net = { config, parameters, ...createObserver(config)(parameters, batch, undefined) };
  const exits = config.exits.map(() => ({ temperature: 1, threshold: 30000 }));
  const calibration = exits.map(() => ({ temperature: 1, threshold: 0.9, coverage: 0, errorBound: 1 }));
  const { provenance, ...about } = activityTraining.manifest;
  const image = writeImage(
    exportNet(net, {
      ...labelledTraining.image,
      features,
      exits,
      manifest: {
        name: "test",
        ...about,
        provenance: { ...provenance, seed: 5 },
        protocol: activityTraining.split,
        parameters: 1,
        metrics: {},
        calibration,
      },
    }),
  );
  const imitated = createNetEvaluator(net, features, true).sequences(batch.patches, 32);
  const session = createReferenceSession(image);
  let imitationGap = 0;
  let floatGap = 0;
  for (let i = 0; i < starts.length; i++) {
    session.reset();
    for (let f = 0; f < 128; f++) session.pushFrame(frames.subarray((starts[i]!.start + f) * 6, (starts[i]!.start + f + 1) * 6), f + 1);
    const floats = floatLogits(parameters, config, batch.patches.subarray(i * 768, (i + 1) * 768));
    session.logits().forEach((exit, k) => {
      exit.forEach((logit, c) => {
        imitationGap += Math.abs(logit / 1024 - imitated[k]![(i * 32 + 31) * 7 + c]!);
        floatGap += Math.abs(logit / 1024 - floats[k]![c]!);
      });
    });
  }
  const count = starts.length * config.exits.length * config.nClasses;
  expect(imitationGap / count).toBeLessThan(0.03);
  expect(floatGap / count).toBeLessThan(0.1);
});

it("reads back the float model that it wrote, and names what is wrong with a broken one", () => {
  const parameters = initialParameters(config, createRandom(1));
  const bytes = writeFloatModel({ config, features, parameters });
  expect(readFloatModel(bytes)).toEqual({ config, features, parameters });
  expect(() => readFloatModel(bytes.subarray(0, bytes.length - 4), "cut.safetensors")).toThrow(/cut\.safetensors.*e3\.b/);
});
