import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cli } from "./fake-io.ts";
import { tempFolder } from "./temp-agent.ts";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
  writeFileSync(join(folder.path, "file"), "in the way");
});
afterEach(() => folder.remove());

const run = (...args: string[]) => cli(args, { cwd: folder.path });

describe("a path that cannot be written", () => {
  it.each([
    ["there is no such folder", "simulate", "activity", "--html", "none/day.html"],
    ["a file is in the way", "simulate", "activity", "--back-to-back", "--html", "file/day.html"],
    ["it is a folder", "simulate", "activity", "--data", ".", "--wearers", "select", "--tune", "."],
    ["a file is in the way", "build", "activity", "--board", "pico", "--out", "file"],
    ["a file is in the way", "build", "activity", "--board", "raspberry-pi-5", "--out", "file/deb"],
    ["a file is in the way", "build", "activity", "--target", "c", "--out", "file"],
    ["there is no such folder", "build", "activity", "--board", "nrf52840-dk", "--out", "out", "--key", "none/k.pem"],
    ["a file is in the way", "train", "activity", "--data", ".", "--out", "file"],
    ["there is no such folder", "monitor", "file", "--capture", "none/x.dls"],
  ])("is named before the work, with the reason (%s): %s %s %s %s %s", async (reason, ...args) => {
    const { code, stdout, stderr } = await run(...args, "--json");
    expect(code).toBe(1);
    expect(stderr).toContain(`dormouse: cannot write ${folder.path}`);
    expect(stderr).toContain(reason);
    expect(stderr).not.toContain("unexpected");
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "FILE_UNWRITABLE" } });
    expect(readFileSync(join(folder.path, "file"), "utf8")).toBe("in the way");
  });

  it("is written where it can be", async () => {
    const { code, stdout } = await run("simulate", "activity", "--hours", "0.1", "--no-baselines", "--html", "day.html");
    expect(code).toBe(0);
    expect(stdout).toContain("0.1 h");
    expect(existsSync(join(folder.path, "day.html"))).toBe(true);
  });
});

describe("build --key", () => {
  it("leaves no new key behind for a layout that is refused", async () => {
    const { code, stdout } = await run("build", "activity", "--board", "pico", "--key", "k.pem", "--out", "out", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "NO_MCUBOOT" } });
    expect(readdirSync(folder.path)).toEqual(["file"]);
  });
});

describe("monitor", () => {
  it("says of a folder, and of a file without a frame, that it is none", async () => {
    const inFolder = await run("monitor", ".");
    expect(inFolder.code).toBe(1);
    expect(inFolder.stderr).toContain("is a folder");
    const inText = await run("monitor", "file");
    expect(inText.code).toBe(1);
    expect(inText.stderr).toContain("holds no link frame");
  });
});
