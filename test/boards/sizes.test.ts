import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { packageRoot } from "../../host/core/system/package-root.ts";
import { parseImuAxes } from "../../host/data/imu-axes.ts";
import { type Built, buildFirmware, type SigningOptions } from "../../host/firmware/mcu/build.ts";
import { deviceFirmware } from "../../host/firmware/mcu/device-firmware.ts";
import { loadTarget, targetIds } from "../../host/firmware/mcu/target.ts";
import { loadBoards } from "../../host/power/board.ts";
import { activityImage } from "../support/device.ts";
import { needTools } from "../support/tools.ts";

const boards = targetIds().filter((id) => !id.startsWith("qemu-"));
const README = join(packageRoot(), "boards", "README.md");
const START = "<!-- sizes: test/boards/sizes.test.ts writes this with DORMOUSE_UPDATE=1 -->\n";
const END = "<!-- end of sizes -->";

const TIMEOUT_MILLIS = 300_000; // a compiler at work on a busy machine

const built = new Map<string, Built>();
function build(id: string): Built {
  const known = built.get(id) ?? make(id);
  built.set(id, known);
  return known;
}

function make(id: string, signing?: SigningOptions): Built {
  return buildFirmware("activity", { target: loadTarget(id), image: activityImage, variant: "fast", kernels: "c" }, signing);
}

it("the table of flash and RAM in boards/README.md is what the builds measure (needs arm gcc and wabt)", {
  timeout: TIMEOUT_MILLIS,
}, (context) => {
  needTools(context, "arm-none-eabi-gcc", "wasm2c");
  const rows = boards.map((id) => {
    const { flashBytes, ramBytes, files } = build(id);
    const { chip, memory } = loadBoards().find((board) => board.id === id)!;
    const formats = files.map(({ format }) => format).join(" ");
    return `| ${id} | ${chip} | ${loadTarget(id).cpu} | ${flashBytes} | ${memory.flashBytes} | ${ramBytes} | ${memory.ramBytes} | ${formats} |\n`;
  });
  const table = `| board | chip | compiled for | flash with the model, B | of | RAM with context and stack, B | of | formats |\n|---|---|---|---|---|---|---|---|\n${rows.join("")}`;
  const text = readFileSync(README, "utf8");
  const [before, rest = ""] = text.split(START);
  const [found = "", after = ""] = rest.split(END);
  if (process.env.DORMOUSE_UPDATE === "1") writeFileSync(README, `${before}${START}${table}${END}${after}`);
  else expect(found).toBe(table);
});

it("the Pico's firmware keeps to 100 KB of flash and 40 KB of RAM", { timeout: TIMEOUT_MILLIS }, (context) => {
  needTools(context, "arm-none-eabi-gcc", "wasm2c");
  const { flashBytes, ramBytes } = build("pico");
  expect(flashBytes).toBeLessThanOrEqual(100_000);
  expect(ramBytes).toBeLessThanOrEqual(40_000);
});

const repeated = [
  { board: "pico", more: [], formats: ["elf", "bin", "hex", "uf2"] },
  { board: "nrf52840-dk", more: ["--key", "../key.pem"], formats: ["elf", "bin", "hex", "mcuboot"] },
];

it.for(repeated)(
  "gives the same bytes for $board in two folders, and names the files that it wrote",
  { timeout: TIMEOUT_MILLIS },
  ({ board, more, formats }, context) => {
    needTools(context, "arm-none-eabi-gcc", "wasm2c");
    const above = mkdtempSync(join(tmpdir(), "dormouse-sizes-"));
    const folders = ["a", "b"].map((name) => join(above, name));
    for (const folder of folders) mkdirSync(folder);
    try {
      const runs = folders.map((folder) => {
        const args = [join(packageRoot(), "dist", "dormouse.js"), "build", "activity", "--board", board, "--out", "out", ...more, "--json"];
        return JSON.parse(execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })) as {
          readonly artifacts: readonly {
            readonly path: string;
            readonly format: string;
            readonly bytes: number;
            readonly sha256: string;
          }[];
        };
      });
      const [first, second] = runs.map(({ artifacts }) => artifacts.map(({ format, bytes, sha256 }) => ({ format, bytes, sha256 })));
      expect(second).toEqual(first);
      expect(first!.map(({ format }) => format)).toEqual(formats);
      for (const { path, bytes } of runs[0]!.artifacts) expect(readFileSync(path).length).toBe(bytes);
    } finally {
      rmSync(above, { recursive: true, force: true });
    }
  },
);

it("signs for MCUboot where its layout has a slot, and says where else", { timeout: TIMEOUT_MILLIS }, (context) => {
  needTools(context, "arm-none-eabi-gcc", "wasm2c");
  const key = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const signing = { key, version: [1, 0, 0] as const, securityCounter: 1 };
  expect(() => make("pico", signing)).toThrow(/no room for MCUboot.*nrf52840-dk, nucleo-u575/);
});

it("refuses axes of an IMU that this firmware does not read", { timeout: TIMEOUT_MILLIS }, () => {
  const made = { image: activityImage, variant: "fast", kernels: "c", imuAxes: parseImuAxes("+y-x+z"), hasStore: false } as const;
  expect(() => deviceFirmware({ ...made, target: loadTarget("qemu-microbit") })).toThrow(/reads no IMU/);
});

it("refuses a test machine, an unknown board and a model that is too big, each with the reason", () => {
  expect(() => build("qemu-microbit")).toThrow(/a machine of QEMU, not a board/);
  expect(() => loadTarget("arduino-uno")).toThrow(/no firmware for a board "arduino-uno"\. Choose one of: .*pico/);
});
