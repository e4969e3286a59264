import { canonicalTables } from "../../host/core/arithmetic/tables.ts";
import type { Kernels } from "../support/kernels.ts";
import { Space } from "../support/kernels.ts";
import { seeded } from "../support/random.ts";

/** A kernel at a shape: how to call it on an instance. */
export interface KernelCase {
  readonly kernel: string;
  readonly shape: string;
  /** Multiply-accumulates of one call; of a kernel without sums its products. */
  readonly macs: number;
  /** Bytes that one call moves if each operand is read once and each result written once. */
  readonly bytes: number;
  prepare(kernels: Kernels): () => void;
}

const random = seeded(1);
const s8 = (n: number): Int8Array => Int8Array.from({ length: n }, () => Math.floor(random() * 255) - 127);
const s32 = (n: number, limit: number): Int32Array => Int32Array.from({ length: n }, () => Math.floor((random() - 0.5) * 2 * limit));
const multipliers = (n: number): Int32Array => Int32Array.from({ length: n }, () => 0x40000000 + Math.floor(random() * 0x3fffffff));
const shifts = (n: number): Int8Array => new Int8Array(n).fill(-9);

function linear(nIn: number, nOut: number): KernelCase {
  return {
    kernel: "linear-s8",
    shape: `${nOut}x${nIn}`,
    macs: nIn * nOut,
    bytes: nIn + nIn * nOut + 8 * nOut,
    prepare(k) {
      const space = new Space(k);
      const [x, w, b, acc] = [space.s8(s8(nIn)), space.s8(s8(nIn * nOut)), space.s32(s32(nOut, 1000)), space.s32(new Int32Array(nOut))];
      return () => k.linearS8(x.byteOffset, w.byteOffset, b.byteOffset, acc.byteOffset, nIn, nOut);
    },
  };
}

/** Every kernel at the shapes of the activity agent, and linear-s8 at 128×128. */
export const KERNEL_CASES: readonly KernelCase[] = [
  linear(128, 128),
  linear(32, 148),
  linear(64, 32),
  {
    kernel: "requantize-s8",
    shape: "144",
    macs: 144,
    bytes: 144 * 10,
    prepare(k) {
      const space = new Space(k);
      const [acc, m, s, y] = [space.s32(s32(144, 60000)), space.s32(multipliers(144)), space.s8(shifts(144)), space.s8(s8(144))];
      return () => k.requantizeS8(acc.byteOffset, m.byteOffset, s.byteOffset, y.byteOffset, 144, 1);
    },
  },
  {
    kernel: "conv1d-s8",
    shape: "64x4",
    macs: 256,
    bytes: 2 * 192 + 64 + 256 + 64 * 9 + 256 + 64,
    prepare(k) {
      const space = new Space(k);
      const [state, x, w, b] = [space.s8(s8(192)), space.s8(s8(64)), space.s8(s8(256)), space.s32(s32(64, 1000))];
      const [m, s, t, y] = [space.s32(multipliers(64)), space.s8(shifts(64)), space.s8(s8(256)), space.s8(s8(64))];
      return () =>
        k.conv1dS8(
          state.byteOffset,
          x.byteOffset,
          w.byteOffset,
          b.byteOffset,
          m.byteOffset,
          s.byteOffset,
          t.byteOffset,
          y.byteOffset,
          64,
          4,
          1,
        );
    },
  },
  {
    kernel: "rms-norm",
    shape: "64",
    macs: 64,
    bytes: 3 * 64,
    prepare(k) {
      const space = new Space(k);
      const [x, y] = [space.s16(s32(64, 8000)), space.s8(s8(64))];
      return () => k.rmsNorm(x.byteOffset, y.byteOffset, 64, 1);
    },
  },
  {
    kernel: "selective-scan",
    shape: "4x16x8",
    macs: 1024,
    bytes: 2 * 512 * 4 + 8 + 16 + 64 + 2 * 16 + 128,
    prepare(k) {
      const space = new Space(k);
      const tables = space.s32(canonicalTables());
      const [raw, b, c, u] = [space.s16(s32(4, 9000)), space.s8(s8(8)), space.s8(s8(8)), space.s8(s8(64))];
      const [a, d, state] = [space.s32([6000, 9000, 3000, 20000]), space.s32(s32(4, 9000)), space.s32(new Int32Array(512))];
      const [dtB, y] = [space.s32(new Int32Array(8)), space.s16(new Int16Array(64))];
      const p = [tables, raw, b, c, u, a, d, state, dtB, y].map((v) => v.byteOffset);
      return () => k.selectiveScan(...p, 4, 16, 8, 10, 0x60000000, -6);
    },
  },
  {
    kernel: "attention-s8",
    shape: "4/2x8, W 32",
    macs: 2048,
    bytes: 32 + 2 * 512 + 2 * 32 * 4 + 32,
    prepare(k) {
      const space = new Space(k);
      const tables = space.s32(canonicalTables());
      const [q, key, v, scores, y] = [
        space.s8(s8(32)),
        space.s8(s8(512)),
        space.s8(s8(512)),
        space.s32(new Int32Array(32)),
        space.s8(s8(32)),
      ];
      const p = [tables, q, key, v, scores, y].map((view) => view.byteOffset);
      return () => k.attentionS8(...p, 32, 4, 2, 8, 0x50000000, 5, 0x60000000, -14);
    },
  },
  {
    kernel: "gated-mlp",
    shape: "64",
    macs: 64,
    bytes: 3 * 64 + 256,
    prepare(k) {
      const space = new Space(k);
      const [g, u, t, y] = [space.s8(s8(64)), space.s8(s8(64)), space.s8(s8(256)), space.s8(s8(64))];
      return () => k.gatedS8(g.byteOffset, u.byteOffset, t.byteOffset, y.byteOffset, 64, 0x60000000, -7);
    },
  },
];
