import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ModelError } from "../../core/system/errors.ts";
import { packageRoot } from "../../core/system/package-root.ts";

let compiled: WebAssembly.Module | undefined;

/** Where device.wasm lies. */
export function deviceWasmPath(): string {
  return join(packageRoot(), "dist", "device.wasm");
}

/** device.wasm, compiled once. */
export function deviceModule(): WebAssembly.Module {
  if (compiled !== undefined) return compiled;
  try {
    compiled = new WebAssembly.Module(new Uint8Array(readFileSync(deviceWasmPath())));
  } catch (cause) {
    throw new ModelError("DEVICE_MISSING", `no device at ${deviceWasmPath()}: run npm run build.`, { cause });
  }
  return compiled;
}
