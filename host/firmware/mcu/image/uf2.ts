import { FirmwareError } from "../../../core/system/errors.ts";
import type { Segment } from "../elf.ts";

/** Family ids registered at github.com/microsoft/uf2. */
export const UF2_FAMILIES = { rp2040: 0xe48bff56, nrf52840: 0xada52840, stm32f4: 0x57755a57 } as const;

export type Uf2Family = keyof typeof UF2_FAMILIES;

const BLOCK_BYTES = 512;
const PAYLOAD_BYTES = 256;
const MAGIC = [0x0a324655, 0x9e5d5157, 0x0ab16f30] as const;
const FLAG_FAMILY = 0x2000;
const HEADER_BYTES = 32;

/** UF2: blocks of 256 bytes at multiples of 256; bytes beyond a segment are 0xff, as erased flash. */
export function writeUf2(segments: readonly Segment[], family: Uf2Family): Uint8Array {
  const pages = new Map<number, Uint8Array>();
  for (const { address, bytes } of segments) {
    for (let at = 0; at < bytes.length; ) {
      const page = address + at - ((address + at) % PAYLOAD_BYTES);
      const offset = address + at - page;
      const some = Math.min(PAYLOAD_BYTES - offset, bytes.length - at);
      const payload = pages.get(page) ?? new Uint8Array(PAYLOAD_BYTES).fill(0xff);
      payload.set(bytes.subarray(at, at + some), offset);
      pages.set(page, payload);
      at += some;
    }
  }
  const sorted = [...pages].sort(([a], [b]) => a - b);
  const file = new Uint8Array(sorted.length * BLOCK_BYTES);
  const view = new DataView(file.buffer);
  for (const [index, [address, payload]] of sorted.entries()) {
    const at = index * BLOCK_BYTES;
    const words = [MAGIC[0], MAGIC[1], FLAG_FAMILY, address, PAYLOAD_BYTES, index, sorted.length, UF2_FAMILIES[family]];
    for (const [i, word] of words.entries()) view.setUint32(at + 4 * i, word, true);
    file.set(payload, at + HEADER_BYTES);
    view.setUint32(at + BLOCK_BYTES - 4, MAGIC[2], true);
  }
  return file;
}

/** Reads a UF2 file. Any bytes are safe; an error names the block. */
export function readUf2(file: Uint8Array): { readonly familyId: number; readonly segments: Segment[] } {
  const bad = (what: string) => new FirmwareError("BAD_UF2", `this is no whole UF2 file: ${what}. Build it again.`);
  if (file.length === 0 || file.length % BLOCK_BYTES !== 0) throw bad(`${file.length} B are not whole blocks of ${BLOCK_BYTES} B`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const blocks = file.length / BLOCK_BYTES;
  const segments: Segment[] = [];
  let familyId: number | undefined;
  for (let index = 0; index < blocks; index++) {
    const at = index * BLOCK_BYTES;
    const word = (i: number) => view.getUint32(at + 4 * i, true);
    if (word(0) !== MAGIC[0] || word(1) !== MAGIC[1] || view.getUint32(at + BLOCK_BYTES - 4, true) !== MAGIC[2])
      throw bad(`block ${index} has no magic`);
    if (word(5) !== index || word(6) !== blocks)
      throw bad(`block ${index} is numbered ${word(5)} of ${word(6)}, but the file has ${blocks}`);
    if (word(4) > BLOCK_BYTES - HEADER_BYTES - 4) throw bad(`block ${index} claims ${word(4)} B`);
    if ((word(2) & FLAG_FAMILY) === 0 || (familyId ?? word(7)) !== word(7))
      throw bad(`block ${index} names no chip, or another than the first`);
    familyId = word(7);
    segments.push({ address: word(3), bytes: file.slice(at + HEADER_BYTES, at + HEADER_BYTES + word(4)) });
  }
  return { familyId: familyId!, segments };
}
