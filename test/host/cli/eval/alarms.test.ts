import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeImage } from "../../../../host/core/image/image-write.ts";
import { activityShaped } from "../../../golden/random-image.ts";
import { cli } from "../fake-io.ts";
import { tempFolder, writeAgent } from "../temp-agent.ts";

const FRAMES = 130;

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
  writeTinySisFall(folder.path);
  writeAlarmAgent("class-1");
});
afterEach(() => folder.remove());

/** Three trials of noise: a fall and a daily one of SA03, a daily one of SE06. */
function writeTinySisFall(parent: string): void {
  const dir = join(parent, "SisFall");
  ["SA03/F01_SA03_R01", "SA03/D01_SA03_R01", "SE06/D01_SE06_R01"].forEach((path, k) => {
    mkdirSync(join(dir, path, ".."), { recursive: true });
    const row = (i: number): string =>
      Array.from({ length: 9 }, (_, c) => Math.round(300 * Math.sin((i + 1) * (c + 2) * (k + 1) * 0.37))).join(", ");
    writeFileSync(join(dir, `${path}.txt`), Array.from({ length: 4 * FRAMES }, (_, i) => `${row(i)};\n`).join(""));
  });
}

/** An agent with random weights whose second label is an alarm, and whose test wearers are in the tiny SisFall. */
function writeAlarmAgent(alarm: string): void {
  writeAgent(
    folder.path,
    `import { defineAgent } from "dormouse-edge";
export default defineAgent({ name: "tripper", model: "model.dmm", sensor: { kind: "imu" }, alarm: "${alarm}", data: "sisfall" });
`,
  );
  const image = activityShaped(7);
  const protocol = { fit: ["SA01"], select: ["SA02"], calibrate: ["SA04"], test: ["SA03", "SE06"] };
  writeFileSync(join(folder.path, "model.dmm"), writeImage({ ...image, hopPatches: 4, manifest: { ...image.manifest, protocol } }));
}

const evaluate = (...args: string[]) => cli(["eval", folder.path, "--data", folder.path, "--json", ...args]);

describe("eval of an agent with an alarm", () => {
  it("scores its alarms, young and elderly apart, under the agreed keys, the same on every engine", async () => {
    const runs = await Promise.all(["scalar", "simd"].map((engine) => evaluate("--engine", engine)));
    expect(runs.map(({ code }) => code)).toEqual([0, 0]);
    const documents = runs.map(({ stdout }) => JSON.parse(stdout) as Record<string, unknown>);
    expect(documents[0]).toMatchObject({
      agent: "tripper",
      engine: "scalar",
      sensitivity: expect.any(Number),
      young: { specificity: expect.any(Number), falseAlarmsPerHour: expect.any(Number) },
      elderly: { sensitivity: null, specificity: expect.any(Number) },
      trials: { falls: 1, daily: 2 },
      hours: (2 * FRAMES) / 50 / 3600,
      subjects: ["SA03", "SE06"],
      missed: expect.any(Array),
      falseAlarms: expect.any(Array),
      imageBytes: expect.any(Number),
      arenaBytes: expect.any(Number),
      parameters: expect.any(Number),
      imageHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      decisionsHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    for (const document of documents) expect({ ...document, engine: "" }).toEqual({ ...documents[0], engine: "" });
  });

  it("has nothing to say where every wearer of the list is missing, and says whom it looked for", async () => {
    const { code, stdout } = await evaluate("--wearers", "calibrate");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "EVAL_NO_RECORDINGS", message: expect.stringContaining("SA04") } });
  });

  it.each([["--protocol", "stream"], ["--cascade"], ["--fault", "all"], ["--runs", "runs"]])(
    "refuses %s %s: alarms are scored one way",
    async (...args) => {
      const { code, stdout } = await evaluate(...args.filter((arg) => arg !== undefined));
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({
        error: { code: "EVAL_OPTIONS", message: expect.stringMatching(/^tripper is scored by its alarms/) },
      });
    },
  );

  it("refuses an alarm that the model has no label for", async () => {
    writeAlarmAgent("thunder");
    const { code, stdout } = await evaluate();
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "ALARM_UNKNOWN", message: expect.stringContaining('"thunder"') } });
  });
});
