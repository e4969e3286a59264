import { createHash } from "node:crypto";
import * as layout from "../../../assembly/layout.ts";
import { crc32 } from "../arithmetic/crc32.ts";
import { statusError } from "../session/status.ts";
import { ModelError } from "../system/errors.ts";

const SHA256_BYTES = 32;

/** A section of an image: `bytes` bytes from `offset`, holding `count` records. */
export interface Section {
  readonly offset: number;
  readonly bytes: number;
  readonly count: number;
}

/** An image fault with the core's status code; `detail`: what was found where. */
export function imageError(status: number, detail: string): ModelError {
  return statusError(status, "model image", detail);
}

export function createView(bytes: Uint8Array): DataView {
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
  createView(bytes).setUint32(layout.HEADER_CRC32, imageCrc32(bytes), true);
}

/** Checks every header field but the checksums. */
export function checkHeader(bytes: Uint8Array, mostBytes: number = layout.IMAGE_MAX_BYTES): void {
  const found = bytes.length;
  if (found < layout.IMAGE_MIN_BYTES) throw imageError(layout.STATUS_IMAGE_TOO_SHORT, `${found} B`);
  const view = createView(bytes);
  const word = (offset: number): number => view.getUint32(offset, true);
  const hex = (offset: number): string => `0x${word(offset).toString(16).padStart(8, "0")}`;
  if (word(layout.HEADER_MAGIC) !== layout.IMAGE_MAGIC) throw imageError(layout.STATUS_BAD_MAGIC, hex(layout.HEADER_MAGIC));
  const format = word(layout.HEADER_FORMAT);
  if (format !== layout.IMAGE_FORMAT_1 && format !== layout.IMAGE_FORMAT_2)
    throw imageError(layout.STATUS_BAD_VERSION, `format ${format}, this host reads ${layout.IMAGE_FORMAT_1} and ${layout.IMAGE_FORMAT_2}`);
  if (format === layout.IMAGE_FORMAT_1 && word(layout.HEADER_KINDS) !== layout.FORMAT_1_MARK)
    throw imageError(layout.STATUS_OTHER_CORE, `${hex(layout.HEADER_KINDS)}, not 0x${layout.FORMAT_1_MARK.toString(16)}`);
  const said = word(layout.HEADER_IMAGE_BYTES);
  if (found > mostBytes || found % layout.IMAGE_ALIGN !== 0 || said !== found) {
    throw imageError(layout.STATUS_BAD_SIZE, `${found} B, its header says ${said} B`);
  }
  if (word(layout.HEADER_FLAGS) !== 0 || word(layout.HEADER_RESERVED) !== 0) {
    throw imageError(layout.STATUS_BAD_FLAGS, `flags ${hex(layout.HEADER_FLAGS)}, reserved ${hex(layout.HEADER_RESERVED)}`);
  }
}

/** Checks the CRC-32 and the SHA-256. */
export function checkSums(bytes: Uint8Array): void {
  const said = createView(bytes).getUint32(layout.HEADER_CRC32, true);
  const is = imageCrc32(bytes);
  if (said !== is) throw imageError(layout.STATUS_BAD_CRC, `0x${is.toString(16)}, its header says 0x${said.toString(16)}`);
  if (sha256(bytes).toString("hex") !== imageHash(bytes)) {
    throw new ModelError("BAD_SHA256", `model image: its SHA-256 is not the ${imageHash(bytes)} of its header. Copy or download it again.`);
  }
}

/** 1 or 2. */
export function readFormat(bytes: Uint8Array): number {
  return createView(bytes).getUint32(layout.HEADER_FORMAT, true);
}

/** Format 2: the block kinds that the image says it needs, ascending. */
export function neededKinds(bytes: Uint8Array): number[] {
  const mask = createView(bytes).getUint32(layout.HEADER_KINDS, true);
  return Array.from({ length: 32 }, (_, kind) => kind).filter((kind) => (mask >>> kind) & 1);
}

/** Names of the sections, by kind. */
export const SECTION_NAMES: ReadonlyMap<number, string> = new Map([
  [layout.SECTION_CONFIG, "config"],
  [layout.SECTION_FEATURES, "features"],
  [layout.SECTION_BLOCKS, "blocks"],
  [layout.SECTION_EXITS, "exits"],
  [layout.SECTION_TABLES, "tables"],
  [layout.SECTION_TENSORS, "tensors"],
  [layout.SECTION_MANIFEST, "manifest"],
  [layout.SECTION_MODEL, "model"],
  [layout.SECTION_INPUT, "input"],
  [layout.SECTION_HEAD, "head"],
  [layout.SECTION_SMOOTHING, "smoothing"],
  [layout.SECTION_LDA, "lda"],
  [layout.SECTION_PLAUSIBILITY, "plausibility"],
  [layout.SECTION_TEXT, "text"],
]);

