import { readFileSync } from "node:fs";
import { join } from "node:path";
import { instantiateSync } from "@assemblyscript/loader";
import { describeRuns, hostRuns, isSameRuns, type Runs, readRuns, textRuns } from "../image/runs.ts";
import { ModelError } from "../system/errors.ts";
import { packageRoot } from "../system/package-root.ts";
import type { EngineName } from "./session-types.ts";

/** The wasm builds of the core. `debug` has assertions and names; tests use it. */
export type CoreBuild = "scalar" | "simd" | "debug";

/** The exports of core.wasm (assembly/core.ts). A model is the address of its arena. */
export interface CoreExports {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  runs(word: number): number;
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
  useLda(model: number, record: number): number;
  opCount(model: number, exit: number, kind: number): number;
  snapshotBytes(model: number): number;
  snapshot(model: number, to: number): void;
  restore(model: number, from: number, bytes: number): number;
}

/** The exports of batch.wasm (assembly/batch/batch.ts). A batch is the address of its arena. */
export interface BatchExports {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  runs(word: number): number;
  memoryBase(): number;
  lanes(): number;
  prepare(image: number, imageBytes: number, arena: number, arenaBytes: number, maxPatches: number): number;
  arenaUsedBytes(): number;
  lengthsPtr(batch: number): number;
  patchesPtr(batch: number): number;
  logitsPtr(batch: number): number;
  run(batch: number): void;
}

/** The exports of text.wasm (assembly/text/text.ts). A text model is the address of its arena. */
export interface TextExports {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  runs(word: number): number;
  memoryBase(): number;
  prepare(image: number, imageBytes: number, arena: number, arenaBytes: number): number;
  arenaUsedBytes(): number;
  textPtr(model: number): number;
  classify(model: number, bytes: number): void;
  resultPtr(model: number): number;
  logitsPtr(model: number): number;
  rowsPtr(model: number): number;
}

type ModuleName = `core-${CoreBuild}` | "batch-simd" | `text-${EngineName}` | `lm-${CoreBuild}`;

const compiled = new Map<ModuleName, { module: WebAssembly.Module; bytes: number }>();

/** A wasm module of dist/, compiled once per process. */
export function compileModule(name: ModuleName): { module: WebAssembly.Module; bytes: number } {
  const before = compiled.get(name);
  if (before !== undefined) return before;
  const file = join(packageRoot(), "dist", `${name}.wasm`);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(readFileSync(file));
  } catch (cause) {
    throw new ModelError("CORE_MISSING", `no core at ${file}: run npm run build.`, { cause });
  }
  const made = { module: new WebAssembly.Module(bytes), bytes: bytes.byteLength };
  compiled.set(name, made);
  return made;
}

/** Bytes of the wasm module itself. */
export function coreWasmBytes(build: CoreBuild): number {
  return compileModule(`core-${build}`).bytes;
}

/** A fresh instance of the core, what it runs compared with the host. An instance that has trapped must be dropped. */
export function instantiateCore(build: CoreBuild): CoreExports {
  return instantiate<CoreExports>(`core-${build}`);
}

/** The same of the core that runs sequences side by side. */
export function instantiateBatch(): BatchExports {
  return instantiate<BatchExports>("batch-simd");
}

/** The same of the core that reads texts. */
export function instantiateText(build: EngineName): TextExports {
  return instantiate<TextExports>(`text-${build}`, textRuns);
}

function instantiate<E extends { _initialize(): void; runs(word: number): number }>(name: ModuleName, wanted: Runs = hostRuns): E {
  const { exports } = instantiateSync(compileModule(name).module, {});
  const core = exports as unknown as E;
  core._initialize();
  const runs = readRuns(core);
  if (!isSameRuns(runs, wanted)) {
    const [its, ours] = [runs, wanted].map((one) => JSON.stringify(describeRuns(one)));
    throw new ModelError("CORE_MISMATCH", `${name}.wasm runs ${its}, the host ${ours}: run npm run build.`);
  }
  return core;
}

const PAGE_BYTES = 65536;

/** Grows the core's memory so that bytes [0, end) exist. Only before prepare: after it, memory is fixed. */
export function growTo(core: Pick<CoreExports, "memory">, end: number): void {
  const missing = end - core.memory.buffer.byteLength;
  if (missing > 0) core.memory.grow(Math.ceil(missing / PAGE_BYTES));
}
