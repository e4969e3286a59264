import { z } from "zod";
import { DataError } from "../system/errors.ts";

/** Float32 tensors by name, as in a safetensors file: u64 header length, JSON header, data. */
export interface FloatTensors {
  readonly tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly values: Float32Array }>>;
  readonly metadata: Readonly<Record<string, string>>;
}

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const metadataSchema = z.record(z.string(), z.string());
const headerSchema = z.record(z.string(), z.unknown());
type HeaderEntry = z.infer<typeof entrySchema>;

const headerMaxBytes = 100_000_000; // as the reference implementation

/** Bytes of a safetensors file with F32 tensors in the order given. Format: huggingface/safetensors, README "Format". */
export function writeSafetensors(file: FloatTensors): Uint8Array {
  const header: Record<string, HeaderEntry | Readonly<Record<string, string>>> = { __metadata__: file.metadata };
  let offset = 0;
  for (const [name, { shape, values }] of Object.entries(file.tensors)) {
    header[name] = { dtype: "F32", shape: [...shape], data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  let json = JSON.stringify(header);
  while (new TextEncoder().encode(json).length % 8 !== 0) json += " "; // data starts aligned
  const text = new TextEncoder().encode(json);
  const bytes = new Uint8Array(8 + text.length + offset);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  let at = 8 + text.length;
  for (const { values } of Object.values(file.tensors))
    for (const value of values) {
      view.setFloat32(at, value, true);
      at += 4;
    }
  return bytes;
}

/** Reads a safetensors file whose tensors are all F32; anything else is a DataError. */
export function readSafetensors(bytes: Uint8Array, path = "model.safetensors"): FloatTensors {
  const bad = (what: string): DataError =>
    new DataError("BAD_SAFETENSORS", `${path}: ${what}. Write it again with \`dormouse train\` or restore it from the repository.`);
  if (bytes.length < 8) throw bad(`${bytes.length} bytes, at least 8 expected`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > headerMaxBytes || 8 + Number(length) > bytes.length) throw bad(`a header of ${length} bytes in a file of ${bytes.length}`);
  const start = 8 + Number(length);
  let header: Record<string, unknown>;
  try {
    header = headerSchema.parse(JSON.parse(new TextDecoder().decode(bytes.subarray(8, start))));
  } catch {
    throw bad("the header is not a JSON object");
  }
  const tensors: Record<string, { shape: number[]; values: Float32Array }> = {};
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") {
      const read = metadataSchema.safeParse(value);
      if (!read.success) throw bad("__metadata__ is not strings by name");
      metadata = read.data;
      continue;
    }
    const read = entrySchema.safeParse(value);
    if (!read.success) throw bad(`tensor ${name} lacks a dtype, a shape or its offsets`);
    const entry = read.data;
    if (entry.dtype !== "F32") throw bad(`tensor ${name} is ${entry.dtype}, F32 expected`);
    const size = entry.shape.reduce((product, n) => product * n, 1);
    const [from, to] = entry.data_offsets;
    if (to - from !== size * 4 || start + to > bytes.length)
      throw bad(`tensor ${name} of shape [${entry.shape.join(", ")}] lies at ${from}…${to}`);
    const values = new Float32Array(size);
    for (let i = 0; i < size; i++) values[i] = view.getFloat32(start + from + i * 4, true);
    tensors[name] = { shape: entry.shape, values };
  }
  return { tensors, metadata };
}