/** All that a text image has, each of them. */
const TEXT_SECTIONS: readonly number[] = [layout.SECTION_TABLES, layout.SECTION_TENSORS, layout.SECTION_MANIFEST, layout.SECTION_TEXT];

const OPTIONAL: readonly number[] = [layout.SECTION_SMOOTHING, layout.SECTION_LDA, layout.SECTION_PLAUSIBILITY];

/** The newest version of a section that this host and its core read. */
function newestVersion(kind: number): number {
  const versions = kind < 8 ? layout.SECTION_VERSIONS_LOW : layout.SECTION_VERSIONS_HIGH;
  return (versions >>> (4 * (kind % 8))) & 15;
}

/**
 * The section table by kind: ascending kinds and offsets, within the image, gaps zero; in format 2 every section that is needed and none
 * that this host does not know. With `only`, exactly those sections.
 */
export function readSections(bytes: Uint8Array, only?: ReadonlyMap<number, string>): ReadonlyMap<number, Section> {
  const names = only ?? SECTION_NAMES;
  const view = createView(bytes);
  const isFirst = readFormat(bytes) === layout.IMAGE_FORMAT_1;
  const count = view.getUint32(layout.HEADER_SECTION_COUNT, true);
  const most = isFirst ? layout.FORMAT_1_SECTIONS : layout.SECTION_LAST;
  if (count > most || count < (isFirst ? most : 1)) throw imageError(layout.STATUS_BAD_SECTIONS, `${count} sections`);
  const sections = new Map<number, Section>();
  let end = layout.IMAGE_HEADER_BYTES + count * layout.SECTION_ENTRY_BYTES;
  let before = 0;
  for (let i = 0; i < count; i++) {
    const entry = layout.IMAGE_HEADER_BYTES + i * layout.SECTION_ENTRY_BYTES;
    const kind = view.getUint16(entry, true);
    const version = view.getUint16(entry + layout.SECTION_VERSION_SHIFT / 8, true);
    const section = {
      offset: view.getUint32(entry + 4, true),
      bytes: view.getUint32(entry + 8, true),
      count: view.getUint32(entry + 12, true),
    };
    const where = `section ${names.get(kind) ?? kind} at ${section.offset}, ${section.bytes} B`;
    if (kind <= before || (isFirst ? kind !== i + 1 : kind === layout.SECTION_CONFIG))
      throw imageError(layout.STATUS_BAD_SECTIONS, `entry ${i} is of kind ${kind}`);
    if (!names.has(kind)) throw imageError(layout.STATUS_UNKNOWN_SECTION, `it needs section kind ${kind}`);
    if (version > newestVersion(kind))
      throw imageError(
        layout.STATUS_UNKNOWN_SECTION_VERSION,
        `it needs version ${version} of section ${names.get(kind)}; this host runs up to ${newestVersion(kind)}`,
      );
    if (section.offset % layout.IMAGE_ALIGN !== 0 || section.offset < end) throw imageError(layout.STATUS_BAD_SECTIONS, where);
    if (section.offset + section.bytes > bytes.length) throw imageError(layout.STATUS_BAD_SECTIONS, `${where}, ends past the image`);
    requireZeros(bytes, end, section.offset, `the gap before section ${kind}`);
    end = section.offset + section.bytes;
    sections.set(kind, section);
    before = kind;
  }
  requireZeros(bytes, end, bytes.length, "the end");
  if (only !== undefined) requireEach(sections, only);
  else if (!isFirst) requireSections(sections);
  return sections;
}

function requireEach(sections: ReadonlyMap<number, Section>, names: ReadonlyMap<number, string>): void {
  for (const [kind, name] of names) if (!sections.has(kind)) throw imageError(layout.STATUS_BAD_SECTIONS, `no section ${name}`);
}

/** Format 2: every section that a model of this kind needs, and in a text image no other. */
function requireSections(sections: ReadonlyMap<number, Section>): void {
  const isText = sections.has(layout.SECTION_TEXT);
  for (const [kind, name] of SECTION_NAMES) {
    const isOfText = TEXT_SECTIONS.includes(kind);
    const isNeeded = isText ? isOfText : !OPTIONAL.includes(kind) && ![layout.SECTION_CONFIG, layout.SECTION_TEXT].includes(kind);
    if (isNeeded && !sections.has(kind)) throw imageError(layout.STATUS_BAD_SECTIONS, `no section ${name}`);
    if (isText && !isOfText && sections.has(kind)) throw imageError(layout.STATUS_BAD_SECTIONS, `section ${name} in a text image`);
  }
}

/** Padding is zero: the same model has one image. */
export function requireZeros(bytes: Uint8Array, from: number, to: number, what: string): void {
  for (let i = from; i < to; i++) {
    if (bytes[i] !== 0) throw imageError(layout.STATUS_BAD_PADDING, `${what}: byte ${i} is ${bytes[i]}`);
  }
}
