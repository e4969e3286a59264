import { createIntentClassifier } from "../../cloud/intents/classify.ts";
import type { SentenceEncoder } from "../../cloud/intents/encoder.ts";
import { headLogits, type IntentHead } from "../../cloud/intents/head.ts";
import type { IntentModel } from "../../core/text/intent-model.ts";
import type { TextExample } from "../../data/text-example.ts";
import { fitTemperature } from "../../policy/certify/temperature.ts";
import { type HeadRecipe, headRecipe, trainHead } from "./train-head.ts";

export interface TrainIntentsOptions {
  readonly labels: readonly string[];
  readonly outOfScope: readonly string[];
  readonly fit: readonly TextExample[];
  /** Temperature and threshold are fitted on these, and on no other. */
  readonly validation: readonly TextExample[];
  readonly encoder: SentenceEncoder;
  /** The device's own net, with which the worker averages. */
  readonly words: IntentModel;
  readonly seed: number;
  readonly recipe?: HeadRecipe;
  readonly onEmbedded?: (done: number, all: number) => void;
}

/** The worker is sure from the probability on above which so many of the validation texts are right. */
const SURE_SHARE = 0.98;
const TEXTS_PER_PASS = 100;

/** Trains the head of a worker's intents: minutes, most of them in the encoder. The same seed and texts give the same head. */
export async function trainIntents(options: TrainIntentsOptions): Promise<IntentHead> {
  const { labels, outOfScope, fit, validation, encoder, words, seed, recipe = headRecipe } = options;
  const all = [...fit, ...validation];
  const vectors = new Float32Array(all.length * encoder.dimensions);
  for (let at = 0; at < all.length; at += TEXTS_PER_PASS) {
    const some = await encoder.embed(all.slice(at, at + TEXTS_PER_PASS).map(({ text }) => text));
    for (const [i, vector] of some.entries()) vectors.set(vector, (at + i) * encoder.dimensions);
    options.onEmbedded?.(Math.min(all.length, at + TEXTS_PER_PASS), all.length);
  }
  const labelled = (examples: readonly TextExample[]) => Int32Array.from(examples, ({ label }) => labels.indexOf(label));
  const fitVectors = vectors.subarray(0, fit.length * encoder.dimensions);
  const shape = { dimensions: encoder.dimensions, nLabels: labels.length };
  const layers = trainHead({ vectors: fitVectors, labels: labelled(fit) }, shape, seed, recipe);
  const raw: IntentHead = { encoder: encoder.name, labels, outOfScope, temperature: 1, threshold: 0, layers };
  const heldOut = vectors.subarray(fitVectors.length);
  const logits = new Float32Array(validation.length * labels.length);
  for (const i of validation.keys()) {
    const vector = heldOut.subarray(i * encoder.dimensions, (i + 1) * encoder.dimensions);
    logits.set(headLogits(raw, vector), i * labels.length);
  }
  const temperature = Math.round(1e4 * fitTemperature([{ labels: Uint8Array.from(labelled(validation)), logits: [logits] }], 0)) / 1e4;
  const head = { ...raw, temperature };
  const intents = await createIntentClassifier({ encoder, head, words }).classify(validation.map(({ text }) => text));
  return {
    ...head,
    threshold: sureFrom(intents.map(({ intent, probability }, i) => ({ probability, isRight: intent === validation[i]!.label }))),
  };
}

/** The least probability from which on `SURE_SHARE` are right; 1 if there is none. */
function sureFrom(verdicts: readonly { readonly probability: number; readonly isRight: boolean }[]): number {
  const sorted = [...verdicts].sort((a, b) => b.probability - a.probability);
  let right = 0;
  let threshold = 1;
  for (const [i, { probability, isRight }] of sorted.entries()) {
    right += Number(isRight);
    if (right / (i + 1) >= SURE_SHARE) threshold = probability;
  }
  return Math.floor(1e4 * threshold) / 1e4;
}
