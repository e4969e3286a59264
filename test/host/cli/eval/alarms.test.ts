import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeConfirmation } from "../../../../host/cloud/confirm/confirmation-file.ts";
import { STATISTICS } from "../../../../host/cloud/confirm/statistics.ts";
import { writeImage } from "../../../../host/core/image/image-write.ts";
import { activityShaped } from "../../../golden/random-image.ts";
import { cli } from "../fake-io.ts";
import { tempFolder, writeAgent } from "../temp-agent.ts";
import { writeTinyHapt } from "../tiny-hapt.ts";

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

/** The agent of writeAlarmAgent, with suspicions at every hop and a model that confirms all of them. */
function writeSuspiciousAgent(): void {
  writeFileSync(
    join(folder.path, "agent.ts"),
    `import { defineAgent } from "dormouse-edge";
export default defineAgent({
  ...{ name: "tripper", model: "model.dmm", confirmation: "c.safetensors", sensor: { kind: "imu" }, alarm: "class-1", data: "sisfall" },
  suspicion: { label: "class-1", atExit: 0, probability: 0.000001, afterSeconds: 0.4, intervalSeconds: 0.5, deadlineSeconds: 0.5 },
});
`,
  );
  const leaf = (value: number) => ({
    roots: Int32Array.of(0),
    feature: Int16Array.of(-1),
    value: Float32Array.of(value),
    right: Int32Array.of(0),
  });
  const zeros = new Float32Array(STATISTICS);
  const confirmation = {
    ...{
      name: "sure",
      labels: activityShaped(7).manifest.labels,
      label: 1,
      patchFrames: 4,
      afterFrames: 20,
      protocol: { daily: ["HAPT 3"] },
    },
    scale: { step: Array(6).fill(0.001), zero: Array(6).fill(0) },
    ...{ boosting: leaf(5), extraTrees: leaf(0.99), operatingPoint: { mean: 0, linear: 1 } },
    linear: { means: zeros, scales: zeros.map(() => 1), limit: 6, weights: zeros, bias: 0 },
  };
  writeFileSync(join(folder.path, "c.safetensors"), writeConfirmation(confirmation));
}

describe("eval --cascade of an agent that suspects its alarms", () => {
  beforeEach(writeSuspiciousAgent);

  interface Figures {
    readonly sensitivity: number;
    readonly askedShare: number;
    readonly alarmsHash: string;
  }
  const cascade = async (...args: string[]) => {
    const { code, stdout } = await evaluate("--cascade", ...args);
    expect(code).toBe(0);
    return JSON.parse(stdout) as Record<"device" | "cloud" | "linear" | "cascade", Figures> & { cascade: { isAsDeviceAlone: boolean } };
  };

  it("prints device, cloud, linear confirmation and both together under the agreed keys", async () => {
    const document = await cascade();
    const figures = {
      ...{ sensitivity: expect.any(Number), specificity: expect.any(Number), falseAlarmsPerHour: expect.any(Number) },
      ...{ askedShare: expect.any(Number), asksPerHour: expect.any(Number), alarmsHash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    };
    expect(document).toMatchObject({
      ...{ agent: "tripper", lost: 0, falls: 1, hours: (2 * FRAMES) / 50 / 3600, users: ["SA03", "SE06"] },
      ...{ device: figures, cloud: figures, linear: { ...figures, sensitivity: 0 } },
      cascade: {
        ...{ ...figures, sensitivity: 1, latencySeconds: { p50: expect.any(Number), p95: expect.any(Number) } },
        mcnemar: { device: { falls: { onlySecond: 0 } }, linear: { falls: { onlyFirst: 1, onlySecond: 0 } } },
        curve: expect.arrayContaining([{ confirmFrom: 0.5, ...numbers("sensitivity", "specificity", "falseAlarmsPerHour") }]),
      },
    });
    expect(document.cascade.askedShare).toBeGreaterThan(0);
    expect(document.device.askedShare).toBe(0);
  });

  const numbers = (...names: string[]) => Object.fromEntries(names.map((name) => [name, expect.any(Number)]));

  it("tells the alarms of the device alone if all asks are lost", async () => {
    const document = await cascade("--lost", "1");
    expect(document.cascade.isAsDeviceAlone).toBe(true);
    expect(document.cascade.alarmsHash).toBe(document.device.alarmsHash);
    expect((await cascade()).cascade.isAsDeviceAlone).toBe(false);
    expect(await cascade("--lost", "0.5", "--after", "0.2")).toMatchObject({ draws: { draws: 20, isNeverBelowDevice: true } });
  });

  it("scores the daily life of HAPT's wearers, but for those that the model learned from", async () => {
    writeTinyHapt(folder.path, [3, 4, 5]);
    expect(await cascade("--daily", "hapt")).toMatchObject({ users: ["4", "5"], falls: 0, cascade: { sensitivity: null } });
  });
});

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

  it.each([["--protocol", "stream"], ["--adapt"], ["--forms"], ["--fault", "all"], ["--runs", "runs"]])(
    "refuses %s %s: alarms are scored one way",
    async (...args) => {
      const { code, stdout } = await evaluate(...args.filter((arg) => arg !== undefined));
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({
        error: { code: "EVAL_OPTIONS", message: expect.stringMatching(/^tripper is scored by its alarms/) },
      });
    },
  );

  it("refuses --cascade for an agent that asks nobody about its alarms, and --alpha, which certifies none", async () => {
    const { code, stdout } = await evaluate("--cascade");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: "EVAL_OPTIONS", message: expect.stringContaining("tripper tells alarms without asking") },
    });
    expect(JSON.parse((await evaluate("--cascade", "--alpha", "0.02")).stdout)).toMatchObject({ error: { code: "OPTION_UNUSED" } });
  });

  it("refuses an alarm that the model has no label for", async () => {
    writeAlarmAgent("thunder");
    const { code, stdout } = await evaluate();
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "ALARM_UNKNOWN", message: expect.stringContaining('"thunder"') } });
  });
});
