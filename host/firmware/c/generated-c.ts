import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FirmwareError } from "../../core/system/errors.ts";
import { packageRoot } from "../../core/system/package-root.ts";
import { type GeneratedC, stampOf, wasmToC } from "./wasm-to-c.ts";

/**
 * The modules that become C: the file in dist/ that each comes from, and the name that its symbols carry. The -kernels ones import
 * the kernels that boards/common/kernels.c has in C.
 */
export const C_MODULES = {
  core: { wasm: "core-scalar.wasm", symbols: "core" },
  "core-kernels": { wasm: "core-kernels.wasm", symbols: "core" },
  device: { wasm: "device.wasm", symbols: "device" },
  "device-kernels": { wasm: "device-kernels.wasm", symbols: "device" },
} as const;

export type CModuleName = keyof typeof C_MODULES;

/** The wasm file that a C module comes from. Throws when it was never built. */
export function moduleWasm(name: CModuleName): Uint8Array {
  const file = join(packageRoot(), "dist", C_MODULES[name].wasm);
  try {
    return new Uint8Array(readFileSync(file));
  } catch (cause) {
    throw new FirmwareError("MODULE_MISSING", `no wasm module at ${file}: run npm run build.`, { cause });
  }
}

/** The C of a module: what the package ships in dist/c where that is of this very wasm, else made anew by wasm2c. */
export function generatedC(name: CModuleName): GeneratedC {
  const wasm = moduleWasm(name);
  const { symbols } = C_MODULES[name];
  const file = join(packageRoot(), "dist", "c", name, `${symbols}.c`);
  if (existsSync(file)) {
    const source = readFileSync(file, "utf8");
    if (source.startsWith(stampOf(wasm))) return { name: symbols, source, header: readFileSync(file.replace(/c$/, "h"), "utf8") };
  }
  return wasmToC(wasm, symbols);
}
