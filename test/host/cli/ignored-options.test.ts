import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { cli } from "./fake-io.ts";
import { tempFolder } from "./temp-agent.ts";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

const refused = async (...args: string[]) => {
  const { code, stdout } = await cli([...args, "--json"], { cwd: folder.path });
  expect(code).toBe(1);
  expect(stdout.trim().split("\n")).toHaveLength(1);
  return (JSON.parse(stdout) as { error: { code: string; message: string } }).error;
};

describe("an option that would be ignored is refused", () => {
  it.each([
    ["--base-url", "cloud", "--broker", "mqtt://127.0.0.1:1", "--base-url", "http://127.0.0.1:1/v1"],
    ["--concurrency", "cloud", "--broker", "mqtt://127.0.0.1:1", "--concurrency", "2"],
    ["--wearer", "simulate", "activity", "--wearer", "7"],
    ["--wearers", "simulate", "activity", "--wearers", "select"],
    ["--alpha", "eval", "activity", "--data", ".", "--alpha", "0.05"],
    ["--ledger", "run", "activity", "--ledger", "l.jsonl"],
    ["--data-dir", "run", "activity", "--no-diary", "--data-dir", "d"],
    ["--deadline-seconds", "run", "activity", "--deadline-seconds", "9"],
    ["--log-level", "run", "activity", "--log-level", "debug"],
    ["--log-level", "broker", "--port", "0", "--log-level", "debug"],
    ["--log-level", "cloud", "--broker", "mqtt://127.0.0.1:1", "--log-level", "debug"],
    ["--bind", "provision", "wrist-1", "--site", "lab", "--bind", "127.0.0.1"],
    ["--security-counter", "build", "activity", "--board", "pico", "--out", "out", "--security-counter", "2"],
    ["--rate-hz", "inspect", join(packageRoot(), "agents/activity/model.dmm"), "--rate-hz", "9"],
    ["--delta", "eval", "activity", "--data", ".", "--delta", "0.05"],
    ["--lost", "eval", "fall", "--data", ".", "--lost", "0.5"],
  ])("%s without what it belongs to: %s", async (flag, ...args) => {
    const { code, message } = await refused(...args);
    expect(code).toBe("OPTION_ALONE");
    expect(message).toContain(`${flag} would change nothing without `);
  });

  it.each([
    ["--daily", "eval", "activity", "--data", ".", "--cascade", "--daily", "hapt"],
    ["--html", "simulate", "activity", "--data", ".", "--wearers", "calibrate", "--tune", "p.json", "--html", "day.html"],
    ["--tune", "simulate", "activity", "--back-to-back", "--tune", "p.json"],
    ["--network", "simulate", "activity", "--back-to-back", "--network", "n.csv"],
    ["--no-baselines", "simulate", "activity", "--back-to-back", "--no-baselines"],
    ["--worker", "cloud", "--broker", "mqtt://127.0.0.1:1", "--workers", "2", "--worker", "0/2"],
    ["--broker", "provision", "b.example", "--as", "broker", "--site", "lab", "--broker", "mqtts://b.example"],
    ["--kernels", "build", "activity", "--target", "c", "--out", "out", "--kernels", "wasm"],
    ["--variant", "build", "activity", "--board", "raspberry-pi-5", "--out", "out", "--variant", "safe"],
    ["--schema", "boards", "pico", "--schema"],
  ])("%s beside what leaves it no effect: %s", async (flag, ...args) => {
    const { code, message } = await refused(...args);
    expect(code).toBe("OPTION_UNUSED");
    expect(message).toContain(`${flag} would change nothing with `);
  });

  it("flash --drive with a file, or for a board, that takes no drive", async () => {
    writeFileSync(join(folder.path, "f.bin"), "x");
    expect(await refused("flash", "f.bin", "--board", "pico", "--drive", ".")).toMatchObject({ code: "FLASH_OPTIONS" });
  });

  it.each([
    ["--node", "--board", "pico", "--node", "npm"],
    ["--node", "--target", "c", "--node", "npm"],
    ["--key", "--target", "c", "--key", "k.pem"],
    ["--key", "--board", "raspberry-pi-5", "--key", "k.pem"],
  ])("build %s %s %s", async (flag, ...args) => {
    expect(await refused("build", "activity", "--out", "out", ...args)).toMatchObject({
      code: "BUILD_OPTIONS",
      message: expect.stringContaining(flag),
    });
  });

  it("a command over the air that orders nothing, or has an image", async () => {
    const made = await cli(["provision", "alice", "--as", "operator", "--site", "lab"], { cwd: folder.path });
    expect(made.code).toBe(0);
    for (const [said, ...args] of [
      ["orders nothing", "set-point"],
      ["--image", "set-point", "--max-exit", "1", "--image", "model.dmm"],
      ["--agent", "reboot", "--agent", "activity"],
    ] as const) {
      expect(await refused("ota", "wrist-1", ...args, "--identity", "alice", "--broker", "mqtts://127.0.0.1:1")).toMatchObject({
        code: "OTA_OPTIONS",
        message: expect.stringContaining(said),
      });
    }
  });

  it.each([["--windows", "emulate", "activity", "--board", "pico", "--windows", "1.5"]])("%s: %s %s %s", async (flag, ...args) => {
    const { code, stderr } = await cli(args, { cwd: folder.path });
    expect(code).toBe(1);
    expect(stderr).toContain(flag);
    expect(stderr).toContain("error:");
  });
});
