import * as layout from "../../../assembly/layout.ts";
import { align16 } from "../arithmetic/align.ts";
import { canonicalTables } from "../arithmetic/tables.ts";
import { kindOf } from "./blocks/block.ts";
import { checkImage } from "./image-check.ts";
import { writeRecord } from "./image-fields.ts";
import { imageError, sealImage, viewOf } from "./image-header.ts";
import * as records from "./image-records.ts";
import { bytesOf, TensorSection } from "./image-tensor-section.ts";
import type { ModelImage } from "./image-types.ts";
import { encodeManifest } from "./manifest.ts";

interface Written {
  readonly kind: number;
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** Records one after the other. */
function section(kind: number, parts: readonly Int32Array[]): Written {
  return { kind, bytes: bytesOf(Int32Array.from(parts.flatMap((part) => [...part]))), count: parts.length };
}

/** Every section that consists of records, ascending; their arrays go to `tensors`. */
function recordSections(image: ModelImage, tensors: TensorSection): Written[] {
  const { smoothingSpec, ldaSpec } = records;
  const features = image.features.map(({ zeroPoint, multiplier, shift, knee }) =>
    writeRecord(records.featureSpec, { zeroPoint, scale: { multiplier, shift }, knee }, tensors),
  );
  const input = writeRecord(records.inputSpec, image, tensors);
  const lda = image.evidence && writeRecord(ldaSpec, image.evidence, tensors);
  const smoothing = image.track && writeRecord(smoothingSpec, image.track, tensors);
  const blocks = image.blocks.map((block) => writeRecord(kindOf(block).spec, block, tensors));
  const exits = image.exits.map((exit) => writeRecord(records.exitSpec, exit, tensors));
  return [
    section(layout.SECTION_FEATURES, features),
    section(layout.SECTION_BLOCKS, blocks),
    section(layout.SECTION_EXITS, exits),
    { kind: layout.SECTION_TABLES, bytes: bytesOf(canonicalTables()), count: 1 },
    section(layout.SECTION_MODEL, [writeRecord(records.modelSpec, { dModel: image.dModel, nBlocks: blocks.length }, tensors)]),
    section(layout.SECTION_INPUT, [input]),
    section(layout.SECTION_HEAD, [writeRecord(records.headSpec, { ...image, nExits: exits.length }, tensors)]),
    ...(smoothing ? [section(layout.SECTION_SMOOTHING, [smoothing])] : []),
    ...(lda ? [section(layout.SECTION_LDA, [lda])] : []),
  ];
}

/** A model image as bytes (`.dmm`, format 2), checked and sealed. The same image gives the same bytes. */
export function writeImage(image: ModelImage): Uint8Array {
  checkImage(image);
  const manifest = encodeManifest(image.manifest);
  // The tensors' place is known once the records before them are counted: a first pass counts.
  const counted = recordSections(image, new TensorSection(0));
  const before = counted.filter(({ kind }) => kind < layout.SECTION_TENSORS);
  const start = layout.IMAGE_HEADER_BYTES + (counted.length + 2) * layout.SECTION_ENTRY_BYTES; // and TENSORS, MANIFEST
  const tensors = new TensorSection(before.reduce((end, { bytes }) => align16(end) + bytes.length, start));
  const written = recordSections(image, tensors);
  const sections = [
    ...written,
    { kind: layout.SECTION_TENSORS, bytes: tensors.toBytes(), count: tensors.count },
    { kind: layout.SECTION_MANIFEST, bytes: manifest, count: 1 },
  ].sort((a, b) => a.kind - b.kind);

  const imageBytes = align16(sections.reduce((end, { bytes }) => align16(end) + bytes.length, start));
  if (imageBytes > layout.IMAGE_MAX_BYTES) throw imageError(layout.STATUS_BAD_SIZE, `${imageBytes} B, at most ${layout.IMAGE_MAX_BYTES} B`);
  const out = new Uint8Array(imageBytes);
  const view = viewOf(out);
  view.setUint32(layout.HEADER_MAGIC, layout.IMAGE_MAGIC, true);
  view.setUint32(layout.HEADER_FORMAT, layout.IMAGE_FORMAT_2, true);
  view.setUint32(layout.HEADER_KINDS, kindMask(image), true);
  view.setUint32(layout.HEADER_IMAGE_BYTES, imageBytes, true);
  view.setUint32(layout.HEADER_SECTION_COUNT, sections.length, true);
  let at = start;
  for (const [i, { kind, bytes, count }] of sections.entries()) {
    at = align16(at);
    const entry = layout.IMAGE_HEADER_BYTES + i * layout.SECTION_ENTRY_BYTES;
    for (const [k, value] of [kind, at, bytes.length, count].entries()) view.setUint32(entry + 4 * k, value, true); // all of version 0
    out.set(bytes, at);
    at += bytes.length;
  }
  sealImage(out);
  return out;
}

/** Bit k: a block of kind k is in the image. */
function kindMask({ blocks }: ModelImage): number {
  return blocks.reduce((mask, block) => mask | (1 << kindOf(block).kind), 0);
}
