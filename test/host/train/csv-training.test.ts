import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { activityTraining } from "../../../agents/activity/train.ts";
import { loadAgent } from "../../../host/agent/registry.ts";
import { openSensor } from "../../../host/agent/sensors/open-sensor.ts";
import { readImage } from "../../../host/core/image/image-read.ts";
import { IMU_CHANNELS } from "../../../host/core/image/imu-channels.ts";
import { readCsvFolder } from "../../../host/data/csv/csv-folder.ts";
import { splitSubjects } from "../../../host/data/split-subjects.ts";
import { keptFiles, writeAgentFolder } from "../../../host/train/agent-folder.ts";
import { chooseWindows } from "../../../host/train/csv/choose-windows.ts";
import { csvTraining } from "../../../host/train/csv/csv-training.ts";
import type { RunMetrics } from "../../../host/train/metrics.ts";
import { trainAgent } from "../../../host/train/run.ts";
import { openRunFolder } from "../../../host/train/run-folder.ts";
import { csvText, writeCsvFolder } from "../../support/csv-folder.ts";
import { cli } from "../cli/fake-io.ts";
import { tempFolder } from "../cli/temp-agent.ts";
import { tinyConfig, tinyRecipe } from "./support/tiny-training.ts";

const shape = { config: tinyConfig, recipe: { ...tinyRecipe, steps: 40 }, image: activityTraining.image };

const plan = (dir: string, rateHz?: number) => {
  const read = readCsvFolder(dir, { rateHz });
  return csvTraining("shaker", read, shape, { windows: chooseWindows(read).windows });
};

let folder: ReturnType<typeof tempFolder>;
let data: string;
let agent: string;
beforeEach(() => {
  folder = tempFolder();
  data = join(folder.path, "data");
  agent = join(folder.path, "agent");
  mkdirSync(data);
  writeCsvFolder(data);
});
afterEach(() => folder.remove());

// One training for all that only needs a trained agent's folder.
const shaker = tempFolder();
let metrics: RunMetrics;
beforeAll(async () => {
  const recordings = join(shaker.path, "data");
  mkdirSync(recordings);
  writeCsvFolder(recordings);
  const { training, dataset } = plan(recordings);
  ({ metrics } = await trainAgent(training, { dataset, seed: 1, outDir: shaker.path }));
});
afterAll(() => shaker.remove());

