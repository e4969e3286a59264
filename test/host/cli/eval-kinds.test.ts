import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readImage } from "../../../host/core/image/image-read.ts";
import { writeImage } from "../../../host/core/image/image-write.ts";
import { faultNames } from "../../../host/data/sensor-faults.ts";
import { writePrior } from "../../../host/personalize/prior.ts";
import type { UserGain } from "../../../host/simulate/adapt.ts";
import type { AskFormCost } from "../../../host/simulate/ask-forms.ts";
import { activityShaped } from "../../golden/random-image.ts";
import { priorFor } from "../personalize/support.ts";
import { cli } from "./fake-io.ts";
import { tempFolder, writeAgent } from "./temp-agent.ts";
import { writeTinyHapt } from "./tiny-hapt.ts";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
  writeAgent(folder.path);
  writeTinyHapt(folder.path, [3, 4, 5]);
});
afterEach(() => folder.remove());

/** Folders as `train` leaves them, each with the agent's own image. */
function writeRuns(seeds: readonly number[]): void {
  for (const seed of seeds) {
    const run = join(folder.path, "runs", `seed-${seed}`);
    mkdirSync(run, { recursive: true });
    cpSync(join(folder.path, "model.dmm"), join(run, "model.dmm"));
  }
}

const evaluate = async (...args: string[]) => {
  const { code, stdout } = await cli(["eval", folder.path, "--data", join(folder.path, "HAPT"), "--json", ...args]);
  return { code, text: stdout, document: JSON.parse(stdout) as Record<string, Record<string, unknown>> };
};

describe("eval --cascade", () => {
  it("prints device, cloud and both together under the agreed keys, the same each time", async () => {
    const { code, text, document } = await evaluate("--cascade", "--alpha", "0.01");
    expect(code).toBe(0);
    expect(document).toMatchObject({
      agent: "trembler",
      windows: 4,
      edge: { accuracy: expect.any(Number) },
      cloud: { accuracy: expect.any(Number), members: 1, contextPatches: 128 },
      cascade: { accuracy: expect.any(Number), askedFraction: expect.any(Number), cloudComputeFraction: expect.any(Number) },
      guarantee: { alpha: 0.01, delta: 0.1, isCertified: false, coverage: 0, localErrorRate: null },
      users: { score: [5], tune: [3, 4], certify: [4] },
    });
    const curve = document.curve as unknown as { askedFraction: number }[];
    expect(curve.map(({ askedFraction }) => askedFraction)).toEqual(Array.from({ length: 21 }, (_, i) => i / 20));
    expect((document.calibration!.cloud as { bins: unknown[] }).bins).toHaveLength(15);
    expect((await evaluate("--cascade", "--alpha", "0.01")).text).toBe(text);
  });

  it("asks everything where nothing is certified", async () => {
    const { document } = await evaluate("--cascade");
    expect(document.certified).toMatchObject({ askedFraction: 1, cloudComputeFraction: 1 });
  });

  it("rehearses on other wearers: the scored ones choose nothing", async () => {
    const { document } = await evaluate("--cascade", "--wearers", "calibrate");
    expect(document.users).toEqual({ score: [4], tune: [3], certify: [3] });
  });

  it.each([
    [["--cascade", "--protocol", "window"], /leave --protocol window out/],
    [["--fault", "no-gyro", "--protocol", "policy"], /window or stream/],
    [["--runs", "runs", "--protocol", "policy"], /--runs goes with --protocol window or stream, or with --adapt/],
    [["--adapt", "--no-float"], /leave it out/],
    [["--forms", "--no-float"], /leave it out/],
    [["--fault", "all", "--no-float"], /leave it out/],
  ])("refuses %j", async (args, message) => {
    const { code, document } = await evaluate(...args);
    expect(code).toBe(1);
    expect(document.error).toMatchObject({ code: "EVAL_OPTIONS", message: expect.stringMatching(message) });
  });

  it.each(["0", "1", "half"])("refuses an alpha of %s", async (alpha) => {
    const { code, stderr } = await cli(["eval", folder.path, "--data", folder.path, "--cascade", "--alpha", alpha]);
    expect(code).toBe(1);
    expect(stderr).toContain("between 0 and 1");
  });
});

