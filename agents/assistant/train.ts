import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../host/core/system/package-root.ts";
import { CLINC_OUT_OF_SCOPE, loadClinc150 } from "../../host/data/clinc150.ts";
import type { TextDataset } from "../../host/data/text-example.ts";
import { expandPhrasings, type PhrasingSplit, readPhrasings } from "../../host/train/text/phrasings.ts";
import type { TextTraining } from "../../host/train/text/text-training.ts";
import { bagRecipe } from "../../host/train/text/train-bag.ts";

/** Texts that a template of ours becomes. With more of them, diary intents take queries from CLINC150's. */
const TEXTS_PER_TEMPLATE = 2;
const PHRASINGS_SEED = 1;

/**
 * CLINC150's training queries, and our phrasings of the diary's intents. `phase` select: families marked validation validate, which is how
 * sizes and recipe were chosen; final: they train too, and CLINC150's queries alone validate.
 */
export function loadAssistantTexts(dir: string, phase: "select" | "final"): TextDataset {
  const clinc = loadClinc150(dir);
  const file = join(packageRoot(), "agents", "assistant", "phrasings", "families.json");
  const phrasings = readPhrasings(JSON.parse(readFileSync(file, "utf8")));
  const texts = (split: PhrasingSplit) => expandPhrasings(phrasings, split, TEXTS_PER_TEMPLATE, PHRASINGS_SEED);
  const ours = { train: texts("train"), validation: texts("validation") };
  const known = new Set(ours.train.map(({ text }) => text));
  return {
    labels: [...clinc.intents, ...Object.keys(phrasings.intents), CLINC_OUT_OF_SCOPE],
    outOfScope: [CLINC_OUT_OF_SCOPE],
    fit: [...clinc.train, ...ours.train, ...(phase === "final" ? ours.validation : []), ...clinc.outOfScope.train],
    validation: [
      ...clinc.validation,
      ...(phase === "select" ? ours.validation.filter(({ text }) => !known.has(text)) : []),
      ...clinc.outOfScope.validation,
    ],
    provenance: { data: "CLINC150 (Larson et al. 2019) and phrasings of our own", licence: "CC BY 3.0" },
  };
}

export function assistantTraining(dir: string, phase: "select" | "final"): TextTraining {
  return {
    name: "assistant",
    rows: 3776, // the image, 258,224 B, is to stay below 262,144 B
    dModel: 64,
    recipe: bagRecipe,
    askedShare: 0.2,
    dataset: loadAssistantTexts(dir, phase),
  };
}
