import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FirmwareError } from "../../core/system/errors.ts";
import { knownVersions, replaceHeader, replaceRuntime, TEMPLATE_REVISION } from "./c-template.ts";
import { runTool } from "./tools.ts";

const WHY = "it turns the wasm module into C when building from a clone";

/** A module as C99: `<name>.c` and `<name>.h`. Both need boards/common's dormouse-rt*.h; DORMOUSE_SAFE chooses the memory variant. */
export interface GeneratedC {
  readonly name: string;
  readonly source: string;
  readonly header: string;
}

/** The version of wasm2c that is installed. Throws for one whose output is not known. */
export function wasm2cVersion(): string {
  const version = runTool("wasm2c", ["--version"], WHY).trim();
  if (!knownVersions.includes(version)) {
    throw new FirmwareError(
      "WASM2C_VERSION",
      `wasm2c is ${version}, and only the output of ${knownVersions.join(", ")} is known. Install that version of wabt, or use the C that comes with the npm package.`,
    );
  }
  return version;
}

/** First line of a generated file: which module it came from. */
export function computeStamp(wasm: Uint8Array): string {
  return `/* From a module with SHA-256 ${createHash("sha256").update(wasm).digest("hex")}, by template ${TEMPLATE_REVISION}. Generated: do not edit. */\n`;
}

/** Translates a wasm module to C by wasm2c, with memory accesses of boards/common. Its symbols are Z_<name>Z_<export>. */
export function wasmToC(wasm: Uint8Array, name: string): GeneratedC {
  const version = wasm2cVersion();
  const folder = mkdtempSync(join(tmpdir(), "dormouse-c-"));
  try {
    writeFileSync(join(folder, `${name}.wasm`), wasm);
    runTool("wasm2c", [`${name}.wasm`, "-n", name, "-o", `${name}.c`], WHY, folder);
    const stamp = computeStamp(wasm);
    return {
      name,
      source: stamp + replaceRuntime(readFileSync(join(folder, `${name}.c`), "utf8"), `${name}.h`, version),
      header: stamp + replaceHeader(readFileSync(join(folder, `${name}.h`), "utf8"), version),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
