import type { ElementType } from "../../host/lm/import/element-types.ts";
import { encodeElements } from "./encode-elements.ts";

/** A metadata value with its type. */
export type GgufValue =
  | { readonly u32: number }
  | { readonly f32: number }
  | { readonly bool: boolean }
  | { readonly string: string }
  | { readonly strings: readonly string[] }
  | { readonly f32s: readonly number[] }
  | { readonly i32s: readonly number[] };

export type GgufTensor = {
  readonly name: string;
  readonly type: ElementType;
  /** Row-major; left out for a vector. */
  readonly rows?: number | undefined;
  readonly columns: number;
  readonly values: Float32Array;
};

const valueTypes = { u32: 4, f32: 6, bool: 7, string: 8, strings: 9, f32s: 9, i32s: 9 } as const;
const tensorTypes: Readonly<Record<ElementType, number>> = { F32: 0, F16: 1, Q4_0: 2, Q8_0: 8, BF16: 30 };
const alignment = 32;

/** Bytes of a GGUF file, version 3, little-endian. Format: ggml's docs/gguf.md. */
export function writeGguf(metadata: Readonly<Record<string, GgufValue>>, tensors: readonly GgufTensor[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const entries = Object.entries(metadata);
  parts.push(Buffer.from("GGUF"), u32(3), u64(tensors.length), u64(entries.length));
  for (const [key, value] of entries) parts.push(text(key), ...valueParts(value));
  let offset = 0;
  const blobs = tensors.map(({ type, values }) => encodeElements(type, values));
  tensors.forEach(({ name, type, rows, columns }, i) => {
    const sizes = rows === undefined ? [columns] : [columns, rows]; // fastest first
    parts.push(text(name), u32(sizes.length), ...sizes.map(u64), u32(tensorTypes[type]), u64(offset));
    offset += aligned(blobs[i]!.length);
  });
  const header = Buffer.concat(parts);
  return new Uint8Array(Buffer.concat([padded(header), ...blobs.map(padded)]));
}

function valueParts(value: GgufValue): Uint8Array[] {
  const [kind] = Object.keys(value) as [keyof typeof valueTypes];
  const type = u32(valueTypes[kind]);
  if ("u32" in value) return [type, u32(value.u32)];
  if ("f32" in value) return [type, f32(value.f32)];
  if ("bool" in value) return [type, Uint8Array.of(value.bool ? 1 : 0)];
  if ("string" in value) return [type, text(value.string)];
  if ("strings" in value) return [type, u32(8), u64(value.strings.length), ...value.strings.map(text)];
  if ("f32s" in value) return [type, u32(6), u64(value.f32s.length), ...value.f32s.map(f32)];
  return [type, u32(5), u64(value.i32s.length), ...value.i32s.map(u32)];
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

function padded(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, new Uint8Array(aligned(bytes.length) - bytes.length)]);
}

function text(value: string): Uint8Array {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

function u64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function f32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}
