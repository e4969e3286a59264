import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as device from "../../../assembly/device/layout.ts";
import * as core from "../../../assembly/layout.ts";
import * as lm from "../../../assembly/lm/layout.ts";
import * as text from "../../../assembly/text/layout.ts";
import { FirmwareError } from "../../core/system/errors.ts";
import { packageRoot } from "../../core/system/package-root.ts";
import type { Target } from "../mcu/target.ts";
import { type CModuleName, generatedC } from "./generated-c.ts";
import { runTool } from "./tools.ts";

/** safe: every access of the core is checked; fast: none is. Both give the same bits; ship fast, test both. */
export type MemoryVariant = "safe" | "fast";

export interface CompileOptions {
  readonly target: Target;
  readonly module: CModuleName;
  /** Sources in boards/common beside the start-up, among them the main. */
  readonly sources: readonly string[];
  readonly variant: MemoryVariant;
  readonly model: Uint8Array;
  /** Bytes of linear memory: static data, arenas, asks. */
  readonly memoryBytes: number;
  /** Bytes at the start of FLASH that are not the program's. Default 0. */
  readonly flashOffsetBytes?: number;
  /** More files that the sources include. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
  readonly defines?: Readonly<Record<string, string | number>>;
}

const COMMON = ["startup.c", "ring.c", "memory.c", "wasm-host.c", "model.S"];
const KERNELS = ["kernels.c", "linear-s8.c"];
const FLAGS = [
  "-std=c11",
  "-O2",
  "-fno-inline-small-functions", // wasm2c's C has many: 5 KB of flash, for 0.3 % more instructions
  "-g0",
  "-DNDEBUG",
  "-fno-strict-aliasing",
  "-ffunction-sections",
  "-fdata-sections",
  "-fno-common",
  "--param=min-pagesize=0",
];
const STRICT = ["-Wall", "-Wextra", "-Werror"];
const LINK = [
  "-nostdlib",
  "-nostartfiles",
  "-Wl,--gc-sections",
  "-Wl,-n", // a segment begins at its section, without ELF headers before it
  "-Wl,--build-id=none",
  "-Wl,--no-warn-rwx-segments",
  "-Wl,--fatal-warnings",
];
const WHY = "it compiles firmware for Cortex-M boards";

/** The constants of the cores and of the device as C: one #define each. */
export function layoutHeader(): string {
  const lines = Object.entries({ ...core, ...device, ...text, ...lm }).map(
    ([name, value]) => `#define ${name} ${value < 0 || value > 0x7fffffff ? `(${value}${value > 0x7fffffff ? "u" : ""})` : value}`,
  );
  return `/* assembly/layout.ts and those of device, text and lm in C. Generated: do not edit. */\n#ifndef DORMOUSE_LAYOUT_H\n#define DORMOUSE_LAYOUT_H\n${lines.join("\n")}\n#endif\n`;
}

/** The board's memory map, for a program that begins later in FLASH. */
function memoryScript(target: Target, offsetBytes: number): string {
  const script = readFileSync(join(target.folder, "memory.ld"), "utf8");
  return script.replace(/(FLASH.*ORIGIN = 0x[0-9a-f]+)(, LENGTH = \w+)/, `$1 + ${offsetBytes}$2 - ${offsetBytes}`);
}

/** Compiles and links one firmware. The bytes depend on nothing but the inputs: no path, no time, no build id. */
export function compileFirmware(options: CompileOptions): Uint8Array {
  const { target, module } = options;
  const common = join(packageRoot(), "boards", "common");
  const folder = mkdtempSync(join(tmpdir(), "dormouse-fw-"));
  try {
    const { name, source, header } = generatedC(module);
    const hasKernels = module.endsWith("-kernels");
    // Everything lies in one folder under fixed relative names, so that no path enters the output.
    writeFileSync(join(folder, `${name}.c`), source);
    writeFileSync(join(folder, `${name}.h`), header);
    writeFileSync(join(folder, "layout.h"), layoutHeader());
    writeFileSync(join(folder, "model.dmm"), options.model);
    writeFileSync(join(folder, "memory.ld"), memoryScript(target, options.flashOffsetBytes ?? 0));
    for (const [name, bytes] of Object.entries(options.files ?? {})) writeFileSync(join(folder, name), bytes);
    const defines = {
      DORMOUSE_KERNELS: hasKernels ? 1 : 0,
      DORMOUSE_SAFE: options.variant === "safe" ? 1 : 0,
      DORMOUSE_MEMORY_BASE: "dormouse_memory",
      DORMOUSE_MEMORY_BYTES: options.memoryBytes,
      DORMOUSE_IRQS: target.irqs,
      DORMOUSE_MODEL_FILE: '"model.dmm"',
      ...(target.hasVtor ? {} : { DORMOUSE_NO_VTOR: 1 }),
      ...options.defines,
    };
    writeFileSync(join(folder, "memory-base.h"), "#ifndef __ASSEMBLER__\n#include <stdint.h>\nextern uint8_t dormouse_memory[];\n#endif\n");
    const sources = [
      `${name}.c`,
      ...[...COMMON, ...(hasKernels ? KERNELS : []), ...options.sources].map((file) => join(common, file)),
      ...target.sources.map((file) => join(target.folder, file)),
    ];
    const args = [
      ...[`-mcpu=${target.cpu}`, "-mthumb", "-mfloat-abi=soft", ...FLAGS, ...STRICT],
      ...[`-ffile-prefix-map=${packageRoot()}=.`, `-ffile-prefix-map=${folder}=.`, "-include", "memory-base.h", "-I.", `-I${common}`],
      ...Object.entries(defines).map(([name, value]) => `-D${name}=${value}`),
      ...[...LINK, `-L${common}`, "-Tmemory.ld"],
      ...[...sources, "-lgcc", "-o", "firmware.elf"],
    ];
    link(args, folder, target.id);
    return new Uint8Array(readFileSync(join(folder, "firmware.elf")));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs gcc. A program that does not fit is a separate error with the excess bytes. */
function link(args: readonly string[], folder: string, board: string): void {
  try {
    runTool("arm-none-eabi-gcc", args, WHY, folder);
  } catch (cause) {
    const over = /region `(\w+)' overflowed by (\d+) bytes/.exec(String(cause));
    if (over === null) throw cause;
    throw new FirmwareError(
      "FIRMWARE_TOO_BIG",
      `the firmware is ${over[2]} B too big for the ${over[1]} of ${board} (boards/${board}/memory.ld). Choose a smaller model, --variant fast, or another board.`,
      { cause },
    );
  }
}
