import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LoadedAgent } from "../../../../host/agent/loaded-agent.ts";
import { loadAgent, openAgentModel } from "../../../../host/agent/registry.ts";
import { readSyntheticParameters } from "../../../../host/agent/sensors/synthetic-sensor.ts";
import type { Model } from "../../../../host/core/session/model.ts";
import { openRecordings } from "../../../../host/data/open-recordings.ts";
import { createSyntheticWearer } from "../../../../host/data/synthetic.ts";
import { exportPortable, type PortableExport } from "../../../../host/firmware/portable/portable-export.ts";
import { PORTABLE_TARGETS } from "../../../../host/firmware/portable/portable-layout.ts";
import { type GoldenCall, goldenOutput, goldenScript, windowCalls } from "../../../support/golden-calls.ts";
import { hasProgram, needPrograms } from "../../../support/programs.ts";
import { dataDir, noData, requireAll } from "../../../support/require.ts";
import { needTools } from "../../../support/tools.ts";

/** Real windows: 20, or as many as the nightly run asks for. */
const WINDOWS = Number(process.env.DORMOUSE_WINDOWS ?? 20);
const STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror"];
const FLAGS = [...STRICT, "-O2", "-fno-strict-aliasing"];
const here = import.meta.dirname;
const folder = mkdtempSync(join(tmpdir(), "dormouse-portable-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const out = (target: string): string => join(folder, target);
const sources = (root: string, src = "src"): string[] =>
  ["dormouse.c", "dormouse_core.c", "dormouse_kernels.c", "dormouse_linear.c", "dormouse_model.c"].map((file) => join(root, src, file));

/** Frames with gaps, resets, set-points, snapshots and a return to one: everything that the library can be asked. */
function mixedCalls(agent: LoadedAgent, exits: number): GoldenCall[] {
  const wearer = createSyntheticWearer({ parameters: readSyntheticParameters(agent.syntheticPath!), seed: 11 });
  const govern = (maxExit: number, threshold: number): GoldenCall => ({
    kind: "govern",
    setPoint: {
      maxExit,
      hopPatches: 8,
      askAllowed: threshold > 0,
      limitReason: maxExit < exits - 1 ? "thermal" : "none",
      askIntervalHops: 2,
      thresholds: Array.from({ length: exits }, () => threshold),
    },
  });
  const calls: GoldenCall[] = [];
  let tick = 4_294_967_000; // it wraps on the way
  for (let i = 0; i < 2400; i++) {
    tick = (tick + (i % 401 === 400 ? 200 : i % 97 === 96 ? 3 : i % 203 === 202 ? 0 : 1)) >>> 0;
    calls.push({ kind: "frame", tick, frame: wearer.next().frame.slice() });
    if (i === 700) calls.push(govern(1, 32768));
    if (i === 1100) calls.push(govern(exits - 1, 0));
    if (i % 150 === 149) calls.push({ kind: "logits" });
    if (i % 300 === 299) calls.push({ kind: "snapshot" });
    if (i === 1300 || i === 2100) calls.push({ kind: "back" });
  }
  return calls;
}

describe.skipIf(!hasProgram("wasm2c") && !requireAll)("the portable C library (needs wabt, gcc)", () => {
  let agent: LoadedAgent;
  let model: Model;
  const exports: PortableExport[] = [];

  beforeAll(async () => {
    agent = await loadAgent("activity");
    model = await openAgentModel(agent, { engine: "scalar" });
    for (const target of PORTABLE_TARGETS) exports.push(await exportPortable({ agent, target, outFolder: out(target) }));
  });

  function expectGolden(run: (script: string) => string, calls: readonly GoldenCall[]): void {
    const script = join(folder, "golden.bin");
    writeFileSync(script, goldenScript(calls));
    expect(run(script)).toBe(goldenOutput(model.createSession(), model.manifest.labels[0]!, calls));
  }

  function compiled(safe: number, extra: readonly string[] = []): (script: string) => string {
    const program = join(folder, `golden-${safe}${extra.length}`);
    const files = [...sources(out("c")), join(here, "portable-golden.c")];
    if (!existsSync(program))
      execFileSync("gcc", [
        ...FLAGS,
        ...(safe ? ["-O1"] : []),
        ...extra,
        `-DDORMOUSE_SAFE=${safe}`,
        "-I",
        join(out("c"), "include"),
        ...files,
        "-o",
        program,
      ]);
    return (script) => execFileSync(program, [script], { encoding: "utf8", maxBuffer: 1 << 26 });
  }

  for (const safe of [0, 1]) {
    it(`gives the host's decisions, logits and snapshots (${safe ? "checked" : "unchecked"} memory)`, (context) => {
      needTools(context, "gcc");
      expectGolden(compiled(safe), mixedCalls(agent, model.image.exits.length));
    });
  }

  it(`does so on ${WINDOWS} real windows (needs recordings)`, (context) => {
    needTools(context, "gcc");
    const data = dataDir();
    if (data === undefined) return context.skip(noData);
    expectGolden(compiled(0), windowCalls(realWindows(data, model)));
  });

  it("does so with the undefined-behaviour and address sanitisers on", (context) => {
    needTools(context, "gcc");
    const calls = mixedCalls(agent, model.image.exits.length).slice(0, 700);
    expectGolden(compiled(0, ["-fsanitize=undefined,address", "-fno-sanitize-recover=all"]), calls);
  });

  it("does so on a Cortex-M4 with the model in its flash (needs arm-none-eabi-gcc and qemu-system-arm)", (context) => {
    needTools(context, "arm-none-eabi-gcc", "qemu-system-arm");
    const elf = join(folder, "golden.elf");
    const arm = [
      "-mcpu=cortex-m4",
      "-mthumb",
      "--specs=rdimon.specs",
      "-T",
      join(here, "portable-golden.ld"),
      join(here, "portable-golden-start.c"),
    ];
    const files = [...sources(out("c")), join(here, "portable-golden.c")];
    execFileSync("arm-none-eabi-gcc", [...FLAGS, ...arm, "-I", join(out("c"), "include"), ...files, "-o", elf], { stdio: "pipe" });
    const qemu = [
      "-M",
      "mps2-an386",
      "-display",
      "none",
      "-monitor",
      "none",
      "-serial",
      "none",
      "-semihosting-config",
      "enable=on,target=native",
      "-kernel",
      elf,
    ];
    const run = () => execFileSync("qemu-system-arm", qemu, { cwd: folder, encoding: "utf8", maxBuffer: 1 << 26, timeout: 60_000 });
    expectGolden(run, mixedCalls(agent, model.image.exits.length).slice(0, 1500));
  });

  for (const cpu of ["cortex-m0plus", "cortex-m4", "cortex-m33"]) {
    it(`compiles for ${cpu} without a warning, the model and the core's constants in read-only memory (needs arm-none-eabi-gcc)`, (context) => {
      needTools(context, "arm-none-eabi-gcc");
      const objects = sources(out("zephyr")).map((file, i) => {
        const object = join(folder, `${cpu}-${i}.o`);
        execFileSync("arm-none-eabi-gcc", [
          ...FLAGS,
          `-mcpu=${cpu}`,
          "-mthumb",
          "-I",
          join(out("zephyr"), "include"),
          "-c",
          file,
          "-o",
          object,
        ]);
        return object;
      });
      const sizes = execFileSync("arm-none-eabi-size", objects, { encoding: "utf8" }).trim().split("\n").slice(1);
      const [text, data, bss] = sizes
        .map((line) => line.trim().split(/\s+/).map(Number))
        .reduce((sum, row) => sum.map((n, k) => n + row[k]!), [0, 0, 0]);
      expect(data).toBe(0);
      expect(text).toBeLessThan(100_000);
      expect(bss).toBeLessThan(exports[0]!.ramBytes + 128);
    });
  }

  it("compiles its kernels at every level of optimisation, with soft and hard floats (needs arm-none-eabi-gcc)", (context) => {
    needTools(context, "arm-none-eabi-gcc");
    const cores = [
      ["-mcpu=cortex-m0plus"],
      ["-mcpu=cortex-m4"],
      ["-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"],
      ["-mcpu=cortex-m33", "-mfloat-abi=hard"],
      ["-mcpu=cortex-m7", "-mfloat-abi=hard", "-mfpu=fpv5-d16"],
    ];
    const files = ["dormouse_linear.c", "dormouse_kernels.c"].map((file) => join(out("c"), "src", file));
    const failed = cores.flatMap((core) =>
      ["-O0", "-Og", "-Os", "-O1", "-O2", "-O3"]
        .filter((level) => {
          const flags = [...STRICT, level, "-fno-strict-aliasing", "-mthumb", ...core];
          return spawnSync("arm-none-eabi-gcc", [...flags, "-I", join(out("c"), "include"), "-c", ...files], { cwd: folder }).status !== 0;
        })
        .map((level) => `${core.join(" ")} ${level}`),
    );
    expect(failed).toEqual([]);
  });

  it("carries no placeholder, no path of this machine, one header, the licences, and for each kit its own files", () => {
    for (const { target, artifacts } of exports) {
      const files = (readdirSync(out(target), { recursive: true }) as string[]).map((file) => file.replaceAll("\\", "/"));
      expect(files).toEqual(expect.arrayContaining(["LICENSE", "LICENSE-MODEL", "README.md"]));
      expect(files.filter((file) => file.endsWith("/dormouse.h"))).toHaveLength(1);
      for (const { path } of artifacts) expect(readFileSync(path, "utf8")).not.toMatch(/@[A-Z_]+@|\/tmp\/|wasm_rt_/);
    }
    const has = (target: string, file: string) => expect(readFileSync(join(out(target), file), "utf8").length).toBeGreaterThan(20);
    has("esp-idf", "components/dormouse/idf_component.yml");
    has("zephyr", "zephyr/module.yml");
    has("arduino", "library.properties");
    has("c", "CMakeLists.txt");
  });

  it("is the same on two runs in two folders", async () => {
    const other = join(folder, "again");
    mkdirSync(other);
    const again = await exportPortable({ agent, target: "c", outFolder: other });
    expect(again.artifacts.map(({ sha256 }) => sha256)).toEqual(exports[0]!.artifacts.map(({ sha256 }) => sha256));
  });

  it("compiles as a part of a C++ program (needs gcc)", (context) => {
    needPrograms(context, "g++");
    const root = join(folder, "cpp");
    cpSync(out("c"), root, { recursive: true });
    writeFileSync(join(root, "main.cpp"), '#include "dormouse.h"\nint main() { return dormouse_init(); }\n');
    execFileSync("g++", [
      "-Wall",
      "-Wextra",
      "-Werror",
      "-I",
      join(root, "include"),
      "-c",
      join(root, "main.cpp"),
      "-o",
      join(root, "main.o"),
    ]);
  });
});

function realWindows(data: string, model: Model): Int16Array[][] {
  const { recordings } = openRecordings(data, model.manifest, "hapt");
  const { channels, windowPatches, patchFrames } = model.image;
  const length = windowPatches * patchFrames;
  const windows: Int16Array[][] = [];
  for (let round = 0; windows.length < WINDOWS; round++) {
    const before = windows.length;
    for (const { frames } of recordings) {
      const first = (round * 7 + 3) * length;
      if (frames.length < (first + length) * channels || windows.length >= WINDOWS) continue;
      windows.push(Array.from({ length }, (_, i) => frames.slice((first + i) * channels, (first + i + 1) * channels)));
    }
    if (windows.length === before) throw new RangeError(`only ${before} windows in ${data}`);
  }
  return windows;
}
