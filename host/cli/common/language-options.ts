import { Option } from "commander";
import { languageEngines } from "../../lm/open-language-model.ts";
import { wholeNumber } from "./options.ts";

export const languageEngineOption = (): Option =>
  new Option(
    "--engine <name>",
    "run the integer core with or without SIMD (same bits), or float32 (default: simd for an image, float for a checkpoint)",
  ).choices(languageEngines);

export const windowOption = (): Option =>
  new Option(
    "--window <n>",
    "limit attention to this many positions, a multiple of 8 (default: the model's context, at most 1024)",
  ).argParser(wholeNumber(8, 1024));

export const tokenizerOption = (): Option => new Option("--tokenizer <file>", "read the tokenizer of a llama2.c checkpoint from this file");