describe("an agent trained on a folder of CSV recordings", () => {
  it("is far above chance on wearers it never saw, by eval, run and inspect of its folder", async () => {
    const { training } = plan(data);
    expect(training.split).toEqual({ fit: ["1", "4", "6"], test: ["2", "7"], calibrate: ["3", "8"], select: ["5"] });
    cpSync(shaker.path, agent, { recursive: true });
    writeAgentFolder(agent, training, metrics);

    const { manifest, frameRateMillihertz } = readImage(new Uint8Array(readFileSync(join(agent, "model.dmm"))));
    expect(frameRateMillihertz).toBe(50_000);
    expect(manifest).toMatchObject({ name: "shaker", labels: ["shaken", "still"], protocol: { test: ["2", "7"] } });
    expect(manifest.channels).toEqual([
      { name: "x", unit: "g", countsPerUnit: 8192 },
      { name: "spin", unit: "", countsPerUnit: 128 },
    ]);

    for (const protocol of ["window", "stream"]) {
      const { code, stdout, stderr } = await cli(["eval", agent, "--data", data, "--protocol", protocol, "--json"]);
      expect(stderr).not.toMatch(/dormouse: /);
      expect(code).toBe(0);
      const document = JSON.parse(stdout) as { accuracy: number; windows: number; users: string[] };
      expect(document).toMatchObject({ users: ["2", "7"], windows: 12 });
      expect(document.accuracy).toBeGreaterThan(0.8);
    }
    const inspected = await cli(["inspect", join(agent, "model.dmm"), "--json"]);
    expect(JSON.parse(inspected.stdout)).toMatchObject({ name: "shaker", labels: ["shaken", "still"] });

    const loaded = await loadAgent(agent);
    expect(loaded.definition.sensor).toMatchObject({ kind: "custom", channels: 2, rateHz: 50 });
    const sensor = openSensor(`replay:${join(data, "s02_day.csv")}`, loaded, folder.path);
    const whole = openSensor(`replay:${data}#user=2`, loaded, folder.path);
    let frames = 0;
    for await (const _ of whole) frames++;
    expect(frames).toBe(600);
    expect(() => openSensor(`replay:${data}#exp=2`, loaded, folder.path)).toThrow(
      /wearers 1, 2, 3, 4, 5, 6, 7, 8\. They are chosen by a wearer alone, as in replay:DIR#user=1, CSV recordings also by file/,
    );
    const truths = new Set<string | undefined>();
    for await (const { truth } of sensor) truths.add(truth);
    expect([...truths]).toEqual(["still", "shaken", undefined]);
    expect(readFileSync(join(agent, "report.html"), "utf8")).toMatch(/^<!doctype html>[\s\S]*shaken[\s\S]*<\/html>\n$/);
    expect(readFileSync(join(agent, "CARD.md"), "utf8")).toContain("| test | 2 7 |");
  });

  it.each([
    ["a spike", "1e9", /^Channel spin: 1 of its values lie beyond ±\d+ and are cut to that, the first is 1000000000 in .*s04_day\.csv\.$/],
    ["a dropout far below", "-1e9", /-1000000000 in .*s04_day\.csv/],
  ])("has the scale and the features of the rest where one sample is %s", (_, glitch, cut) => {
    const before = plan(data);
    expect(before.cuts).toEqual([]);
    const path = join(data, "s04_day.csv");
    writeFileSync(path, readFileSync(path, "utf8").replace(/^(1\.000,[^,]+),[^,]+,/m, `$1,${glitch},`));
    const { training, dataset, cuts } = plan(data);
    const spin = (of: typeof training) => [of.features.stepCounts[1]! / of.manifest.channels[1]!.countsPerUnit];
    expect(spin(training)[0]! / spin(before.training)[0]!).toBeCloseTo(1, 2);
    expect(training.manifest.channels[0]).toEqual(before.training.manifest.channels[0]);
    expect(training.manifest.channels[1]!.countsPerUnit).toBe(16); // twice 8 times the usual 95 fits
    expect(cuts).toEqual([expect.stringMatching(cut)]);
    const { frames } = dataset.recordings.find(({ subject }) => subject === "4")!;
    expect(frames[2 * 50 + 1]).toBe(glitch === "1e9" ? 32767 : -32768);
  });

  it("keeps impacts of up to eight times the usual whole", () => {
    const path = join(data, "s04_day.csv");
    writeFileSync(path, readFileSync(path, "utf8").replace(/^(1\.000,[^,]+),[^,]+,/m, "$1,600,"));
    const { training, dataset, cuts } = plan(data);
    const { countsPerUnit } = training.manifest.channels[1]!;
    expect(cuts).toEqual([]);
    expect(dataset.recordings.find(({ subject }) => subject === "4")!.frames[2 * 50 + 1]).toBe(600 * countsPerUnit);
  });

  it("takes a channel that rests but for a few samples by those", () => {
    const change = (name: string, row: (at: string) => string) => {
      const path = join(data, `${name}_day.csv`);
      writeFileSync(
        path,
        readFileSync(path, "utf8").replace(/^([\d.]+),([^,\n]+),[^,\n]+,/gm, (_, at, x) => `${at},${x},${row(at)},`),
      );
    };
    for (const name of ["s01", "s06"]) change(name, () => "0");
    change("s04", (at) => (at === "1.000" ? "1" : "0"));
    expect(plan(data).training.manifest.channels[1]!.countsPerUnit).toBe(8192);
  });

  it("keeps a card that its author has changed", () => {
    const { training } = plan(data);
    cpSync(shaker.path, agent, { recursive: true });
    writeFileSync(join(agent, "CARD.md"), "mine");
    writeAgentFolder(agent, training, metrics);
    expect(readFileSync(join(agent, "CARD.md"), "utf8")).toBe("mine");
    expect(keptFiles(agent)).toEqual([
      expect.stringMatching(/^Kept .*CARD\.md, .* would write: # Model card: shaker \/ .* more lines\. Delete the file/),
    ]);
  });

  it("has its agent.ts and its card written again by another training, each while nobody has changed it", () => {
    const train = (rateHz: number) => {
      openRunFolder(agent, true); // as another training begins
      writeAgentFolder(agent, plan(data, rateHz).training, metrics);
    };
    const [source, card] = [join(agent, "agent.ts"), join(agent, "CARD.md")];
    train(50);
    train(40);
    expect(readFileSync(source, "utf8")).toContain("rateHz: 40");
    expect(readFileSync(card, "utf8")).toContain("40 Hz.");
    expect(keptFiles(agent)).toEqual([]);
    writeFileSync(source, readFileSync(source, "utf8").replace("defineAgent({", "defineAgent({\n  // on the left wrist"));
    expect(keptFiles(agent)).toEqual([]); // changed, but nothing in it is out of date
    train(50);
    expect(readFileSync(source, "utf8")).toContain("rateHz: 40");
    expect(readFileSync(card, "utf8")).toContain("50 Hz.");
    expect(keptFiles(agent)).toEqual([expect.stringMatching(/^Kept .*agent\.ts, .* would write: sensor: .*rateHz: 50.*\. Delete/)]);
    writeFileSync(join(agent, "generated.json"), "{");
    train(40);
    expect(readFileSync(card, "utf8")).toContain("50 Hz."); // who wrote it is not known
  });

  it.each([
    ["imu", IMU_CHANNELS],
    ["imu", IMU_CHANNELS.map((channel) => ({ ...channel, countsPerUnit: 512 }))],
    ["custom", IMU_CHANNELS.map((channel) => ({ ...channel, unit: "ppm" }))],
    ["custom", IMU_CHANNELS.slice(0, 3)],
  ])("has a sensor of the kind %s when its columns say so", async (kind, channels) => {
    const { training } = plan(data);
    mkdirSync(agent);
    writeAgentFolder(agent, { ...training, manifest: { ...training.manifest, channels } }, metrics);
    expect((await loadAgent(agent)).definition.sensor).toMatchObject({ kind, channels: channels.length });
  });

  it.each([
    [
      "too few wearers",
      () => writeFileSync(join(data, "s02_day.csv"), csvText(2)),
      /of 2 wearers \(1, 2\): at least 3 are needed.*Record more/,
      2,
    ],
    [
      "a label of one wearer who is not fitted on",
      () => writeFileSync(join(data, "s02_day.csv"), csvText(2).replace(/,still\n/g, ",rolled\n")),
      /no window of the label "rolled" is in the recordings of those that the agent learns from\. Choose --fold 2/,
      8,
    ],
    [
      "a channel that never moves",
      (text: (name: string, change: (text: string) => string) => void) => {
        for (const name of ["s01", "s04", "s06"]) text(name, (all) => all.replace(/^([\d.]+),([^,\n]+),[^,\n]+,/gm, "$1,$2,7,"));
      },
      /channel spin is 7 throughout for the fit wearers: leave it out with --ignore spin/,
      8,
    ],
    [
      "a small signal on a large constant",
      (text: (name: string, change: (text: string) => string) => void) => {
        for (const name of ["s01", "s04", "s06"])
          text(name, (all) => all.replace(/^([\d.]+),([^,\n]+),([^,\n]+),/gm, (_, t, x, s) => `${t},${x},${101325 + Number(s) / 100},`));
      },
      /channel spin varies by .* around 1\.013e\+5: in 16 bits that is lost/,
      8,
    ],
    [
      "recordings of a few samples",
      (text: (name: string, change: (text: string) => string) => void) => {
        for (const name of ["s01", "s04", "s06"])
          text(
            name,
            (all) =>
              `${all
                .split("\n")
                .slice(0, 301)
                .filter((_, i) => i < 60 || i > 240)
                .join("\n")}\n${all.split("\n").slice(302, 360).join("\n")}\n`,
          );
      },
      /most of the fit wearers' recordings are shorter than 128 samples/,
      8,
    ],
  ])("is refused with %s, and says what to do", (_, damage, message, wearers) => {
    folder.remove();
    mkdirSync(data, { recursive: true });
    writeCsvFolder(data, wearers);
    damage((name, change) => {
      const path = join(data, `${name}_day.csv`);
      writeFileSync(path, change(readFileSync(path, "utf8")));
    });
    expect(() => plan(data)).toThrow(message);
  });
});

it("splits wearers by their position in ascending order, whatever order they come in", () => {
  const { fit, select, calibrate, test } = splitSubjects(["10", "9", "b", "1", "2", "a", "10"]);
  expect({ fit, select, calibrate, test }).toEqual({ fit: ["1", "10", "b"], test: ["2"], calibrate: ["9"], select: ["a"] });
  expect(splitSubjects(["1", "2", "3", "4"])).toEqual({ fit: ["1", "4"], test: ["2"], calibrate: ["3"], select: [] });
  const tested = [0, 1, 2, 3, 4].map((fold) => splitSubjects(["1", "2", "3", "4", "5"], fold).test);
  expect(tested.flat().sort()).toEqual(["1", "2", "3", "4", "5"]);
});

describe("dormouse train --name", () => {
  it("gives the same bytes with one worker and with two, and the mean over seeds", async () => {
    const run = (out: string, ...more: string[]) =>
      cli([
        "train",
        "--data",
        data,
        "--name",
        "shaker",
        "--steps",
        "2",
        "--seeds",
        "2",
        "--teachers",
        "0",
        "--out",
        join(folder.path, out),
        ...more,
      ]);
    const [one, two] = [await run("one", "--workers", "1"), await run("two", "--workers", "2", "--json")];
    expect(one.code, one.stderr).toBe(0);
    expect(two.code, two.stderr).toBe(0);
    for (const file of ["seed-1/model.dmm", "seed-2/model.dmm", "seed-1/model.safetensors", "summary.json"])
      expect(readFileSync(join(folder.path, "two", file))).toEqual(readFileSync(join(folder.path, "one", file)));
    const summary = JSON.parse(two.stdout) as { seeds: number[]; window: { mean: number; sd: number }[] };
    expect(summary).toMatchObject({ agent: "shaker", seeds: [1, 2], heldOut: ["3", "8"] });
    expect(summary.window).toHaveLength(4);
    expect(summary.window[0]!.sd).toBeGreaterThanOrEqual(0);
    const { stdout } = one;
    expect(stdout).toMatch(/held-out wearers 3, 8 \(\d+ windows\), the thresholds fitted on them\n/);
    expect(stdout).toMatch(/seed 2: Not certified: exits answer from thresholds that cost .* points on the calibrate wearers/);
    expect(stdout).toMatch(/always "shaken" +50\.00 % .*\nLDA on statistics +100\.00 % .*\nagent /);
    expect(two.stderr).toMatch(/seed 2: step 2 of 2, loss/);
    expect(one.stderr).toMatch(/8 CSV recordings of 8 wearers, 50 Hz, 2 channels: 96 s in all, 3\.2 s without a label\./);
  });

  it.each([
    [["--name", "Bad Name"], /Give lower-case letters/],
    [[], /name a bundled agent .* or give --name/],
    [["activity", "--name", "x"], /name a bundled agent .* or give --name/],
    [["gestures"], /no training recipe for agent "gestures".*--name gestures/],
    [["--name", "x", "--seed", "1", "--seeds", "2"], /cannot be used with/],
    [["activity", "--rate", "50"], /--rate goes with --name/],
    [["activity", "--dry-run"], /--dry-run goes with --name/],
    [["--name", "x", "--window", "2 weeks"], /Give a number and ms, s, min or h/],
    [["activity", "--trials", "3"], /--trials and --part go with --study/],
    [["activity", "--study", "quantisation", "--phase", "select"], /leave --float, --phase and --rate out/],
  ])("refuses %j", async (args, message) => {
    const { code, stderr } = await cli(["train", "--data", data, ...args]);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});
