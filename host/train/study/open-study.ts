import { augmentationStudy } from "./augmentation.ts";
import { distillationStudy } from "./distillation.ts";
import { quantisationStudy } from "./quantisation.ts";
import { searchStudy } from "./search.ts";
import type { Study, StudyName, StudyPlan } from "./study.ts";

const studies: Readonly<Record<StudyName, (plan: StudyPlan) => Study>> = {
  augmentation: augmentationStudy,
  distillation: distillationStudy,
  quantisation: quantisationStudy,
  search: searchStudy,
};

export function openStudy(name: StudyName, plan: StudyPlan): Study {
  return studies[name](plan);
}
