/** Element types of stored weights; Q8_0 and Q4_0 as in ggml: blocks of 32 with a float16 scale before them. */
export const elementLayout = {
  F32: { elements: 1, bytes: 4 },
  F16: { elements: 1, bytes: 2 },
  BF16: { elements: 1, bytes: 2 },
  Q8_0: { elements: 32, bytes: 34 },
  Q4_0: { elements: 32, bytes: 18 },
} as const;
export type ElementType = keyof typeof elementLayout;

/** Decodes little-endian elements. `count` is a whole number of blocks, and `bytes` are as long as they take. */
export function decodeElements(type: ElementType, bytes: Uint8Array, count: number): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(count);
  switch (type) {
    case "F32":
      for (let i = 0; i < count; i++) values[i] = view.getFloat32(4 * i, true);
      return values;
    case "F16":
      for (let i = 0; i < count; i++) values[i] = float16(view.getUint16(2 * i, true));
      return values;
    case "BF16": {
      const words = new Uint32Array(values.buffer);
      for (let i = 0; i < count; i++) words[i] = view.getUint16(2 * i, true) << 16;
      return values;
    }
    case "Q8_0":
      for (let block = 0; 32 * block < count; block++) {
        const scale = float16(view.getUint16(34 * block, true));
        for (let i = 0; i < 32; i++) values[32 * block + i] = scale * view.getInt8(34 * block + 2 + i);
      }
      return values;
    case "Q4_0": // the low halves of the 16 bytes come first; value − 8
      for (let block = 0; 32 * block < count; block++) {
        const scale = float16(view.getUint16(18 * block, true));
        for (let i = 0; i < 16; i++) {
          const byte = view.getUint8(18 * block + 2 + i);
          values[32 * block + i] = scale * ((byte & 15) - 8);
          values[32 * block + 16 + i] = scale * ((byte >> 4) - 8);
        }
      }
      return values;
  }
}

/** The value of an IEEE 754 binary16. */
function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
