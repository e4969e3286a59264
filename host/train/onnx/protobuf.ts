/** Protocol buffers' wire format, as far as ONNX files need it. Source: protobuf.dev/programming-guides/encoding. */
export type Field = readonly [number: number, value: FieldValue];
/** An integer, a text, bytes, or a message of its own. */
export type FieldValue = number | string | Uint8Array | readonly Field[];

const VARINT = 0;
const BYTES = 2;

/** A message of these fields, in their order. Integers are non-negative and safe, or negative and above −2^31. */
export function encodeMessage(fields: readonly Field[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [number, value] of fields) {
    if (typeof value === "number") {
      parts.push(varint((number << 3) | VARINT), varint(value));
      continue;
    }
    const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value instanceof Uint8Array ? value : encodeMessage(value);
    parts.push(varint((number << 3) | BYTES), varint(bytes.length), bytes);
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** Base 128, least digits first; a negative number as 64-bit two's complement. */
function varint(value: number): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const digits: number[] = [];
  while (rest > 127n) {
    digits.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  digits.push(Number(rest));
  return Uint8Array.from(digits);
}