describe("eval --adapt", () => {
  it("runs each user without and with personalisation, and prints the gain, its interval and the worst", async () => {
    const { code, document } = await evaluate("--adapt");
    expect(code).toBe(0);
    expect(document).toMatchObject({
      protocol: "adapt",
      parameters: 7 * 261,
      interval: { level: 0.95 },
      worst: { user: "5" },
      scored: [5],
    });
    const [user] = document.users as unknown as UserGain[];
    const share = { model: expect.any(Number), shown: expect.any(Number) };
    expect(user).toMatchObject({
      user: "5",
      asked: { before: expect.any(Number), after: expect.any(Number) },
      before: share,
      after: share,
    });
    expect(user!.learned).toBeLessThanOrEqual(user!.asked.after);
    expect(user!.gain).toBe(user!.after.shown - user!.before.shown);
    expect(document.meanGain).toBe(user!.gain);
    const { stdout } = await cli(["eval", folder.path, "--data", join(folder.path, "HAPT"), "--adapt"]);
    expect(stdout).toMatch(/mean gain \S+ points \(95 % interval over users \S+ to \S+\), worst user 5/);
  });

  it("takes the prior beside another image, and that of the agent where there is none", async () => {
    const beside = join(folder.path, "run");
    mkdirSync(beside);
    cpSync(join(folder.path, "model.dmm"), join(beside, "model.dmm"));
    expect((await evaluate("--adapt", "--model", join(beside, "model.dmm"))).code).toBe(0);
    writeFileSync(join(beside, "lda-prior.safetensors"), "torn");
    const args = ["eval", folder.path, "--data", join(folder.path, "HAPT"), "--adapt", "--model", join(beside, "model.dmm")];
    const { code, stderr } = await cli(args);
    expect(code).not.toBe(0);
    expect(stderr).toContain(join(beside, "lda-prior.safetensors"));
  });

  it("adapts the image of every seed of a folder, with the agent's cloud", async () => {
    writeRuns([1, 2]);
    const one = (await evaluate("--adapt")).document;
    const runs = ["--adapt", "--runs", join(folder.path, "runs")];
    const { code, document } = await evaluate(...runs);
    expect(code).toBe(0);
    const { imageHash, users, meanGain } = one;
    expect(document).toMatchObject({ protocol: "adapt", seeds: [1, 2], meanGain: { mean: meanGain, sd: 0 }, interval: { level: 0.95 } });
    expect(document.users).toMatchObject([{ user: "5", gain: meanGain, gains: [meanGain, meanGain] }]);
    expect(document.runs).toMatchObject([1, 2].map((seed) => ({ seed, imageHash, users, meanGain })));
    const { stdout } = await cli(["eval", folder.path, "--data", join(folder.path, "HAPT"), ...runs]);
    expect(stdout).toMatch(/user +seed 1 +seed 2 +mean/);
  });

  it.each([
    ["no seed", () => undefined, "EVAL_NO_RUNS", "no seed-<n>/model.dmm"],
    [
      "a seed that scores other wearers",
      () => {
        writeRuns([1, 2]);
        const image = readImage(new Uint8Array(readFileSync(join(folder.path, "model.dmm"))));
        const { manifest } = image;
        const other = { ...manifest, protocol: { ...manifest.protocol, test: [6] } };
        writeFileSync(join(folder.path, "runs", "seed-2", "model.dmm"), writeImage({ ...image, manifest: other }));
      },
      "EVAL_RUNS_DIFFER",
      "seed-2 in",
    ],
    [
      "a prior of another image beside a seed's",
      () => {
        writeRuns([1, 2]);
        const { lda } = activityShaped(8);
        writeFileSync(join(folder.path, "runs", "seed-2", "lda-prior.safetensors"), writePrior(priorFor(lda!, 8), lda!));
      },
      "PRIOR_MISMATCH",
      join("seed-2", "lda-prior.safetensors"),
    ],
  ])("refuses a folder with %s before the work", async (_, write, code, message) => {
    write();
    const { document, code: status } = await evaluate("--adapt", "--runs", join(folder.path, "runs"));
    expect(status).toBe(1);
    expect(document.error).toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it("has no use for an alpha", async () => {
    const { code, stderr } = await cli(["eval", folder.path, "--data", folder.path, "--adapt", "--alpha", "0.01"]);
    expect(code).not.toBe(0);
    expect(stderr).toContain("--alpha");
  });
});

describe("eval --forms", () => {
  it("runs the agent once per form of ask, and prints bytes, millijoules and accuracy", async () => {
    const { code, document } = await evaluate("--forms");
    expect(code).toBe(0);
    const forms = document.forms as unknown as AskFormCost[];
    expect(forms.map(({ form, atExit }) => [form, atExit])).toEqual([
      ["features", undefined],
      ["raw", undefined],
      ...[0, 1, 2].map((exit) => ["activations", exit]),
    ]);
    for (const { asked, bytesPerAsk, sensorBytesPerAsk, millijoulesPerAsk, cloudRight } of forms) {
      expect(asked).toBeGreaterThan(0);
      expect(sensorBytesPerAsk).toBeGreaterThan(0);
      expect(bytesPerAsk).toBeGreaterThan(sensorBytesPerAsk);
      expect(millijoulesPerAsk["lte-m"]).toBeGreaterThan(millijoulesPerAsk.ble);
      expect(cloudRight).toBeLessThanOrEqual(1);
    }
    const [features, raw] = forms;
    expect(raw!.sensorBytesPerAsk).toBe(32 * 48); // a window of int16 samples
    expect(features!.sensorBytesPerAsk).not.toBe(raw!.sensorBytesPerAsk);
  });
});

describe("eval --protocol policy", () => {
  it("sets exits alone beside full depth on the same decisions", async () => {
    const { code, document } = await evaluate("--protocol", "policy");
    expect(code).toBe(0);
    expect(document).toMatchObject({ protocol: "policy", decisions: 5, answered: 0 });
    expect(document.exitsAlone).toMatchObject({
      chosenOn: [3, 4],
      thresholds: [expect.any(Number), expect.any(Number), expect.any(Number), 0],
      accuracy: expect.any(Number),
      fullDepth: { accuracy: expect.any(Number), meanMacs: expect.any(Number) },
      computeShare: expect.any(Number),
      rebuildFraction: expect.any(Number),
      afterRebuild: { decisions: expect.any(Number) },
    });
    const byExit = document.exitsAlone!.answeredByExit as number[];
    expect(byExit.reduce((sum, n) => sum + n, 0)).toBe(5);
  });
});

describe("eval --fault", () => {
  it.each(["window", "stream"])("scores a faulty sensor by the %s protocol", async (protocol) => {
    const sound = (await evaluate("--protocol", protocol)).document;
    const faulty = (await evaluate("--protocol", protocol, "--fault", "no-gyro")).document;
    expect(faulty).toMatchObject({ protocol, fault: "no-gyro", windows: 4, held: 0, resets: 0 });
    expect(faulty.hash).not.toBe(sound.hash);
    expect(sound).not.toHaveProperty("fault");
  });

  it("all: sets every fault beside the sound sensor, by both protocols", async () => {
    const { document } = await evaluate("--fault", "all");
    const faults = document.faults as unknown as { fault: string; window: { hash: string }; stream: { held: number } }[];
    expect(faults.map(({ fault }) => fault)).toEqual(["none", ...faultNames]);
    expect(faults[0]!.window.hash).toBe((await evaluate()).document.hash);
    expect(faults[3]!.stream.held).toBeGreaterThan(0);
  });
});
