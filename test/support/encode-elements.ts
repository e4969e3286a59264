import { type ElementType, elementLayout } from "../../host/lm/import/element-types.ts";

/** Values in the bytes of an element type, rounded to nearest as ggml's reference does; whole blocks for Q8_0 and Q4_0. */
export function encodeElements(type: ElementType, values: Float32Array): Uint8Array {
  const { elements, bytes } = elementLayout[type];
  const out = new Uint8Array((values.length / elements) * bytes);
  const view = new DataView(out.buffer);
  for (let at = 0, i = 0; i < values.length; i += elements, at += bytes) {
    const block = values.subarray(i, i + elements);
    if (type === "F32") view.setFloat32(at, block[0]!, true);
    else if (type === "F16") view.setUint16(at, float16Bits(block[0]!), true);
    else if (type === "BF16") view.setUint16(at, bfloat16Bits(block[0]!), true);
    else if (type === "Q8_0") encodeQ8(view, at, block);
    else encodeQ4(view, at, block);
  }
  return out;
}

function encodeQ8(view: DataView, at: number, block: Float32Array): void {
  const scale = Math.max(...block.map(Math.abs)) / 127;
  view.setUint16(at, float16Bits(scale), true);
  block.forEach((value, i) => {
    view.setInt8(at + 2 + i, scale === 0 ? 0 : Math.round(value / scale));
  });
}

function encodeQ4(view: DataView, at: number, block: Float32Array): void {
  const largest = block.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
  const scale = largest / -8;
  const q = Array.from(block, (value) => (scale === 0 ? 8 : Math.min(15, Math.floor(value / scale + 8.5))));
  view.setUint16(at, float16Bits(scale), true);
  for (let i = 0; i < 16; i++) view.setUint8(at + 2 + i, q[i]! | (q[16 + i]! << 4));
}

function float32Bits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0]!;
}

function bfloat16Bits(value: number): number {
  const bits = float32Bits(value);
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** IEEE 754 binary16, half to even. */
function float16Bits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (!Number.isFinite(size)) return sign | (Number.isNaN(size) ? 0x7e00 : 0x7c00);
  const exponent = Math.max(-14, Math.floor(Math.log2(size === 0 ? 2 ** -24 : size)));
  const scaled = size / 2 ** (exponent - 10);
  const floor = Math.floor(scaled);
  const up = scaled - floor > 0.5 || (scaled - floor === 0.5 && floor % 2 === 1) ? 1 : 0;
  const bits = (exponent + 14) * 1024 + floor + up; // a carry moves into the exponent
  return sign | Math.min(bits, 0x7c00);
}
