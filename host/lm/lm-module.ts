import { instantiateSync } from "@assemblyscript/loader";
import * as layout from "../../assembly/layout.ts";
import * as lm from "../../assembly/lm/layout.ts";
import { type CoreBuild, compileModule } from "../core/session/module.ts";
import { ModelError } from "../core/system/errors.ts";

/** The exports of lm.wasm (assembly/lm.ts). A session is the address of its arena. */
export interface LmExports {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  runs(word: number): number;
  memoryBase(): number;
  prepare(image: number, imageBytes: number, arena: number, arenaBytes: number, window: number): number;
  arenaUsedBytes(): number;
  reset(session: number): void;
  tokensPtr(session: number): number;
  prefill(session: number, count: number, hasLogits: number): number;
  step(session: number, token: number): number;
  logitsPtr(session: number): number;
  logitMantissa(session: number): number;
  logitExponent(session: number): number;
  maskPtr(session: number): number;
  useMask(session: number, isUsed: number): void;
  greedy(session: number): number;
  sample(session: number, mantissa: number, exponent: number, topK: number, topP: number, seed: number): number;
  statePtr(session: number): number;
  stateBytes(session: number): number;
  snapshotBytes(session: number): number;
  snapshot(session: number, to: number): void;
  restore(session: number, from: number, bytes: number): number;
}

/** Bytes of the wasm module itself. */
export function lmWasmBytes(build: CoreBuild): number {
  return compileModule(`lm-${build}`).bytes;
}

/** A fresh instance of the language core. An instance that has trapped must be dropped. */
export function instantiateLm(build: CoreBuild): LmExports {
  const core = instantiateSync(compileModule(`lm-${build}`).module, {}).exports as unknown as LmExports;
  core._initialize();
  if (core.runs(0) !== 1 << layout.IMAGE_FORMAT_2 || core.runs(1) !== lm.LM_KINDS)
    throw new ModelError("CORE_MISMATCH", `lm-${build}.wasm runs formats ${core.runs(0)} and kinds ${core.runs(1)}: run npm run build.`);
  return core;
}
