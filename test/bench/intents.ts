import { join } from "node:path";
import { loadAssistantTexts } from "../../agents/assistant/train.ts";
import { createIntentClassifier } from "../../host/cloud/intents/classify.ts";
import { openEncoder } from "../../host/cloud/intents/encoder.ts";
import { writeHead } from "../../host/cloud/intents/head.ts";
import { HEAD_FILE } from "../../host/cloud/intents/open-intents.ts";
import type { Output } from "../../host/core/system/output.ts";
import { packageRoot } from "../../host/core/system/package-root.ts";
import { writeWhole } from "../../host/core/system/private-file.ts";
import { IntentModel } from "../../host/core/text/intent-model.ts";
import { loadClinc150 } from "../../host/data/clinc150.ts";
import { trainIntents } from "../../host/train/text/train-intents.ts";

export interface IntentsReport {
  readonly inScope: number; // share of the test queries in scope that are right
  readonly sure: number; // share of them that the worker is sure of
  readonly sureRight: number; // share of those that are right
  readonly outOfScopeSure: number; // share of the queries out of scope that it is sure of
  readonly headBytes: number;
}

/** Trains the head of `cloud --provider intents` on CLINC150 and our phrasings, scores it on CLINC150's test queries, and may save it. */
export async function benchIntents(out: Output, data: string, isSaved: boolean): Promise<IntentsReport> {
  const folder = join(packageRoot(), "agents", "assistant");
  const encoder = await openEncoder();
  const words = await IntentModel.open(join(folder, "model.dmm"));
  const progress = out.progress("texts encoded");
  const head = await trainIntents({ ...loadAssistantTexts(data, "final"), encoder, words, seed: 1, onEmbedded: progress.at });
  progress.end();
  const file = writeHead(head);
  if (isSaved) writeWhole(join(folder, HEAD_FILE), file);
  const classifier = createIntentClassifier({ encoder, head, words });
  const { test, outOfScope } = loadClinc150(data);
  const intents = await classifier.classify(test.map(({ text }) => text));
  const strange = await classifier.classify(outOfScope.test.map(({ text }) => text));
  const isRight = intents.map(({ intent }, i) => intent === test[i]!.label);
  const share = (some: readonly boolean[]) => some.filter(Boolean).length / some.length;
  return {
    inScope: share(isRight),
    sure: share(intents.map(({ isSure }) => isSure)),
    sureRight: share(isRight.filter((_, i) => intents[i]!.isSure)),
    outOfScopeSure: share(strange.map(({ isSure }) => isSure)),
    headBytes: file.length,
  };
}
