import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { peekManifest } from "../../host/core/image/image-read.ts";
import { writeImage } from "../../host/core/image/image-write.ts";
import { type Channel, channelsText, IMU_CHANNELS } from "../../host/core/image/imu-channels.ts";
import { packageRoot } from "../../host/core/system/package-root.ts";
import { readElf } from "../../host/firmware/mcu/elf.ts";
import { cli } from "../host/cli/fake-io.ts";
import { activity } from "../support/device.ts";
import { sensorAgents } from "../support/sensor-agents.ts";
import { needTools } from "../support/tools.ts";

const folder = mkdtempSync(join(tmpdir(), "dormouse-contract-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The activity agent's net behind another sensor. */
function writeAgent(name: string, kind: string, channels: readonly Channel[], orientation: string): string {
  const manifest = { ...activity.manifest, name, channels, orientation };
  writeFileSync(join(folder, `${name}.dmm`), writeImage({ ...activity.image, manifest }));
  const path = join(folder, `${name}.ts`);
  writeFileSync(
    path,
    `import { defineAgent } from "dormouse-edge";
export default defineAgent({ name: "${name}", model: "${name}.dmm", sensor: { kind: "${kind}", rateHz: 50, channels: 6 } });`,
  );
  return path;
}

const gasChannels = ["co2", "co", "no2", "voc", "humidity", "temperature"].map((name) => ({ name, unit: "ppm", countsPerUnit: 8 }));
const fineChannels = IMU_CHANNELS.map((channel, c) => (c < 3 ? channel : { ...channel, countsPerUnit: 32 }));
const one = [1, 1];
const models = [
  {
    title: "a gas model: the link, and no IMU driver",
    agent: () => writeAgent("gas", "custom", gasChannels, "by the kitchen's ceiling"),
    frames: {
      from: "link",
      reason: expect.stringContaining("co2 co no2 voc humidity temperature in ppm"),
      orientation: "by the kitchen's ceiling",
    },
  },
  {
    title: "an IMU model of 32 counts per °/s: the IMU driver, the gyroscope times two",
    agent: () => writeAgent("fine", "imu", fineChannels, "left wrist, x to the hand"),
    frames: {
      from: "imu",
      scales: [one, one, one, [2, 1], [2, 1], [2, 1]],
      channels: fineChannels,
      orientation: "left wrist, x to the hand",
    },
  },
  {
    title: "the activity model: the IMU driver in its own counts",
    agent: () => "activity",
    frames: { from: "imu", scales: Array(6).fill(one), channels: IMU_CHANNELS, orientation: activity.manifest.orientation },
  },
];

it.for(models)("build --board pico says and links for $title (needs arm gcc, wabt)", async ({ agent, frames }, context) => {
  needTools(context, "arm-none-eabi-gcc", "wasm2c");
  const { code, stdout, stderr } = await cli(["build", agent(), "--board", "pico", "--out", join(folder, "out"), "--json"]);
  expect(code, stderr).toBe(0);
  const built = JSON.parse(stdout) as { artifacts: readonly { path: string; format: string }[] };
  expect(built).toMatchObject({ frames });
  const elf = built.artifacts.find(({ format }) => format === "elf")!;
  expect(readElf(new Uint8Array(readFileSync(elf.path))).symbols.has("imu_tick")).toBe(frames.from === "imu");
});

it("boards/README.md and the cards name the axes that each bundled model was trained in", async () => {
  const boards = readFileSync(join(packageRoot(), "boards", "README.md"), "utf8");
  for (const name of await sensorAgents()) {
    const agent = join(packageRoot(), "agents", name);
    const { channels, orientation } = peekManifest(readFileSync(join(agent, "model.dmm")));
    expect(boards).toContain(`| ${name} | ${channelsText(channels)} | ${orientation} |`);
    expect(readFileSync(join(agent, "CARD.md"), "utf8")).toContain(orientation);
    const { stdout } = await cli(["inspect", join(agent, "model.dmm")]);
    expect(stdout).toContain(channelsText(channels));
    expect(stdout).toContain(`orientation ${orientation}`);
  }
});

it.for(models)("fits --board pico gives the same source for $title", async ({ agent, frames }) => {
  const { stdout } = await cli(["fits", agent(), "--board", "pico", "--quick", "--json"]);
  const { orientation: _, channels: __, ...source } = frames as typeof frames & { channels?: unknown };
  expect(JSON.parse(stdout)).toMatchObject({ frames: source });
});
