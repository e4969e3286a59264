import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cli } from "./fake-io.ts";
import { tempFolder, writeAgent } from "./temp-agent.ts";
import { writeTinyHapt } from "./tiny-hapt.ts";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
  writeAgent(folder.path);
});
afterEach(() => folder.remove());

describe("simulate", () => {
  it("prints the day as one document, the same for the same seed, and draws it as a page", async () => {
    const page = join(folder.path, "day.html");
    const args = ["simulate", folder.path, "--hours", "0.1", "--report-seconds", "60", "--seed", "2", "--html", page, "--json"];
    const { code, stdout } = await cli(args);
    expect(code).toBe(0);
    const document = JSON.parse(stdout) as Record<string, unknown>;
    expect(document).toMatchObject({ agent: "trembler", board: "nrf52840-dk", radio: "ble", hours: 0.1, overspendJoules: 0 });
    expect(Object.keys(document.energyJoules as object)).toEqual(["compute", "radio", "sensor", "sleep"]);
    expect(Object.keys(document.baselines as object)).toEqual(["alwaysLocal", "alwaysCloud", "fullDepth", "mute"]);
    expect((document.asked as number) > 0).toBe(true);
    const html = readFileSync(page, "utf8");
    for (const title of ["Activity", "Power by part", "Battery", "Temperature", "Exits", "Asks"]) expect(html).toContain(title);
    expect(html).not.toMatch(/NaN|undefined|<script/);
    expect(html).toContain("Simulated from a synthetic wearer, seed 2.");
    expect(html).toContain("Without a governor, full depth, never asks: ");
    expect((await cli(args)).stdout).toBe(stdout);
  });

  it("leaves the asks of an agent without a teacher unanswered", async () => {
    const source = readFileSync(join(folder.path, "agent.ts"), "utf8").replace('teacher: ["model.dmm"], ', "");
    writeFileSync(join(folder.path, "agent.ts"), source);
    const { code, stdout, stderr } = await cli(["simulate", folder.path, "--hours", "0.1", "--seed", "2", "--json"]);
    expect(code).toBe(0);
    expect(stderr).toContain("names no teacher: no ask of this day is answered");
    const day = JSON.parse(stdout) as { asked: number };
    expect(day.asked).toBeGreaterThan(0);
    expect(day).toMatchObject({ metrics: { goodputPerSecond: 0 }, baselines: { alwaysCloud: { accuracy: 0 } } });
    const tuned = ["simulate", folder.path, "--tune", join(folder.path, "p.json"), "--wearers", "calibrate", "--data"];
    writeTinyHapt(folder.path, [3, 4, 5]);
    expect((await cli([...tuned, join(folder.path, "HAPT")])).stderr).toContain("names no teacher, so nothing can answer its asks");
  });

  it("shows heat with and without the governor", async () => {
    const page = join(folder.path, "heat.html");
    const { stdout, stderr } = await cli([
      "simulate",
      folder.path,
      "--board",
      "smart-glasses",
      "--ambient",
      "35",
      "--back-to-back",
      "--hours",
      "4",
      "--html",
      page,
      "--json",
    ]);
    const document = JSON.parse(stdout) as {
      skinMaxCelsius: number;
      limitCelsius: number;
      levelChangesPerHour: number;
      leastDuty: number;
      ungoverned: { skinMaxCelsius: number };
    };
    expect(document.skinMaxCelsius).toBeLessThanOrEqual(document.limitCelsius);
    expect(document.levelChangesPerHour).toBeLessThanOrEqual(4);
    expect(document.leastDuty).toBeGreaterThan(0);
    expect(document.ungoverned.skinMaxCelsius).toBeGreaterThan(document.limitCelsius);
    expect(stderr).toContain("with the governor");
    const html = readFileSync(page, "utf8");
    expect(html.match(/limit 42 °C<\/span>/g)).toHaveLength(1); // only where it is drawn
    for (const text of [">0.5 h<", "sustained, decisions/s", '<dd class="over">']) expect(html).toContain(text);
  });

  it("ends a day whose battery is empty, and says so above all else", async () => {
    const page = join(folder.path, "short.html");
    const day = ["simulate", folder.path, "--board", "smart-glasses", "--battery", "1", "--hours", "0.1", "--no-baselines"];
    const { stdout } = await cli([...day, "--html", page]);
    for (const text of [stdout, readFileSync(page, "utf8")]) {
      expect(text).toMatch(/Decided on \d\d\.\d % of the 0.1 h/);
      expect(text).toMatch(/The battery was empty at 00:0[45]\./);
      expect(text).toContain("The target of 168 h cannot be met on this battery: sensor, sleep and display alone empty it in 0.1 h.");
      expect(text).toMatch(/0\.1 h of battery from 1 % \(7\.\d h from full; target 168 h\)/);
      expect(text).toContain("load J");
    }
  });

  it("shows three days of heat, a row a second", async () => {
    const { code, stdout } = await cli(["simulate", folder.path, "--board", "smart-glasses", "--back-to-back", "--hours", "72", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ hours: 72, ungoverned: { leastDuty: 1 } });
  });

  it.each([
    [["--board", "linux-x64"], "BOARD_NO_POWER"],
    [["--board", "toaster"], "BOARD_UNKNOWN"],
    [["--network", "none.csv"], "TRACE_UNREADABLE"],
    [["--fault", "no-gyro"], "DAY_NO_DATA"],
    [["--tune", "policy.json"], "TUNE_WEARERS"],
  ])("refuses %j with %s", async (more, error) => {
    const { code, stdout } = await cli(["simulate", folder.path, "--hours", "0.1", ...more, "--json"]);
    expect(code).toBe(1);
    expect((JSON.parse(stdout) as { error: { code: string } }).error.code).toBe(error);
  });
});
