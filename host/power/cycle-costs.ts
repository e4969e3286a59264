import type { Ops } from "../core/image/ops.ts";

/** Cycles of one operation of each kind. Weight bytes are read within the multiply-accumulates. */
export interface CycleCosts {
  readonly mac: number;
  readonly requantize: number;
  readonly state: number; // one scan state, one patch
  readonly lookup: number;
  readonly norm: number;
  readonly source: string;
}

export const coreKinds = ["cortex-m0plus", "cortex-m4", "cortex-m33", "cortex-a"] as const;
export type CoreKind = (typeof coreKinds)[number];

/** Cycles per instruction on an M4; assumed, for flash wait states behind a cache and taken branches. */
const M4_CYCLES_PER_INSTRUCTION = 1.25;
/** The same on an M33, its instruction cache on. */
const M33_CYCLES_PER_INSTRUCTION = 1.15;

/** Cycles per emulated instruction; assumed, not measured. Absent for cores without an instruction-counting emulator. */
export const cyclesPerInstruction: Readonly<Partial<Record<CoreKind, number>>> = {
  "cortex-m4": M4_CYCLES_PER_INSTRUCTION,
  "cortex-m33": M33_CYCLES_PER_INSTRUCTION,
};

/** Instructions per operation kind, counted by an emulator. */
const m4Instructions = { mac: 1.93, requantize: 31, state: 23, lookup: 8, norm: 14 };

const scaled = (cyclesPerInstruction: number): Omit<CycleCosts, "source"> => ({
  mac: m4Instructions.mac * cyclesPerInstruction,
  requantize: m4Instructions.requantize * cyclesPerInstruction,
  state: m4Instructions.state * cyclesPerInstruction,
  lookup: m4Instructions.lookup * cyclesPerInstruction,
  norm: m4Instructions.norm * cyclesPerInstruction,
});

/**
 * Cycles per operation on each kind of core. Instruction counts are exact (QEMU) for prototype kernels; no figure was measured on
 * silicon. Lookups and norms were not counted one by one: theirs are chosen so that a window of the activity model comes to the whole
 * step's count.
 */
export const cycleCosts: Readonly<Record<CoreKind, CycleCosts>> = {
  "cortex-m0plus": {
    ...{ mac: 7.8, requantize: 137, state: 42, lookup: 10, norm: 40 },
    source: "rp2040js 1.4.1 cycles of the wasm2c GEMV 128×128, requantise and 16-bit-halves scan; no XIP misses; lookup and norm estimated",
  },
  "cortex-m4": {
    ...scaled(M4_CYCLES_PER_INSTRUCTION),
    source:
      "QEMU 7.2 instructions of the SMLAD GEMV 128×128 (1.93 a MAC), requantise 31, scan 23; lookup 8 and norm 14 estimated; 1.25 cycles an instruction assumed",
  },
  "cortex-m33": {
    ...scaled(M33_CYCLES_PER_INSTRUCTION),
    source: "the M4's instructions (QEMU: within 1 % of them); 1.15 cycles an instruction assumed, instruction cache on",
  },
  "cortex-a": {
    ...{ mac: 0.15, requantize: 6, state: 4, lookup: 3, norm: 5 },
    source:
      "derived from this core's SIMD build: about 36,000 MACs a step in 12 µs on an x86-64 core at some 3 GHz, all operations together",
  },
};

/** Cycles of a set of operations. */
export function countCycles(ops: Ops, costs: CycleCosts): number {
  return (
    ops.macs * costs.mac + ops.requantize * costs.requantize + ops.state * costs.state + ops.lookup * costs.lookup + ops.norm * costs.norm
  );
}
