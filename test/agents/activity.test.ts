import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { activityTraining } from "../../agents/activity/train.ts";
import { Model } from "../../host/core/session/model.ts";
import { coreWasmBytes } from "../../host/core/session/module.ts";
import type { EngineName } from "../../host/core/session/session-types.ts";
import { packageRoot } from "../../host/core/system/package-root.ts";
import { loadHapt } from "../../host/data/hapt.ts";
import type { Dataset } from "../../host/data/recording.ts";
import { evaluateStream, evaluateWindows } from "../../host/eval/evaluate.ts";
import { openAdaptable } from "../../host/personalize/prior.ts";
import { evaluateFloat } from "../../host/train/evaluate-float.ts";
import { fitRules } from "../../host/train/finish.ts";
import { readFloatModel } from "../../host/train/float-forward.ts";
import { modelOn } from "../support/reference-model.ts";
import { dataDir, noData, requireAll } from "../support/require.ts";

const folder = join(packageRoot(), "agents/activity");
const open = (engine: EngineName, file = "model.dmm"): Promise<Model> => Model.open(join(folder, file), { engine });

describe("the shipped activity image", () => {
  it("keeps the budgets of a microcontroller", async () => {
    const model = await open("scalar");
    expect(model.manifest.parameters).toBeLessThanOrEqual(40_000);
    expect(model.imageBytes).toBeLessThanOrEqual(65_536);
    expect(model.arenaBytes).toBeLessThanOrEqual(20_480);
    expect(coreWasmBytes("scalar")).toBeLessThanOrEqual(32_768);
  });

  it("has a teacher of five different nets with the same input and labels", async () => {
    const student = await open("simd");
    const members = await Promise.all(["a", "b", "c", "d", "e"].map((name) => open("simd", `teacher/${name}.dmm`)));
    expect(new Set([student, ...members].map((member) => member.imageHash)).size).toBe(6);
    for (const { image, manifest } of members) {
      expect(manifest.labels).toEqual(student.manifest.labels);
      expect(image.features).toEqual(student.image.features);
    }
  });

  it("comes with the prior of its LDA head", async () => {
    const { image } = await open("simd");
    const { prior } = openAdaptable("activity", image, join(folder, "lda-prior.safetensors"));
    expect(prior.centres).toHaveLength(7 * 261);
    const diagonal = prior.deviations.map((_, f) => prior.precision[f * 261 + f]!);
    expect(Math.min(...diagonal)).toBeGreaterThan(0);
  });

  it("names disjoint wearers in its manifest", async () => {
    const { fit, select, calibrate, test } = (await open("simd")).manifest.protocol;
    const all = [...fit, ...select, ...calibrate, ...test];
    expect(new Set(all).size).toBe(30);
    expect(all).toHaveLength(30);
    expect(test.map(Number)).toEqual([2, 4, 9, 10, 12, 13, 18, 20, 24]);
  });
});

/** The shipped image's logits and labels on the test wearers, at full depth: whatever changes around the core, these stay. */
const recorded = {
  window: "b1d13431583578bdab1ccb759984d5729460119d22ef01e283ac7dc3bbb780d0",
  stream: "6a3e5efb9984d37ec069044dfc55a5172f306d59b64033d564fc30d4f24a724d",
};

const folderOfData = dataDir();
describe.skipIf(folderOfData === undefined && !requireAll)(`the shipped activity image on the test wearers (${noData})`, () => {
  let data: Dataset;
  beforeAll(() => {
    if (folderOfData === undefined) throw new Error(noData);
    data = loadHapt(folderOfData);
  });
  const users = [2, 4, 9, 10, 12, 13, 18, 20, 24];

  it("gives the same logits and states on scalar, simd and reference, on all 2,996 windows", async () => {
    const results = [];
    for (const engine of ["scalar", "simd", "reference"] as const) {
      const model = modelOn(engine, readFileSync(join(folder, "model.dmm")));
      results.push(evaluateWindows(model, data, { users }));
    }
    expect(results.map(({ windows }) => windows)).toEqual([2996, 2996, 2996]);
    expect(new Set(results.map(({ sha256 }) => sha256)).size).toBe(1);
    expect(results[0]!.decisionsSha256).toBe(recorded.window);
    // The card's figures are this run's: no number in it drifts.
    const card = readFileSync(join(folder, "CARD.md"), "utf8");
    expect(card).toContain(`${(100 * results[0]!.exits.at(-1)!.accuracy).toFixed(2)}`);
    expect(card).toContain(recorded.window.slice(0, 12));
  });

  it("has the plausibility rules that its training fits on the fit wearers", async () => {
    expect((await open("simd")).image.plausibility).toEqual(fitRules(activityTraining, data));
  });

  it("loses at most half a point from float to int8", async () => {
    const model = await open("simd");
    const int8 = evaluateWindows(model, data, { users }).exits.at(-1)!.accuracy;
    const float = evaluateFloat(readFloatModel(readFileSync(join(folder, "model.safetensors"))), model.image.lda, data, {
      users,
    }).exits.at(-1)!.accuracy;
    expect(float - int8).toBeLessThanOrEqual(0.005);
  });

  it("does not look ahead: noise in the later samples leaves every earlier logit as it was", async () => {
    const model = await open("simd");
    const { frames } = data.recordings[0]!;
    const cut = 5000;
    const hashUpTo = (mangle: boolean): string => {
      const session = model.createSession();
      const hash = createHash("sha256");
      for (let i = 0; i < cut + 400; i++) {
        const frame = frames.slice(i * 6, i * 6 + 6);
        if (mangle && i >= cut) frame.fill((i * 7919) % 2000);
        session.pushFrame(frame, i + 1);
        if (i < cut && i % 50 === 0) for (const logits of session.logits()) hash.update(Buffer.from(logits.buffer));
      }
      return hash.digest("hex");
    };
    expect(hashUpTo(true)).toBe(hashUpTo(false));
  });

  it("streams: the carried state is worth more than a window alone", async () => {
    const model = await open("simd");
    const stream = evaluateStream(model, data, { users });
    const window = evaluateWindows(model, data, { users });
    expect(stream.windows).toBe(2996);
    expect(stream.decisionsSha256).toBe(recorded.stream);
    expect(stream.exits.at(-1)!.accuracy).toBeGreaterThan(window.exits.at(-1)!.accuracy);
    expect(readFileSync(join(folder, "CARD.md"), "utf8")).toContain((100 * stream.exits.at(-1)!.accuracy).toFixed(2));
  });
});
