import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cli } from "./fake-io.ts";
import { tempFolder, writeAgent } from "./temp-agent.ts";
import { TINY_FRAMES, writeTinyHapt } from "./tiny-hapt.ts";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
  writeAgent(folder.path);
});
afterEach(() => folder.remove());

const writeHapt = (line?: (text: string, index: number) => string): string => writeTinyHapt(folder.path, [5], line);
const evaluate = (...args: string[]) => cli(["eval", folder.path, "--data", join(folder.path, "HAPT"), ...args]);

describe("eval", () => {
  it("prints the scores under the agreed keys", async () => {
    writeHapt();
    const { code, stdout } = await evaluate("--json");
    expect(code).toBe(0);
    const document = JSON.parse(stdout) as Record<string, unknown>;
    expect(document).toMatchObject({ agent: "trembler", protocol: "window", windows: 4, engine: "simd", users: [5] });
    const keys = ["accuracy", "macroF1", "parameters", "imageBytes", "arenaBytes", "wasmBytes", "exits", "confusion", "hash"];
    for (const key of keys) expect(document).toHaveProperty(key);
    expect(Object.keys((document.exits as object[])[0]!)).toEqual(["exit", "accuracy", "macs"]);
  });

  it("writes the report as a page, and refuses one where there is none", async () => {
    writeHapt();
    const file = join(folder.path, "eval.html");
    expect((await evaluate("--protocol", "stream", "--html", file)).code).toBe(0);
    const page = readFileSync(file, "utf8");
    expect(page).toContain("<h1>trembler <span>stream protocol, simd core</span></h1>");
    expect(page).toContain('aria-label="Confusion matrix"');
    expect((await evaluate("--protocol", "policy", "--html", file)).stderr).toContain("--html goes with --protocol window or stream");
    expect((await evaluate("--html", folder.path)).stderr).toContain("cannot write");
  });

  it.each(["window", "stream"])("gives the same hash on every engine by the %s protocol", async (protocol) => {
    writeHapt();
    const runs = await Promise.all(["scalar", "simd"].map((engine) => evaluate("--protocol", protocol, "--engine", engine, "--json")));
    const hashes = runs.map(({ stdout }) => (JSON.parse(stdout) as { hash: string }).hash);
    expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(hashes).size).toBe(1);
  });

  it.each([
    [
      "a missing column",
      (text: string, i: number) => (i === 41 ? text.split(" ").slice(0, 2).join(" ") : text),
      /acc_exp01_user05\.txt:42: 2 columns/,
    ],
    ["a value that is no number", (text: string, i: number) => (i === 9 ? "NaN 0 0" : text), /acc_exp01_user05\.txt:10: "NaN"/],
    ["fewer rows than the gyroscope", (text: string, i: number) => (i === TINY_FRAMES - 1 ? "" : text), /319 rows/],
  ])("refuses a recording with %s, and names the place", async (_, spoil, message) => {
    writeHapt(spoil);
    const { code, stdout, stderr } = await evaluate();
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toMatch(message);
  });

  it.each([
    ["is not there", "nowhere"],
    ["holds no .csv file", "empty"],
  ])("says of an agent's CSV folder that it %s", async (message, name) => {
    const source = readFileSync(join(folder.path, "agent.ts"), "utf8").replace('model: "model.dmm"', 'model: "model.dmm", data: "csv"');
    writeFileSync(join(folder.path, "agent.ts"), source);
    mkdirSync(join(folder.path, "empty"));
    const { code, stderr } = await cli(["eval", folder.path, "--data", join(folder.path, name)]);
    expect(code).toBe(1);
    expect(stderr).toContain(`${name} ${message}`);
  });

  it("names the wearers that it finds no recording of", async () => {
    writeHapt();
    const { code, stdout } = await evaluate("--wearers", "calibrate", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "EVAL_NO_RECORDINGS", message: expect.stringContaining("wearers 4") } });
  });

  it("says which folder it wants when there are no recordings", async () => {
    const { code, stderr } = await evaluate();
    expect(code).toBe(1);
    expect(stderr).toContain("DIR must be the HAPT folder or its parent");
  });
});
