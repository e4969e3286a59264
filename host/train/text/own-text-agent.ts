import { existsSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "../../core/system/private-file.ts";
import { runFiles } from "../run-folder.ts";
import type { TextTraining } from "./text-training.ts";

/** Writes the agent.ts that makes a folder with model.dmm an agent; one that is there is its author's and stays. Returns whether it did. */
export function writeOwnTextAgent(dir: string, { name, dataset }: TextTraining): boolean {
  const path = join(dir, runFiles.agent);
  if (existsSync(path)) return false;
  const local = dataset.labels.filter((label) => !dataset.outOfScope.includes(label));
  writeWhole(
    path,
    `import { defineTextAgent } from "dormouse-edge";

export default defineTextAgent({
  name: ${JSON.stringify(name)},
  model: "model.dmm",
  text: { language: "en" },
  local: ${JSON.stringify(local)},
});
`,
  );
  return true;
}
