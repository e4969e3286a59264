import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { activityTraining } from "../../../agents/activity/train.ts";
import { loadTeaching, memberDir } from "../../../host/train/ensemble.ts";
import { writeFloatModel } from "../../../host/train/float-forward.ts";
import { createNetEvaluator } from "../../../host/train/net-evaluator.ts";
import { runFiles } from "../../../host/train/run-folder.ts";
import { type TrainedNet, trainNet } from "../../../host/train/train-net.ts";
import type { EnsembleMember } from "../../../host/train/training.ts";
import { tinyConfig, tinyRecipe, tinyTraining } from "./support/tiny-training.ts";

const outDir = mkdtempSync(join(tmpdir(), "dormouse-shift-"));
afterAll(() => rmSync(outDir, { recursive: true, force: true }));

const shift = Array.from({ length: tinyConfig.nClasses }, (_, c) => (c === 1 ? -1.5 : 0));
const short = { ...tinyRecipe, steps: 4 };

it("moves the trained net's exits, in a look at it while it trains too, and nothing of how it learns", async () => {
  const snapshots: TrainedNet[] = [];
  const train = (logitShift: readonly number[]) =>
    trainNet(
      tinyTraining({
        recipe: { ...short, logitShift },
        onStep: ({ step, snapshot }) => {
          if (step === 3) snapshots.push(snapshot());
        },
      }),
    );
  const [plain, moved] = [await train([]), await train(shift)];
  for (const [before, after] of [[plain, moved], snapshots] as [TrainedNet, TrainedNet][])
    for (const [name, values] of Object.entries(before.parameters))
      expect(after.parameters[name], name).toEqual(/^e\d+\.b$/.test(name) ? values.map((bias, c) => bias + shift[c]!) : values);
});

it("is taken back where a member teaches: the student's own follows", async () => {
  const options = tinyTraining({ recipe: { ...short, logitShift: shift } });
  const net = await trainNet(options);
  const training = { ...activityTraining, config: tinyConfig, features: options.features, recipe: options.recipe };
  const member: EnsembleMember = { name: "a", seed: 1, training };
  const dir = memberDir(outDir, member);
  mkdirSync(dir, { recursive: true });
  writeFileSync(
    join(dir, runFiles.weights),
    writeFloatModel({ config: tinyConfig, features: options.features, parameters: net.parameters }),
  );
  writeFileSync(join(dir, runFiles.metrics), "{}");
  const distillation = activityTraining.ensemble!.distillation;
  const { teachers } = await loadTeaching({ members: [member], distillation }, outDir);
  const seqLen = 32;
  const patches = new Float32Array(seqLen * tinyConfig.channels * tinyConfig.patchFrames).fill(0.1);
  const own = createNetEvaluator(net, options.features, false).sequences(patches, seqLen).at(-1)!;
  const taught = teachers[0]!.logits(patches, seqLen);
  taught.forEach((logit, i) => {
    expect(logit).toBeCloseTo(own[i]! - shift[i % tinyConfig.nClasses]!, 4);
  });
});
