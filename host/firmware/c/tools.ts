import { spawnSync } from "node:child_process";
import { FirmwareError } from "../../core/system/errors.ts";

/** Programs that building and emulating call, and the Debian packages that bring them. */
const PACKAGES = {
  wasm2c: "wabt",
  gcc: "gcc",
  "arm-none-eabi-gcc": "gcc-arm-none-eabi libnewlib-arm-none-eabi",
  "arm-none-eabi-objcopy": "binutils-arm-none-eabi",
  "qemu-system-arm": "qemu-system-arm",
  openocd: "openocd",
  "dfu-util": "dfu-util",
  picotool: "picotool",
} as const;

export type ToolName = keyof typeof PACKAGES;

/** True when the program can be started. */
export function hasTool(tool: ToolName): boolean {
  return spawnSync(tool, ["--version"], { stdio: "ignore" }).error === undefined;
}

/** An error with instructions to install a program. */
export function toolMissing(tool: ToolName, why: string, cause?: unknown): FirmwareError {
  return new FirmwareError("TOOL_MISSING", `${tool} is not installed; ${why}: apt-get install ${PACKAGES[tool]}.`, { cause });
}

/** Runs a program to its end and returns what it printed. Throws FirmwareError when it is missing or fails. */
export function runTool(tool: ToolName, args: readonly string[], why: string, cwd?: string): string {
  const result = spawnSync(tool, [...args], { encoding: "utf8", maxBuffer: 1 << 26, ...(cwd === undefined ? {} : { cwd }) });
  if (result.error !== undefined) throw toolMissing(tool, why, result.error);
  if (result.signal !== null) throw new FirmwareError("TOOL_STOPPED", `${tool} was stopped by ${result.signal}: run the command again.`);
  if (result.status !== 0) {
    const said = `${result.stderr}${result.stdout}`.trim().slice(0, 2000);
    throw new FirmwareError("TOOL_FAILED", `${tool} failed with code ${result.status} (${why}): ${said || "no output"}`);
  }
  return result.stdout;
}
