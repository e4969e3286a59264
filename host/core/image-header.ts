import { createHash } from "node:crypto";
import * as layout from "../../assembly/layout.ts";
import { crc32 } from "./crc32.ts";
import { ModelError } from "./errors.ts";
import { statusError } from "./status.ts";

const SHA256_BYTES = 32;

/** A section of an image: `bytes` bytes from `offset`, holding `count` records. */
export interface Section {
  readonly offset: number;
  readonly bytes: number;
  readonly count: number;
}

/** An image fault that the core knows too; `detail` says what was found where. */
export function imageError(status: number, detail: string): ModelError {
  return statusError(status, "model image", detail);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** SHA-256 of the image with its CRC and SHA fields 0. */
function sha256(bytes: Uint8Array): Buffer {
  const zeros = new Uint8Array(SHA256_BYTES);
  return createHash("sha256")
    .update(bytes.subarray(0, layout.HEADER_CRC32))
    .update(zeros.subarray(0, 4))
    .update(bytes.subarray(layout.HEADER_CRC32 + 4, layout.HEADER_SHA256))
    .update(zeros)
    .update(bytes.subarray(layout.HEADER_SHA256 + SHA256_BYTES))
    .digest();
}

/** CRC-32 of the image with its CRC field 0. */
function imageCrc32(bytes: Uint8Array): number {
  const before = crc32(bytes.subarray(0, layout.HEADER_CRC32));
  return crc32(bytes.subarray(layout.HEADER_CRC32 + 4), crc32(new Uint8Array(4), before));
}

/** Hex of the SHA-256 in the image's header: its name everywhere. */
export function imageHash(bytes: Uint8Array): string {
  if (bytes.length < layout.IMAGE_HEADER_BYTES) throw imageError(layout.STATUS_IMAGE_TOO_SHORT, `${bytes.length} B`);
  return Buffer.from(bytes.subarray(layout.HEADER_SHA256, layout.HEADER_SHA256 + SHA256_BYTES)).toString("hex");
}

/** Recomputes the SHA-256 and then the CRC-32 in place. */
export function sealImage(bytes: Uint8Array): void {
  if (bytes.length < layout.IMAGE_HEADER_BYTES) throw imageError(layout.STATUS_IMAGE_TOO_SHORT, `${bytes.length} B`);
  bytes.set(sha256(bytes), layout.HEADER_SHA256);
  viewOf(bytes).setUint32(layout.HEADER_CRC32, imageCrc32(bytes), true);
}

/** Checks every header field but the checksums. */
export function checkHeader(bytes: Uint8Array): void {
  const found = bytes.length;
  if (found < layout.IMAGE_MIN_BYTES) throw imageError(layout.STATUS_IMAGE_TOO_SHORT, `${found} B`);
  const view = viewOf(bytes);
  const word = (offset: number): number => view.getUint32(offset, true);
  const hex = (offset: number): string => `0x${word(offset).toString(16).padStart(8, "0")}`;
  if (word(layout.HEADER_MAGIC) !== layout.IMAGE_MAGIC) throw imageError(layout.STATUS_BAD_MAGIC, hex(layout.HEADER_MAGIC));
  if (word(layout.HEADER_VERSION) !== layout.IMAGE_VERSION) {
    throw imageError(layout.STATUS_BAD_VERSION, `version ${word(layout.HEADER_VERSION)}, not ${layout.IMAGE_VERSION}`);
  }
  if (word(layout.HEADER_ABI_HASH) !== layout.ABI_HASH) {
    throw imageError(layout.STATUS_ABI_MISMATCH, `${hex(layout.HEADER_ABI_HASH)}, not 0x${layout.ABI_HASH.toString(16)}`);
  }
  const said = word(layout.HEADER_IMAGE_BYTES);
  if (found > layout.IMAGE_MAX_BYTES || found % layout.IMAGE_ALIGN !== 0 || said !== found) {
    throw imageError(layout.STATUS_BAD_SIZE, `${found} B, its header says ${said} B`);
  }
  if (word(layout.HEADER_FLAGS) !== 0 || word(layout.HEADER_RESERVED) !== 0) {
    throw imageError(layout.STATUS_BAD_FLAGS, `flags ${hex(layout.HEADER_FLAGS)}, reserved ${hex(layout.HEADER_RESERVED)}`);
  }
}

/** Checks the CRC-32 and the SHA-256. */
export function checkSums(bytes: Uint8Array): void {
  const said = viewOf(bytes).getUint32(layout.HEADER_CRC32, true);
  const is = imageCrc32(bytes);
  if (said !== is) throw imageError(layout.STATUS_BAD_CRC, `0x${is.toString(16)}, its header says 0x${said.toString(16)}`);
  if (sha256(bytes).toString("hex") !== imageHash(bytes)) {
    throw new ModelError("BAD_SHA256", `model image: its SHA-256 is not the ${imageHash(bytes)} of its header. Copy or download it again.`);
  }
}

/** The section table: kinds 1 … SECTION_COUNT in order, within the image, gaps zero. Index 0 of the result is kind 1. */
export function readSections(bytes: Uint8Array): readonly Section[] {
  const view = viewOf(bytes);
  const count = view.getUint32(layout.HEADER_SECTION_COUNT, true);
  if (count !== layout.SECTION_COUNT) throw imageError(layout.STATUS_BAD_SECTIONS, `${count} sections, not ${layout.SECTION_COUNT}`);
  const sections: Section[] = [];
  let end = layout.IMAGE_HEADER_BYTES + layout.SECTION_COUNT * layout.SECTION_ENTRY_BYTES;
  for (let kind = 1; kind <= layout.SECTION_COUNT; kind++) {
    const entry = layout.IMAGE_HEADER_BYTES + (kind - 1) * layout.SECTION_ENTRY_BYTES;
    const section = {
      offset: view.getUint32(entry + 4, true),
      bytes: view.getUint32(entry + 8, true),
      count: view.getUint32(entry + 12, true),
    };
    const where = `section ${kind} at ${section.offset}, ${section.bytes} B`;
    if (view.getUint32(entry, true) !== kind) throw imageError(layout.STATUS_BAD_SECTIONS, `entry ${kind} has another kind`);
    if (section.offset % layout.IMAGE_ALIGN !== 0 || section.offset < end) throw imageError(layout.STATUS_BAD_SECTIONS, where);
    if (section.offset + section.bytes > bytes.length) throw imageError(layout.STATUS_BAD_SECTIONS, `${where}, ends past the image`);
    requireZeros(bytes, end, section.offset, `the gap before section ${kind}`);
    end = section.offset + section.bytes;
    sections.push(section);
  }
  requireZeros(bytes, end, bytes.length, "the end");
  return sections;
}

/** Padding is zero: the same model has one image. */
export function requireZeros(bytes: Uint8Array, from: number, to: number, what: string): void {
  for (let i = from; i < to; i++) {
    if (bytes[i] !== 0) throw imageError(layout.STATUS_BAD_PADDING, `${what}: byte ${i} is ${bytes[i]}`);
  }
}
