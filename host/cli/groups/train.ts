import { registerCapture } from "../verbs/capture.ts";
import { registerEval } from "../verbs/eval.ts";
import { registerEvalLm } from "../verbs/eval-lm.ts";
import { registerGenerate } from "../verbs/generate.ts";
import { registerImport } from "../verbs/import.ts";
import { registerNew } from "../verbs/new.ts";
import { registerSimulate } from "../verbs/simulate.ts";
import { registerTrain } from "../verbs/train.ts";

/** The verbs below "Train and score", in the help's order. */
export const registers = [
  registerNew,
  registerCapture,
  registerTrain,
  registerEval,
  registerSimulate,
  registerImport,
  registerGenerate,
  registerEvalLm,
];
