import { generateKeyPairSync } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
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
  it.skipIf(process.platform === "win32")("others can read the key → it is refused, as all keys are", async () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const path = join(folder.path, "open.pem");
    writeFileSync(path, privateKey.export({ type: "pkcs8", format: "pem" }));
    chmodSync(path, 0o644);
    const { code, stdout } = await run("build", "activity", "--board", "nrf52840-dk", "--key", "open.pem", "--out", "out", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "KEY_EXPOSED" } });
  });

  it("leaves no new key behind for a layout that is refused", async () => {
    const { code, stdout } = await run("build", "activity", "--board", "pico", "--key", "k.pem", "--out", "out", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "NO_MCUBOOT" } });
    expect(readdirSync(folder.path)).toEqual(["file"]);
  });
});

describe.skipIf(process.platform === "win32")("run --data-dir", () => {
  it("others could enter the folder and read the files → they no longer can", async () => {
    const data = join(folder.path, "d");
    mkdirSync(data);
    chmodSync(data, 0o755);
    const args = ["--broker", "mqtt://127.0.0.1:1", "--data-dir", "d", "--ledger", "d/ledger.jsonl", "--seconds", "0.1", "--speed", "max"];
    expect((await run("run", "activity", "--headless", ...args)).code).toBe(0);
    const stats = readdirSync(data).map((name) => statSync(join(data, name), { throwIfNoEntry: false }));
    const modes = stats.filter((one) => !one?.isDirectory()).map((one) => one?.mode);
    expect(statSync(data).mode & 0o777).toBe(0o700);
    expect(modes.length).toBeGreaterThanOrEqual(2);
    expect(new Set(modes.filter((mode) => mode !== undefined).map((mode) => mode & 0o777))).toEqual(new Set([0o600]));
    expect(statSync(join(data, "diary")).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder.path, "dormouse.json")).mode & 0o777).toBe(0o600);
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
