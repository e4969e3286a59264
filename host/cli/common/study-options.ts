import { Option } from "commander";
import { studySizes } from "../../train/study/study.ts";
import { wholeNumber } from "./options.ts";

export const studyOptions = (): Option[] => [
  new Option(
    "--study <name>",
    "compare targets, number formats or shapes by short trainings on the select wearers; writes to runs/studies/<name> unless --out is given",
  ).choices(Object.keys(studySizes)),
  new Option("--trials <n>", `try this many shapes, with --study search (default: ${studySizes.search.trials})`).argParser(
    wholeNumber(1, 400),
  ),
  new Option("--part <name>", "with --study: compute this part alone").hideHelp(), // for the processes of a study
];
