import { EXIT_NEVER } from "../../../assembly/layout.ts";
import { IntentModel } from "../../core/text/intent-model.ts";
import { type TextImage, writeTextImage } from "../../core/text/text-image.ts";
import type { TextManifest } from "../../core/text/text-manifest.ts";
import type { TextExample } from "../../data/text-example.ts";
import { fitTemperature, temperatureScale } from "../../policy/certify/temperature.ts";
import type { BagNet } from "./bag-net.ts";
import { quantiseBag } from "./quantise-bag.ts";

export interface ExportTextOptions {
  /** What the net was trained on: gives the ranges of int8. */
  readonly fit: readonly TextExample[];
  /** What temperature and threshold are fitted on; held out of the training. */
  readonly validation: readonly TextExample[];
  /** Share of the validation texts in scope that fall below the threshold. Default 0.2. */
  readonly askedShare?: number;
  /** Labels that the device never answers: texts out of scope. */
  readonly outOfScope: readonly string[];
  readonly manifest: Omit<TextManifest, "labels" | "temperature" | "parameters">;
}

/** A net as an image: int8, its temperature and threshold fitted on the validation texts by the integers that the device computes. */
export function exportText(net: BagNet, options: ExportTextOptions): Uint8Array {
  const { fit, validation, askedShare = 0.2, outOfScope, manifest } = options;
  const parameters = net.table.length + net.weights.length + net.bias.length;
  const image = (temperature: number, threshold: number): TextImage => ({
    ...tensors,
    threshold,
    temperature: temperatureScale(temperature),
    manifest: { ...manifest, labels: net.labels, parameters, temperature },
  });
  const tensors = quantiseBag(net, fit);
  const logits = validationLogits(writeTextImage(image(1, EXIT_NEVER)), validation);
  const labels = Uint8Array.from(validation, ({ label }) => net.labels.indexOf(label));
  const temperature = Math.round(1e4 * fitTemperature([{ labels, logits: [logits] }], 0)) / 1e4;
  const model = IntentModel.load(writeTextImage(image(temperature, 0)));
  const inScope = validation.filter(({ label }) => !outOfScope.includes(label));
  const scores = inScope.map(({ text }) => {
    const { intent, probability } = model.classify(text);
    return outOfScope.includes(intent) ? 0 : probability;
  });
  scores.sort((a, b) => a - b);
  const threshold = Math.round(32768 * (scores[Math.floor(askedShare * scores.length)] ?? 1));
  return writeTextImage(image(temperature, threshold));
}

/** Logits of an image in real units, (texts, labels). */
function validationLogits(image: Uint8Array, examples: readonly TextExample[]): Float32Array {
  const model = IntentModel.load(image);
  const { nClasses } = model.image;
  const out = new Float32Array(examples.length * nClasses);
  for (const [i, { text }] of examples.entries()) {
    model.classify(text);
    for (const [c, q10] of model.logits().entries()) out[i * nClasses + c] = q10 / 1024;
  }
  return out;
}
