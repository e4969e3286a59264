import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "../../core/system/private-file.ts";
import { IntentModel } from "../../core/text/intent-model.ts";
import type { TextExample } from "../../data/text-example.ts";
import { judgeTexts, scoreVerdicts, type TextScore } from "../../eval/text/score-texts.ts";
import { runFiles } from "../run-folder.ts";
import { exportText } from "./export-text.ts";
import type { TextTraining } from "./text-training.ts";
import { trainBag } from "./train-bag.ts";

export interface TrainTextOptions {
  readonly seed: number;
  readonly dir: string; // of this seed: model.dmm and metrics.json go there
  readonly onEpoch: (epoch: number, epochs: number, loss: number) => void;
  readonly signal?: AbortSignal;
  readonly epochs?: number;
}

export interface TextRunMetrics {
  readonly agent: string;
  readonly seed: number;
  readonly epochs: number;
  readonly imageBytes: number;
  readonly temperature: number;
  readonly threshold: number;
  readonly validation: TextScore;
}

/** Trains one seed, exports and scores it on the validation texts, and writes its folder. */
export function trainText(training: TextTraining, options: TrainTextOptions): TextRunMetrics {
  const { name, rows, dModel, askedShare, dataset } = training;
  const { seed, dir, signal } = options;
  const recipe = { ...training.recipe, epochs: options.epochs ?? training.recipe.epochs };
  const net = trainBag({
    shape: { rows, dModel, labels: dataset.labels },
    examples: dataset.fit,
    ...{ seed, recipe },
    ...(signal ? { signal } : {}),
    onEpoch: (epoch, loss) => options.onEpoch(epoch, recipe.epochs, loss),
  });
  const image = (metrics: Record<string, number>): Uint8Array =>
    exportText(net, {
      fit: dataset.fit,
      validation: dataset.validation,
      askedShare,
      outOfScope: dataset.outOfScope,
      manifest: { name, language: "en", provenance: { ...dataset.provenance, trainedWith: `dormouse train, seed ${seed}`, seed }, metrics },
    });
  const bytes = image({});
  const model = IntentModel.load(bytes);
  const metrics: TextRunMetrics = {
    agent: name,
    seed,
    epochs: recipe.epochs,
    imageBytes: bytes.length,
    temperature: model.manifest.temperature,
    threshold: model.image.threshold / 32768,
    validation: scoreVerdicts(judgeTexts(model, inScope(dataset.validation, dataset.outOfScope), dataset.outOfScope)),
  };
  mkdirSync(dir, { recursive: true });
  const { accuracy, askedFraction, localAccuracy } = metrics.validation;
  writeWhole(join(dir, runFiles.image), image({ accuracy, askedFraction, localAccuracy }));
  writeWhole(join(dir, runFiles.metrics), `${JSON.stringify(metrics, undefined, 1)}\n`);
  return metrics;
}

function inScope(examples: readonly TextExample[], outOfScope: readonly string[]): TextExample[] {
  return examples.filter(({ label }) => !outOfScope.includes(label));
}
