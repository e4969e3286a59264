import { FirmwareError } from "../../core/system/errors.ts";

/** A stretch of bytes that is loaded at a physical address (flash). */
export interface Segment {
  readonly address: number;
  readonly bytes: Uint8Array;
}

export interface ElfSection {
  readonly name: string;
  readonly address: number;
  readonly bytes: number;
  readonly isAllocated: boolean;
  readonly isZeroed: boolean; // NOBITS: in RAM alone
}

/** What the image writers need of a 32-bit little-endian ARM ELF. */
export interface Elf {
  readonly entry: number;
  readonly segments: readonly Segment[];
  readonly sections: readonly ElfSection[];
  readonly symbols: ReadonlyMap<string, number>;
}

const SHF_ALLOC = 2;
const SHT_SYMTAB = 2;
const SHT_NOBITS = 8;

/** Reads an ELF file. Any bytes are safe; another format is an error. */
export function readElf(bytes: Uint8Array): Elf {
  const bad = (what: string) =>
    new FirmwareError("BAD_ELF", `this is no 32-bit little-endian ARM ELF file: ${what}. Give one that dormouse build made.`);
  if (bytes.length < 52 || bytes[0] !== 0x7f || String.fromCharCode(...bytes.subarray(1, 4)) !== "ELF") throw bad("no ELF magic");
  if (bytes[4] !== 1 || bytes[5] !== 1) throw bad("another class or byte order");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u32 = (at: number): number => {
    if (at + 4 > bytes.length) throw bad("cut short");
    return view.getUint32(at, true);
  };
  const u16 = (at: number): number => {
    if (at + 2 > bytes.length) throw bad("cut short");
    return view.getUint16(at, true);
  };
  if (u16(18) !== 40) throw bad("another machine");
  const slice = (offset: number, length: number): Uint8Array => {
    if (offset + length > bytes.length) throw bad("cut short");
    return bytes.subarray(offset, offset + length);
  };
  const text = (table: Uint8Array, at: number): string => {
    const end = table.indexOf(0, at);
    return Buffer.from(table.subarray(at, end < 0 ? table.length : end)).toString("latin1");
  };
  const segments: Segment[] = [];
  for (let i = 0; i < u16(44); i++) {
    const at = u32(28) + i * u16(42);
    if (u32(at) === 1 && u32(at + 16) > 0) segments.push({ address: u32(at + 12), bytes: slice(u32(at + 4), u32(at + 16)) });
  }
  const header = (index: number): number => u32(32) + index * u16(46);
  const names = header(u16(50));
  const nameTable = slice(u32(names + 16), u32(names + 20));
  const sections: ElfSection[] = [];
  const symbols = new Map<string, number>();
  for (let i = 0; i < u16(48); i++) {
    const at = header(i);
    const kind = u32(at + 4);
    sections.push({
      name: text(nameTable, u32(at)),
      address: u32(at + 12),
      bytes: u32(at + 20),
      isAllocated: (u32(at + 8) & SHF_ALLOC) !== 0,
      isZeroed: kind === SHT_NOBITS,
    });
    if (kind !== SHT_SYMTAB) continue;
    const strings = header(u32(at + 24));
    const stringTable = slice(u32(strings + 16), u32(strings + 20));
    const table = slice(u32(at + 16), u32(at + 20));
    const entries = new DataView(table.buffer, table.byteOffset, table.byteLength);
    for (let s = 0; s + 16 <= table.length; s += 16)
      symbols.set(text(stringTable, entries.getUint32(s, true)), entries.getUint32(s + 4, true));
  }
  return { entry: u32(24), segments: segments.sort((a, b) => a.address - b.address), sections, symbols };
}

/** The segments as one stretch, gaps filled with 0xff as erased flash has it. */
export function flatten(segments: readonly Segment[]): Segment {
  const first = segments[0];
  if (first === undefined) throw new FirmwareError("EMPTY_IMAGE", "the firmware has nothing to load: build it again.");
  const end = Math.max(...segments.map(({ address, bytes }) => address + bytes.length));
  const bytes = new Uint8Array(end - first.address).fill(0xff);
  for (const segment of segments) bytes.set(segment.bytes, segment.address - first.address);
  return { address: first.address, bytes };
}
