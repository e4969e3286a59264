import { FirmwareError } from "../../../core/system/errors.ts";
import type { Segment } from "../elf.ts";

const DATA = 0;
const END = 1;
const EXTENDED_LINEAR_ADDRESS = 4;
const START_LINEAR_ADDRESS = 5;
const ROW_BYTES = 16;

function record(kind: number, offset: number, bytes: Uint8Array): string {
  const all = [bytes.length, offset >> 8, offset & 255, kind, ...bytes];
  const sum = -all.reduce((total, byte) => total + byte, 0) & 255;
  return `:${[...all, sum].map((byte) => byte.toString(16).padStart(2, "0")).join("")}\n`.toUpperCase();
}

function bigEndian(value: number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => (value >>> (8 * (bytes - 1 - i))) & 255);
}

/** Intel HEX (I32HEX) of the segments, with the program's start address. */
export function writeIntelHex(segments: readonly Segment[], entry: number): string {
  const lines: string[] = [];
  let page = -1;
  for (const { address, bytes } of segments) {
    for (let at = 0; at < bytes.length; ) {
      const here = address + at;
      if (here >>> 16 !== page) {
        page = here >>> 16;
        lines.push(record(EXTENDED_LINEAR_ADDRESS, 0, bigEndian(page, 2)));
      }
      const some = Math.min(ROW_BYTES - (here % ROW_BYTES), bytes.length - at); // a row never crosses a 64 KB page
      lines.push(record(DATA, here & 0xffff, bytes.subarray(at, at + some)));
      at += some;
    }
  }
  lines.push(record(START_LINEAR_ADDRESS, 0, bigEndian(entry, 4)), record(END, 0, new Uint8Array(0)));
  return lines.join("");
}

/** Reads Intel HEX; neighbouring rows are joined. Any text is safe; an error names the line. */
export function readIntelHex(text: string): Segment[] {
  const rows: { address: number; bytes: number[] }[] = [];
  let page = 0;
  let hasEnd = false;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line === "") continue;
    const bad = (what: string) =>
      new FirmwareError("BAD_HEX", `line ${index + 1} of the Intel HEX file is wrong: ${what}. Build it again.`);
    if (hasEnd) throw bad("it comes after the end record");
    if (!/^:([0-9a-fA-F]{2}){5,260}$/.test(line)) throw bad("not a record");
    const all = Uint8Array.from(line.slice(1).match(/../g)!, (pair) => Number.parseInt(pair, 16));
    if (all[0] !== all.length - 5) throw bad("its length");
    if ((all.reduce((sum, byte) => sum + byte, 0) & 255) !== 0) throw bad("its checksum");
    const data = all.subarray(4, -1);
    const offset = (all[1]! << 8) | all[2]!;
    if (all[3] === END) hasEnd = true;
    else if (all[3] === EXTENDED_LINEAR_ADDRESS && data.length === 2) page = ((data[0]! << 8) | data[1]!) * 65536;
    else if (all[3] === DATA) {
      const last = rows.at(-1);
      if (last !== undefined && last.address + last.bytes.length === page + offset) last.bytes.push(...data);
      else rows.push({ address: page + offset, bytes: [...data] });
    } else if (all[3] !== START_LINEAR_ADDRESS) throw bad(`kind ${all[3]}`);
  }
  if (!hasEnd) throw new FirmwareError("BAD_HEX", "the Intel HEX file has no end record: it was cut short. Build it again.");
  return rows.map(({ address, bytes }) => ({ address, bytes: Uint8Array.from(bytes) }));
}
