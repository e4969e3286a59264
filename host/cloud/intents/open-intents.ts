import { join } from "node:path";
import { ConfigError } from "../../core/system/errors.ts";
import { packageRoot } from "../../core/system/package-root.ts";
import { readWhole } from "../../core/system/read-whole.ts";
import { IntentModel } from "../../core/text/intent-model.ts";
import { createIntentClassifier, type IntentClassifier } from "./classify.ts";
import { openEncoder } from "./encoder.ts";
import { readHead } from "./head.ts";

/** The head of the encoder beside the agent's own image. */
export const HEAD_FILE = "cloud-head.json";

/** The classifier of the assistant's intents. `folder`: model.dmm and cloud-head.json, default the bundled agent's. */
export async function openIntents(folder = join(packageRoot(), "agents", "assistant")): Promise<IntentClassifier> {
  const encoder = await openEncoder();
  const path = join(folder, HEAD_FILE);
  let text: string;
  try {
    text = new TextDecoder().decode(readWhole(path));
  } catch (cause) {
    throw new ConfigError("INTENTS_HEAD_MISSING", `${path} cannot be read. Train it, or reinstall the package.`, { cause });
  }
  return createIntentClassifier({ encoder, head: readHead(text), words: await IntentModel.open(join(folder, "model.dmm")) });
}
