import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT_NEVER } from "../../../assembly/layout.ts";
import { writeImage } from "../../../host/core/image/image-write.ts";
import type { SyntheticParameters } from "../../../host/data/synthetic.ts";
import { writePrior } from "../../../host/personalize/prior.ts";
import { activityShaped } from "../../golden/random-image.ts";
import { priorFor } from "../personalize/support.ts";

const LABELS = ["walking", "upstairs", "downstairs", "sitting", "standing", "laying"];
const IMU = [0, 0, 0, 0, 0, 0];

/** A wearer who only trembles: enough for frames. */
export const TREMBLING: SyntheticParameters = {
  version: 1,
  frameRateHz: 50,
  wearers: [
    Object.fromEntries(
      LABELS.map((label) => [
        label,
        { mean: [2048, ...IMU.slice(1)], meanDeviation: IMU, noise: IMU.map(() => ({ deviation: 200, ar: [0.5, 0.1] as const })) },
      ]),
    ),
  ],
};

/** A folder that is removed by `remove`. */
export function tempFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "dormouse-cli-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Writes an agent with random weights into `folder`; it is never sure, so it asks at every decision. */
export function writeAgent(folder: string, agentSource?: string): string {
  const image = activityShaped(7);
  const unsure = { ...image, exits: image.exits.map((exit) => ({ ...exit, threshold: EXIT_NEVER })) };
  writeFileSync(join(folder, "model.dmm"), writeImage(unsure));
  writeFileSync(join(folder, "lda-prior.safetensors"), writePrior(priorFor(image.lda!, 7), image.lda!));
  writeFileSync(join(folder, "synthetic.json"), JSON.stringify(TREMBLING));
  writeFileSync(
    join(folder, "agent.ts"),
    agentSource ??
      `import { defineAgent } from "dormouse-edge";
const name: string = "trembler";
export default defineAgent({
  name, model: "model.dmm", prior: "lda-prior.safetensors", teacher: ["model.dmm"], synthetic: "synthetic.json",
  sensor: { kind: "imu" }, asks: { intervalHops: 1, deadlineSeconds: 10, holdSeconds: 0 },
});
`,
  );
  return folder;
}
