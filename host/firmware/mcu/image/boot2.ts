import { FirmwareError } from "../../../core/system/errors.ts";
import type { Elf, Segment } from "../elf.ts";

const BOOT2_BYTES = 256;
const POLYNOMIAL = 0x04c11db7;

/** CRC-32/MPEG-2, as the RP2040's boot ROM takes it: not reflected, start all ones, no final XOR. */
export function crc32Mpeg2(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
  }
  return crc >>> 0;
}

/** Writes the checksum of the RP2040's boot ROM to the last word of the second stage, in place in the ELF. */
export function sealBoot2(elf: Elf): void {
  const first = elf.segments[0];
  if (first === undefined || first.bytes.length < BOOT2_BYTES)
    throw new FirmwareError("BAD_ELF", "the firmware has no second stage: boot2.S is not in it.");
  const view = new DataView(first.bytes.buffer, first.bytes.byteOffset, BOOT2_BYTES);
  view.setUint32(BOOT2_BYTES - 4, crc32Mpeg2(first.bytes.subarray(0, BOOT2_BYTES - 4)), true);
}

/** Whether the second stage at the start of flash has the checksum that the boot ROM wants, in whatever pieces it comes. */
export function isBoot2Sound(segments: readonly Segment[], flashBase: number): boolean {
  const boot2 = new Uint8Array(BOOT2_BYTES);
  let found = 0;
  for (const { address, bytes } of segments) {
    const some = bytes.subarray(Math.max(0, flashBase - address), Math.max(0, flashBase + BOOT2_BYTES - address));
    if (some.length > 0) boot2.set(some, Math.max(0, address - flashBase));
    found += some.length;
  }
  const stored = new DataView(boot2.buffer).getUint32(BOOT2_BYTES - 4, true);
  return found === BOOT2_BYTES && stored === crc32Mpeg2(boot2.subarray(0, BOOT2_BYTES - 4));
}
