import { CheckpointError } from "./checkpoint-error.ts";
import type { ElementType } from "./element-types.ts";
import { elementLayout } from "./element-types.ts";
import { checkExtents } from "./extents.ts";
import { GgufCursor } from "./gguf-cursor.ts";
import { plainTensor, type StoredTensor, tensorBytes } from "./stored-tensor.ts";
import type { WeightFile } from "./weight-file.ts";

export type GgufMetadata = ReadonlyMap<string, number | boolean | string | readonly number[] | readonly string[]>;
export type GgufHeader = { readonly metadata: GgufMetadata; readonly tensors: ReadonlyMap<string, StoredTensor> };

/** ggml's names of tensor types, for errors; the ones that are read have a layout. */
const tensorTypes: Readonly<Record<number, string>> = {
  0: "F32",
  1: "F16",
  2: "Q4_0",
  3: "Q4_1",
  6: "Q5_0",
  7: "Q5_1",
  8: "Q8_0",
  9: "Q8_1",
  10: "Q2_K",
  11: "Q3_K",
  12: "Q4_K",
  13: "Q5_K",
  14: "Q6_K",
  15: "Q8_K",
  24: "I8",
  25: "I16",
  26: "I32",
  27: "I64",
  28: "F64",
  30: "BF16",
}; // prettier-ignore

const limits = { entries: 65_536, tensors: 65_536, keyBytes: 65_535, textBytes: 16_777_216, elements: 4_194_304, dimensions: 4 };

/** Bytes of a value by its type; text and arrays have none. */
const valueBytes: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };
const textType = 8;
const arrayType = 9;

/** Reads the header of a GGUF file, version 2 or 3; tensors are checked to lie apart and in the file. Format: ggml's docs/gguf.md. */
export function readGgufHeader(file: WeightFile): GgufHeader {
  const cursor = new GgufCursor(file);
  cursor.skip(4, "magic");
  const version = cursor.u32("version");
  if (version % 65_536 === 0 && version !== 0)
    throw new CheckpointError("CHECKPOINT_BYTE_ORDER", `${file.path}: a big-endian GGUF; little-endian expected. Convert it again.`);
  if (version !== 2 && version !== 3)
    throw new CheckpointError("CHECKPOINT_FORMAT", `${file.path}: GGUF version ${version}; 2 or 3 expected. Convert it again.`);
  const tensorCount = cursor.count("number of tensors", 24, limits.tensors);
  const entryCount = cursor.count("number of metadata entries", 13, limits.entries);
  const metadata = new Map<string, number | boolean | string | number[] | string[]>();
  for (let i = 0; i < entryCount; i++) {
    const key = cursor.text("a metadata key", limits.keyBytes);
    if (metadata.has(key)) throw wrong(file, `metadata has ${key} twice`);
    metadata.set(key, readValue(file, cursor, key));
  }
  const found = Array.from({ length: tensorCount }, () => readTensorInfo(file, cursor));
  const alignment = metadata.get("general.alignment") ?? 32;
  if (typeof alignment !== "number" || !Number.isInteger(alignment) || alignment < 8 || alignment > 65_536 || alignment % 8 !== 0)
    throw wrong(file, `general.alignment is ${String(alignment)}; a multiple of 8 expected`);
  const dataAt = Math.ceil(cursor.at / alignment) * alignment;
  const tensors = new Map<string, StoredTensor>();
  for (const { name, type, rows, columns, offset } of found) {
    if (tensors.has(name)) throw wrong(file, `tensor ${name} is there twice`);
    if (offset % alignment !== 0) throw wrong(file, `tensor ${name} lies at ${offset}; a multiple of ${alignment} expected`);
    tensors.set(name, plainTensor(file, name, type, dataAt + offset, rows, columns));
  }
  const extents = found.map(({ name, type, rows, columns, offset }) => {
    return { name, from: dataAt + offset, to: dataAt + offset + tensorBytes(type, rows, columns) };
  });
  checkExtents(file.path, file.byteLength, extents);
  return { metadata, tensors };
}

function readValue(file: WeightFile, cursor: GgufCursor, key: string): number | boolean | string | number[] | string[] {
  const type = cursor.u32(`type of ${key}`);
  if (type !== arrayType) return readScalar(file, cursor, key, type);
  const elementType = cursor.u32(`element type of ${key}`);
  const bytesEach = elementType === textType ? 8 : valueBytes[elementType];
  if (bytesEach === undefined) throw wrong(file, `${key} is an array of type ${elementType}; numbers or text expected`);
  const count = cursor.count(`length of ${key}`, bytesEach, limits.elements);
  return Array.from({ length: count }, () => readScalar(file, cursor, key, elementType)) as number[] | string[];
}

function readScalar(file: WeightFile, cursor: GgufCursor, key: string, type: number): number | boolean | string {
  switch (type) {
    case 0:
      return cursor.u8(key);
    case 1:
      return (cursor.u8(key) << 24) >> 24;
    case 2:
      return cursor.u8(key) + 256 * cursor.u8(key);
    case 3:
      return ((cursor.u8(key) + 256 * cursor.u8(key)) << 16) >> 16;
    case 4:
      return cursor.u32(key);
    case 5:
      return cursor.i32(key);
    case 6:
      return cursor.f32(key);
    case 7:
      return cursor.u8(key) !== 0;
    case textType:
      return cursor.text(key, limits.textBytes);
    case 10:
    case 11: // sizes and counts: none is negative
      return cursor.u64(key);
    case 12:
      return cursor.f64(key);
    default:
      throw wrong(file, `${key} has type ${type}; a type of 0 to 12 expected`);
  }
}

type TensorInfo = { name: string; type: ElementType; rows: number; columns: number; offset: number };

function readTensorInfo(file: WeightFile, cursor: GgufCursor): TensorInfo {
  const name = cursor.text("a tensor's name", limits.keyBytes);
  const dimensions = cursor.u32(`dimensions of ${name}`);
  if (dimensions < 1 || dimensions > limits.dimensions)
    throw wrong(file, `tensor ${name} has ${dimensions} dimensions; 1 or 2 expected`, "CHECKPOINT_TENSOR_SHAPE");
  const sizes = Array.from({ length: dimensions }, () => cursor.u64(`size of ${name}`)); // fastest first
  const [columns = 0, rows = 1, ...rest] = sizes;
  const elements = sizes.reduce((product, size) => product * size, 1);
  if (elements < 1 || elements > Number.MAX_SAFE_INTEGER / 8 || rest.some((size) => size !== 1))
    throw wrong(file, `tensor ${name} is ${sizes.join(" × ")}; 1 or 2 dimensions expected`, "CHECKPOINT_TENSOR_SHAPE");
  const number = cursor.u32(`type of ${name}`);
  const type = tensorTypes[number] ?? "unknown";
  if (!Object.hasOwn(elementLayout, type))
    throw wrong(
      file,
      `tensor ${name} has type ${number} (${type}); ${Object.keys(elementLayout).join(", ")} expected`,
      "CHECKPOINT_TENSOR_TYPE",
    );
  const block = elementLayout[type as ElementType].elements;
  if (columns % block !== 0)
    throw wrong(file, `tensor ${name} has rows of ${columns}; whole blocks of ${block} expected`, "CHECKPOINT_TENSOR_SHAPE");
  return { name, type: type as ElementType, rows, columns, offset: cursor.u64(`offset of ${name}`) };
}

function wrong(file: WeightFile, text: string, code = "CHECKPOINT_HEADER"): CheckpointError {
  return new CheckpointError(code, `${file.path}: ${text}. Convert the model again, or copy the file again.`);
}
