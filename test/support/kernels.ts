import asc from "assemblyscript/asc";
import { packageRoot } from "../../host/core/system/package-root.ts";

/** The kernels of test/assembly/entry.ts as functions on pointers. */
export interface Kernels {
  readonly memory: WebAssembly.Memory;
  memoryBase(): number;
  requantize(acc: number, multiplier: number, shift: number): number;
  requantizeS8(acc: number, multiplier: number, shift: number, y: number, n: number, lanes: number): void;
  requantizeS16(acc: number, multiplier: number, shift: number, y: number, n: number): void;
  requantizeAddS16(acc: number, multiplier: number, shift: number, y: number, n: number, lanes: number): void;
  linearS8(x: number, w: number, b: number, acc: number, nIn: number, nOut: number): void;
  bagS8(table: number, rows: number, count: number, acc: number, n: number): void;
  conv1dS8(
    state: number,
    x: number,
    w: number,
    bias: number,
    mult: number,
    shift: number,
    table: number,
    y: number,
    channels: number,
    taps: number,
    lanes: number,
  ): void;
  isqrt(v: number): number;
  rmsNorm(x: number, y: number, n: number, epsilon: number): void;
  selectiveScan(...pointersAndSizes: number[]): void;
  gateS16(y: number, z: number, table: number, n: number, lanes: number): void;
  softmaxQ15(tables: number, scores: number, n: number, multiplier: number, shift: number): number;
  exp2Neg(tables: number, t: number): number;
  softplus(tables: number, raw: number): number;
  attentionS8(...pointersAndSizes: number[]): void;
  gatedS8(g: number, u: number, table: number, y: number, n: number, multiplier: number, shift: number): void;
  quantiseFrame(frame: number, records: number, y: number, channels: number): void;
  crc32(crc: number, p: number, bytes: number): number;
  sha256Start(): void;
  sha256Add(p: number, bytes: number): void;
  sha256End(): number;
  cobsDecode(p: number, bytes: number): number;
  cobsEncode(p: number, bytes: number, to: number): number;
  crc16(p: number, bytes: number): number;
}

/** Which build this vitest project tests. */
export const build = (process.env.DORMOUSE_BUILD ?? "scalar") as "scalar" | "simd";

/** Compiles the kernels alone and returns a fresh instance with `pages` pages of memory. */
export const loadKernels = (which: "scalar" | "simd", pages = 4): Promise<Kernels> =>
  compileTestModule<Kernels>("test/assembly/entry.ts", which, pages);

/** Compiles a module of test/assembly and returns the exports of a fresh instance with `pages` pages of memory. */
export async function compileTestModule<Exports>(path: string, which: "scalar" | "simd", pages: number): Promise<Exports> {
  const simd = which === "simd" ? ["--enable", "simd"] : ["--disable", "simd"];
  const flags = ["--runtime", "stub", "--use", "abort=", "--noAssert", "-O3", "--initialMemory", String(pages), ...simd];
  let wasm: Uint8Array<ArrayBuffer> | undefined;
  const { error, stderr } = await asc.main([path, "--baseDir", packageRoot(), "--outFile", "module.wasm", ...flags], {
    writeFile(_name, contents) {
      wasm = new Uint8Array(contents as Uint8Array);
    },
  });
  if (error !== null || wasm === undefined) throw new Error(`${path} does not compile: ${stderr.toString()}`, { cause: error });
  return new WebAssembly.Instance(new WebAssembly.Module(wasm), {}).exports as Exports;
}

/** Hands out aligned space in a kernel instance's memory, with guard bytes after every array. */
export class Space {
  readonly #memory: WebAssembly.Memory;
  readonly #guards: number[] = [];
  #at: number;

  constructor(kernels: Kernels) {
    this.#memory = kernels.memory;
    this.#at = kernels.memoryBase();
  }

  #take(bytes: number): number {
    const at = this.#at;
    const guard = at + bytes;
    this.#at = (guard + 16 + 15) & ~15;
    new Uint8Array(this.#memory.buffer).fill(0xa5, guard, guard + 16);
    this.#guards.push(guard);
    return at;
  }

  s8(values: ArrayLike<number>): Int8Array {
    const view = new Int8Array(this.#memory.buffer, this.#take(values.length), values.length);
    view.set(values);
    return view;
  }

  s16(values: ArrayLike<number>): Int16Array {
    const view = new Int16Array(this.#memory.buffer, this.#take(values.length * 2), values.length);
    view.set(values);
    return view;
  }

  s32(values: ArrayLike<number>): Int32Array {
    const view = new Int32Array(this.#memory.buffer, this.#take(values.length * 4), values.length);
    view.set(values);
    return view;
  }

  /** True while nothing has written past the end of any array. */
  isIntact(): boolean {
    const bytes = new Uint8Array(this.#memory.buffer);
    return this.#guards.every((guard) => bytes.subarray(guard, guard + 16).every((byte) => byte === 0xa5));
  }
}
