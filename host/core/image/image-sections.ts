import * as layout from "../../../assembly/layout.ts";
import { align16 } from "../arithmetic/align.ts";
import { createView, imageError, sealImage } from "./image-header.ts";
import { TensorSection } from "./image-tensor-section.ts";

/** A section as it stands in the file. */
export interface Written {
  readonly kind: number;
  readonly bytes: Uint8Array;
  readonly count: number;
}

/**
 * An image of format 2 from its records, sealed. `records` writes every section but TENSORS and MANIFEST, and puts its arrays in `tensors`;
 * it is called twice, since the tensors' place is known once the records before them are counted. `blockKinds` is header word 2.
 */
export function writeSections(
  blockKinds: number,
  records: (tensors: TensorSection) => readonly Written[],
  manifest: Uint8Array,
): Uint8Array {
  const counted = records(new TensorSection(0));
  const before = counted.filter(({ kind }) => kind < layout.SECTION_TENSORS);
  const start = layout.IMAGE_HEADER_BYTES + (counted.length + 2) * layout.SECTION_ENTRY_BYTES; // and TENSORS, MANIFEST
  const tensors = new TensorSection(before.reduce((end, { bytes }) => align16(end) + bytes.length, start));
  const written = records(tensors);
  const sections = [
    ...written,
    { kind: layout.SECTION_TENSORS, bytes: tensors.toBytes(), count: tensors.count },
    { kind: layout.SECTION_MANIFEST, bytes: manifest, count: 1 },
  ].sort((a, b) => a.kind - b.kind);

  const imageBytes = align16(sections.reduce((end, { bytes }) => align16(end) + bytes.length, start));
  if (imageBytes > layout.IMAGE_MAX_BYTES) throw imageError(layout.STATUS_BAD_SIZE, `${imageBytes} B, at most ${layout.IMAGE_MAX_BYTES} B`);
  const out = new Uint8Array(imageBytes);
  const view = createView(out);
  view.setUint32(layout.HEADER_MAGIC, layout.IMAGE_MAGIC, true);
  view.setUint32(layout.HEADER_FORMAT, layout.IMAGE_FORMAT_2, true);
  view.setUint32(layout.HEADER_KINDS, blockKinds, true);
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
