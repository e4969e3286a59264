import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { loadAgent, openAgentModel } from "../../../../host/agent/registry.ts";
import { readSyntheticParameters } from "../../../../host/agent/sensors/synthetic-sensor.ts";
import type { Model } from "../../../../host/core/session/model.ts";
import { createSyntheticWearer } from "../../../../host/data/synthetic.ts";
import { exportPortable } from "../../../../host/firmware/portable/portable-export.ts";
import { PORTABLE_TARGETS } from "../../../../host/firmware/portable/portable-layout.ts";
import { crc16 } from "../../../../host/link/crc16.ts";
import { hasProgram, needPrograms } from "../../../support/programs.ts";
import { requireAll } from "../../../support/require.ts";
import { needTools } from "../../../support/tools.ts";

const folder = mkdtempSync(join(tmpdir(), "dormouse-examples-"));
const stubs = join(import.meta.dirname, "portable-stubs");
const WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (...path: string[]): string => join(folder, ...path);
const SOURCES = ["dormouse.c", "dormouse_core.c", "dormouse_kernels.c", "dormouse_linear.c", "dormouse_model.c"];

describe.skipIf(!hasProgram("wasm2c") && !requireAll)("the examples of the portable C library (needs wabt, gcc)", () => {
  let model: Model;
  let frames: Int16Array[];
  let decided: { tick: number; label: string; line: string; short: string }[];

  beforeAll(async () => {
    const agent = await loadAgent("activity");
    model = await openAgentModel(agent, { engine: "scalar" });
    for (const target of PORTABLE_TARGETS) await exportPortable({ agent, target, outFolder: at(target) });
    const wearer = createSyntheticWearer({ parameters: readSyntheticParameters(agent.syntheticPath!), seed: 2 });
    frames = Array.from({ length: 650 }, () => wearer.next().frame.slice());
    const session = model.createSession();
    decided = frames.flatMap((frame, tick) => {
      const decision = session.pushFrame(frame, tick).decision;
      if (decision === undefined) return [];
      const { label, exit, confidenceQ15, why, macs } = decision;
      const name = model.manifest.labels[label]!;
      const line = `${decision.tick} ${name} exit ${exit + 1} confidence ${confidenceQ15} ${why} ${macs} MACs`;
      return [{ tick: decision.tick, label: name, line, short: `${name} ${confidenceQ15}` }];
    });
    expect(decided).toHaveLength(10);
  });

  /** The frames on a line, each with its CRC. */
  const wire = (): Buffer =>
    Buffer.concat(
      frames.flatMap((frame) => {
        const bytes = new Uint8Array(frame.buffer, frame.byteOffset, frame.byteLength);
        const crc = crc16(bytes);
        return [bytes, Uint8Array.of(crc & 255, crc >> 8)];
      }),
    );
  const frameBytes = () => wire().length / frames.length;

  /** The library's objects, natively: the sources are the same in every kit. */
  let objects: string[] | undefined;
  const library = (): string[] => {
    objects ??= SOURCES.map((file) => {
      const object = at(`${file}.o`);
      const flags = ["-std=c99", ...WARNINGS, "-O1", "-fno-strict-aliasing"];
      execFileSync("gcc", [...flags, "-I", at("c", "include"), "-c", at("c", "src", file), "-o", object]);
      return object;
    });
    return objects;
  };

  const programs = new Map<string, string>();
  /** Builds an example natively, over stubs of its kit that read standard input. */
  function example(context: TestContext, target: string, variant: readonly string[] = []): string {
    needTools(context, "gcc");
    needPrograms(context, "g++");
    const key = [target, ...variant].join(" ");
    const known = programs.get(key);
    if (known !== undefined) return known;
    const include = at(
      ...(target === "arduino" ? [target, "src"] : target === "esp-idf" ? [target, "components/dormouse/include"] : [target, "include"]),
    );
    const kit = join(stubs, target);
    const program = at(`example-${programs.size}`);
    const flags = [...WARNINGS, ...variant, "-I", include, "-I", kit];
    const c = ["-std=gnu11", ...flags];
    if (target === "arduino") {
      const sketch = [
        "-std=gnu++11",
        ...flags,
        "-include",
        join(kit, "Arduino.h"),
        "-x",
        "c++",
        at(target, "examples", "Decide", "Decide.ino"),
      ];
      execFileSync("g++", [...sketch, "-x", "none", ...library(), "-o", program]);
    } else {
      const main = { c: "examples/main.c", "esp-idf": "main/main.c", zephyr: "samples/decide/src/main.c" }[target]!;
      const start = target === "esp-idf" ? [join(kit, "start.c")] : [];
      execFileSync("gcc", [...c, at(target, main), ...start, ...library(), "-o", program]);
    }
    programs.set(key, program);
    return program;
  }

  const decides = (program: string, input: Buffer): string[] =>
    execFileSync(program, { input, encoding: "utf8", stdio: ["pipe", "pipe", "ignore"] })
      .trim()
      .split("\n");

  const kits = [
    { target: "zephyr", variant: [] },
    { target: "arduino", variant: [] },
    { target: "esp-idf", variant: [] },
    { target: "esp-idf", variant: ["-DCONFIG_ESP_CONSOLE_UART_NUM=0"] },
    { target: "esp-idf", variant: ["-DCONFIG_ESP_CONSOLE_USB_SERIAL_JTAG=1"] },
  ];

  it("for C builds with its own CMake file, and prints the host's decisions (needs cmake)", (context) => {
    needPrograms(context, "cmake");
    needTools(context, "gcc");
    execFileSync("cmake", ["-S", at("c"), "-B", at("build")], { stdio: "pipe" });
    execFileSync("cmake", ["--build", at("build")], { stdio: "pipe" });
    expect(decides(at("build", "dormouse-example"), wire())).toEqual(decided.map(({ line }) => line));
  });

  it.for(kits)("for $target $variant compiles without a warning, and prints the host's decisions", ({ target, variant }, context) => {
    expect(decides(example(context, target, variant), wire())).toEqual(decided.map(({ short }) => short));
  });

  const spoilt: readonly (readonly [string, (line: Buffer, bytes: number) => Buffer])[] = [
    ["the first byte is lost", (line) => line.subarray(1)],
    ["a byte is lost", (line, bytes) => Buffer.concat([line.subarray(0, 200 * bytes + 5), line.subarray(200 * bytes + 6)])],
    [
      "a byte is added",
      (line, bytes) => Buffer.concat([line.subarray(0, 200 * bytes + 5), Uint8Array.of(7), line.subarray(200 * bytes + 5)]),
    ],
    ["a bit is spoilt", (line, bytes) => Buffer.from(line.map((byte, i) => (i === 200 * bytes + 5 ? byte ^ 16 : byte)))],
    ["three frames and a half are lost", (line, bytes) => Buffer.concat([line.subarray(0, 200 * bytes), line.subarray(203.5 * bytes)])],
    [
      "a console's text comes between",
      (line, bytes) => Buffer.concat([line.subarray(0, 200 * bytes), Buffer.from("boot\r\n"), line.subarray(200 * bytes)]),
    ],
  ];

  it.for(spoilt)("go on with the next frame when %s", ([, spoil], context) => {
    const input = spoil(wire(), frameBytes());
    const said = decides(example(context, "c"), input).map((line) => line.split(" "));
    expect(said.map(([, label]) => label)).toEqual(decided.map(({ label }) => label));
    // ticks go on within a few frames: the model is told of the gap
    for (const [i, [tick]] of said.entries()) expect(Math.abs(Number(tick) - decided[i]!.tick)).toBeLessThanOrEqual(4);
    for (const { target, variant } of kits.slice(0, 3)) {
      expect(decides(example(context, target, variant), input).map((line) => line.split(" ")[0])).toEqual(
        decided.map(({ label }) => label),
      );
    }
  });

  it("for C says that frames came without a CRC, and reads them with --bare if none lacks a byte", (context) => {
    const program = example(context, "c");
    const bare = Buffer.concat(frames.map((frame) => Buffer.from(frame.buffer)));
    const run = (args: string[], input: Buffer) => spawnSync(program, args, { input, encoding: "utf8" });
    expect(run([], bare)).toMatchObject({ status: 1, stdout: "", stderr: expect.stringMatching(/--bare/) });
    expect(run(["--bare"], bare)).toMatchObject({ status: 0, stderr: "" });
    expect(run(["--bare"], bare).stdout.trim().split("\n")).toEqual(decided.map(({ line }) => line));
    expect(run(["--bare"], bare.subarray(1))).toMatchObject({ status: 1, stderr: expect.stringMatching(/11 of a frame's 12 bytes/) });
  });

  it.for(["c11", "gnu2x"])("compile as %s, every warning an error (needs gcc)", (standard, context) => {
    needTools(context, "gcc");
    for (const file of SOURCES) {
      execFileSync("gcc", [`-std=${standard}`, ...WARNINGS, "-fsyntax-only", "-I", at("c", "include"), at("c", "src", file)]);
    }
  });

  it.for(["cortex-m0plus", "cortex-m7"])("for Arduino compile for %s (needs arm-none-eabi-gcc)", (cpu, context) => {
    needTools(context, "arm-none-eabi-gcc");
    const flags = [...WARNINGS, `-mcpu=${cpu}`, "-mthumb", "-fsyntax-only", "-I", at("arduino", "src")];
    for (const file of SOURCES) execFileSync("arm-none-eabi-gcc", ["-std=gnu11", ...flags, at("arduino", "src", file)]);
  });

  it("offer themselves to every Arduino board, and refuse one whose pointers have 16 bits when compiling", (context) => {
    needTools(context, "gcc");
    expect(readFileSync(at("arduino", "library.properties"), "utf8")).toMatch(/^architectures=\*$/m);
    writeFileSync(at("avr.c"), "#include <stdint.h>\n#undef UINTPTR_MAX\n#define UINTPTR_MAX 65535u\n#include <dormouse.h>\n");
    const { status, stderr } = spawnSync("gcc", ["-fsyntax-only", "-I", at("arduino", "src"), at("avr.c")], { encoding: "utf8" });
    expect(status).toBe(1);
    expect(stderr).toMatch(/needs pointers of 32 bits/);
  });

  it("refuse a big-endian target when compiling (needs arm-none-eabi-gcc)", (context) => {
    needTools(context, "arm-none-eabi-gcc");
    for (const file of SOURCES.slice(0, 2)) {
      const args = ["-mbig-endian", "-mcpu=cortex-m4", "-mthumb", "-fsyntax-only", "-I", at("c", "include"), at("c", "src", file)];
      const { status, stderr } = spawnSync("arm-none-eabi-gcc", args, { encoding: "utf8" });
      expect(status, file).toBe(1);
      expect(stderr, file).toMatch(/needs a little-endian target/);
    }
  });

  it.for<[string, string[], string[]]>([
    ["5.0", ["driver", "freertos"], ["driver"]],
    ["5.3", ["driver", "esp_driver_uart", "esp_driver_usb_serial_jtag"], ["esp_driver_uart", "esp_driver_usb_serial_jtag"]],
    ["6.0", ["esp_driver_uart", "esp_driver_usb_serial_jtag"], ["esp_driver_uart", "esp_driver_usb_serial_jtag"]],
  ])("for ESP-IDF %s name the components that it has (needs cmake)", ([version, components, expected], context) => {
    needPrograms(context, "cmake");
    const idf = at(`idf-${version}`);
    for (const component of components) mkdirSync(join(idf, "components", component), { recursive: true });
    // what idf.py does first: it runs each component's file as a script, to learn what it requires
    writeFileSync(
      at("expand.cmake"),
      `function(idf_component_register)
  cmake_parse_arguments(_ "" "" "SRCS;INCLUDE_DIRS;PRIV_INCLUDE_DIRS;REQUIRES" \${ARGN})
  foreach(source \${__SRCS})
    if(NOT EXISTS "\${folder}/\${source}")
      message(FATAL_ERROR "no \${source}")
    endif()
  endforeach()
  message("requires=\${__REQUIRES}")
endfunction()
function(target_compile_options)
endfunction()
include(\${folder}/CMakeLists.txt)
`,
    );
    const requires = (part: string) => {
      const args = [`-Dfolder=${at("esp-idf", part)}`, "-P", at("expand.cmake")];
      const { stderr, status } = spawnSync("cmake", args, { encoding: "utf8", env: { ...process.env, IDF_PATH: idf } });
      expect(status, stderr).toBe(0);
      return /requires=(.*)/.exec(stderr)![1]!.split(";");
    };
    expect(requires("main")).toEqual([...expected, "dormouse"]);
    expect(requires("components/dormouse")).toEqual([""]);
    expect(readFileSync(at("esp-idf", "components/dormouse/idf_component.yml"), "utf8")).toMatch(/idf: ">=5\.0,<7\.0"/);
  });
});
