import * as layout from "../../assembly/layout.ts";
import { align16 } from "./align.ts";
import { checkImage } from "./image-check.ts";
import { imageError, sealImage } from "./image-header.ts";
import type { ModelImage } from "./image-types.ts";
import { blockRecord, bytesOf, configRecord, exitRecord, featureRecords, TensorSection } from "./image-write-records.ts";
import { encodeManifest } from "./manifest.ts";
import { canonicalTables } from "./tables.ts";

function concat(parts: readonly Int32Array[]): Int32Array {
  return Int32Array.from(parts.flatMap((part) => [...part]));
}

/** A model image as bytes (`.dmm`), checked and sealed. The same image gives the same bytes. */
export function writeImage(image: ModelImage): Uint8Array {
  checkImage(image);
  const manifest = encodeManifest(image.manifest);
  const nBlocks = image.blocks.length;
  const nExits = image.exits.length;
  const features = layout.IMAGE_HEADER_BYTES + layout.SECTION_COUNT * layout.SECTION_ENTRY_BYTES + layout.CONFIG_WORDS * 4;
  const tensorsAt =
    features +
    image.channels * layout.FEATURE_WORDS * 4 +
    nBlocks * layout.BLOCK_WORDS * 4 +
    nExits * layout.EXIT_WORDS * 4 +
    layout.TABLE_BYTES;
  const tensors = new TensorSection(tensorsAt);
  const config = configRecord(image, tensors);
  const blocks = image.blocks.map((block) => blockRecord(block, tensors));
  const exits = image.exits.map((exit) => exitRecord(exit, tensors));
  const records: readonly (readonly [Int32Array, number])[] = [
    [config, 1],
    [featureRecords(image), image.channels],
    [concat(blocks), nBlocks],
    [concat(exits), nExits],
    [canonicalTables(), 1],
  ];

  const manifestAt = align16(tensorsAt + tensors.bytes);
  const imageBytes = align16(manifestAt + manifest.length);
  if (imageBytes > layout.IMAGE_MAX_BYTES) throw imageError(layout.STATUS_BAD_SIZE, `${imageBytes} B, at most ${layout.IMAGE_MAX_BYTES} B`);
  const bytes = new Uint8Array(imageBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(layout.HEADER_MAGIC, layout.IMAGE_MAGIC, true);
  view.setUint32(layout.HEADER_VERSION, layout.IMAGE_VERSION, true);
  view.setUint32(layout.HEADER_ABI_HASH, layout.ABI_HASH, true);
  view.setUint32(layout.HEADER_IMAGE_BYTES, imageBytes, true);
  view.setUint32(layout.HEADER_SECTION_COUNT, layout.SECTION_COUNT, true);
  const entry = (kind: number, offset: number, size: number, count: number): void => {
    const at = layout.IMAGE_HEADER_BYTES + (kind - 1) * layout.SECTION_ENTRY_BYTES;
    for (const [i, value] of [kind, offset, size, count].entries()) view.setUint32(at + 4 * i, value, true);
  };
  let at = layout.IMAGE_HEADER_BYTES + layout.SECTION_COUNT * layout.SECTION_ENTRY_BYTES;
  for (const [i, [words, count]] of records.entries()) {
    entry(layout.SECTION_CONFIG + i, at, words.byteLength, count);
    bytes.set(bytesOf(words), at);
    at += words.byteLength; // records are whole multiples of IMAGE_ALIGN
  }
  entry(layout.SECTION_TENSORS, tensorsAt, tensors.bytes, tensors.count);
  tensors.copyTo(bytes);
  entry(layout.SECTION_MANIFEST, manifestAt, manifest.length, 1);
  bytes.set(manifest, manifestAt);
  sealImage(bytes);
  return bytes;
}
