import type { TextDataset } from "../../data/text-example.ts";
import { type BagRecipe, bagRecipe } from "./train-bag.ts";

/** What `train` needs of a text agent. */
export interface TextTraining {
  readonly name: string;
  readonly rows: number;
  readonly dModel: number;
  readonly recipe: BagRecipe;
  /** Share of the validation texts in scope that are to be asked. */
  readonly askedShare: number;
  readonly dataset: TextDataset;
}

/** The assistant's net and recipe for other texts. */
export function textTraining(name: string, dataset: TextDataset): TextTraining {
  return { name, rows: 3776, dModel: 64, recipe: bagRecipe, askedShare: 0.2, dataset };
}
