import type { Matrix } from "../../lm/image-fields.ts";
import type { LanguageImage } from "../../lm/image-read.ts";
import type { Target } from "../mcu/target.ts";

/** The RP2040's cache in front of its flash. Source: RP2040 datasheet 2.6.3.1: 16 kB, two ways. */
const XIP_CACHE_BYTES = 16_384;
/** What boards/pico/boot2.S sets: each 32-bit word is a read of its own, 8 bits command, 24 address and 32 data, at clk_sys / 4. */
const CYCLES_PER_WORD = (8 + 24 + 32) * 4;

/** Bytes of weights, row factors and gains that one token reads. */
export function weightBytesPerToken({ blocks, embedding, head, gain, dModel }: LanguageImage): number {
  const matrixBytes = ({ weights, rows, groups }: Matrix): number =>
    weights.byteLength + rows.byteLength + (groups === undefined ? 0 : groups.factors.byteLength);
  const ofBlocks = blocks.map(({ attentionGain, qkv, out, mlpGain, gateUp, down }) => {
    const gains = attentionGain.values.byteLength + mlpGain.values.byteLength;
    return gains + [qkv, out, gateUp, down].reduce((sum, matrix) => sum + matrixBytes(matrix), 0);
  });
  const row = dModel + 2; // the token's own of the embedding
  const ofHead = matrixBytes("weights" in head ? head : embedding);
  return ofBlocks.reduce((sum, bytes) => sum + bytes, row + ofHead + gain.values.byteLength);
}

/**
 * Cycles per token that the flash's cache misses add, which no emulator counts: weights stream through a cache that they exceed, so every
 * word misses. At most: a cache line has two words, and one transfer for both would take three quarters. Undefined for other chips.
 */
export function xipMissCycles(target: Target, image: LanguageImage): number | undefined {
  if (target.family !== "rp2040") return undefined;
  const bytes = weightBytesPerToken(image);
  return bytes <= XIP_CACHE_BYTES ? 0 : Math.ceil(bytes / 4) * CYCLES_PER_WORD;
}
