import { readFileSync } from "node:fs";
import { join } from "node:path";
import { instantiateSync } from "@assemblyscript/loader";
import { ABI_HASH } from "../../assembly/layout.ts";
import { ModelError } from "./errors.ts";
import { packageRoot } from "./package-root.ts";

/** The wasm builds of the core. `debug` has assertions and names; tests use it. */
export type CoreBuild = "scalar" | "simd" | "debug";

/** The exports of core.wasm (assembly/core.ts). A model is the address of its arena. */
export interface CoreExports {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  abiHash(): number;
  memoryBase(): number;
  prepare(image: number, imageBytes: number, arena: number, arenaBytes: number): number;
  arenaUsedBytes(): number;
  reset(model: number): void;
  framePtr(model: number): number;
  patchPtr(model: number): number;
  setPointPtr(model: number): number;
  decisionPtr(model: number): number;
  logitsPtr(model: number, exit: number): number;
  exitFeaturesPtr(model: number, exit: number): number;
  contextPtr(model: number): number;
  tailPtr(model: number): number;
  tailBytes(model: number): number;
  pushFrame(model: number, tick: number): number;
  pushPatch(model: number): number;
  decide(model: number): void;
  runAll(model: number): void;
  applySetPoint(model: number): number;
  opCount(model: number, exit: number, kind: number): number;
  snapshotBytes(model: number): number;
  snapshot(model: number, to: number): void;
  restore(model: number, from: number, bytes: number): number;
}

const compiled = new Map<CoreBuild, { module: WebAssembly.Module; bytes: number }>();

function compile(build: CoreBuild): { module: WebAssembly.Module; bytes: number } {
  const before = compiled.get(build);
  if (before !== undefined) return before;
  const file = join(packageRoot(), "dist", `core-${build}.wasm`);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(readFileSync(file));
  } catch (cause) {
    throw new ModelError("CORE_MISSING", `no core at ${file}: run npm run build.`, { cause });
  }
  const made = { module: new WebAssembly.Module(bytes), bytes: bytes.byteLength };
  compiled.set(build, made);
  return made;
}

/** Bytes of the wasm module itself. */
export function coreWasmBytes(build: CoreBuild): number {
  return compile(build).bytes;
}

/** A fresh instance of the core, its ABI compared with the host's. An instance that has trapped must be dropped. */
export function instantiateCore(build: CoreBuild): CoreExports {
  const { exports } = instantiateSync(compile(build).module, {});
  const core = exports as unknown as CoreExports;
  core._initialize();
  const abi = core.abiHash() >>> 0;
  if (abi !== ABI_HASH) {
    throw new ModelError(
      "CORE_ABI_MISMATCH",
      `core-${build}.wasm has ABI ${abi.toString(16)}, the host ${ABI_HASH.toString(16)}: run npm run build.`,
    );
  }
  return core;
}

const PAGE_BYTES = 65536;

/** Grows the core's memory so that bytes [0, end) exist. Only before prepare: after it, memory is fixed. */
export function growTo(core: CoreExports, end: number): void {
  const missing = end - core.memory.buffer.byteLength;
  if (missing > 0) core.memory.grow(Math.ceil(missing / PAGE_BYTES));
}
