import * as layout from "../../../assembly/layout.ts";
import { canonicalTables } from "../arithmetic/tables.ts";
import { findBlockKind } from "./blocks/block.ts";
import { checkImage } from "./image-check.ts";
import { writeRecord } from "./image-fields.ts";
import * as records from "./image-records.ts";
import { type Written, writeSections } from "./image-sections.ts";
import { type TensorSection, viewBytes } from "./image-tensor-section.ts";
import type { ModelImage } from "./image-types.ts";
import { encodeManifest } from "./manifest.ts";
import { rulesRecord } from "./plausibility-rules.ts";

/** Records one after the other. */
function section(kind: number, parts: readonly Int32Array[]): Written {
  return { kind, bytes: viewBytes(Int32Array.from(parts.flatMap((part) => [...part]))), count: parts.length };
}

/** Every section that consists of records, ascending; their arrays go to `tensors`. */
function recordSections(image: ModelImage, tensors: TensorSection): Written[] {
  const { smoothingSpec, ldaSpec } = records;
  const features = image.features.map(({ zeroPoint, multiplier, shift, knee }) =>
    writeRecord(records.featureSpec, { zeroPoint, scale: { multiplier, shift }, knee }, tensors),
  );
  const input = writeRecord(records.inputSpec, image, tensors);
  const lda = image.lda && writeRecord(ldaSpec, image.lda, tensors);
  const smoothing = image.smoothing && writeRecord(smoothingSpec, image.smoothing, tensors);
  const blocks = image.blocks.map((block) => writeRecord(findBlockKind(block).spec, block, tensors));
  const exits = image.exits.map((exit) => writeRecord(records.exitSpec, exit, tensors));
  const plausibility = image.plausibility && writeRecord(records.plausibilitySpec, rulesRecord(image.plausibility), tensors);
  return [
    section(layout.SECTION_FEATURES, features),
    section(layout.SECTION_BLOCKS, blocks),
    section(layout.SECTION_EXITS, exits),
    { kind: layout.SECTION_TABLES, bytes: viewBytes(canonicalTables()), count: 1 },
    section(layout.SECTION_MODEL, [writeRecord(records.modelSpec, { dModel: image.dModel, nBlocks: blocks.length }, tensors)]),
    section(layout.SECTION_INPUT, [input]),
    section(layout.SECTION_HEAD, [writeRecord(records.headSpec, { ...image, nExits: exits.length }, tensors)]),
    ...(smoothing ? [section(layout.SECTION_SMOOTHING, [smoothing])] : []),
    ...(lda ? [section(layout.SECTION_LDA, [lda])] : []),
    ...(plausibility ? [section(layout.SECTION_PLAUSIBILITY, [plausibility])] : []),
  ];
}

/** A model image as bytes (`.dmm`, format 2), checked and sealed. The same image gives the same bytes. */
export function writeImage(image: ModelImage): Uint8Array {
  checkImage(image);
  return writeSections(kindMask(image), (tensors) => recordSections(image, tensors), encodeManifest(image.manifest));
}

/** Bit k: a block of kind k is in the image. */
function kindMask({ blocks }: ModelImage): number {
  return blocks.reduce((mask, block) => mask | (1 << findBlockKind(block).kind), 0);
}
