import * as layout from "../../../assembly/layout.ts";
import * as T from "../../../assembly/text/layout.ts";
import { crc32 } from "../arithmetic/crc32.ts";
import { canonicalTables } from "../arithmetic/tables.ts";
import { requireScale } from "../image/image-check-values.ts";
import { checkRecord, type RecordSpec, readRecord, writeRecord } from "../image/image-fields.ts";
import { checkHeader, checkSums, imageError, neededKinds, readFormat, readSections } from "../image/image-header.ts";
import { writeSections } from "../image/image-sections.ts";
import { type TensorSection, viewBytes } from "../image/image-tensor-section.ts";
import { TensorReader } from "../image/image-tensors.ts";
import type { FixedScale, LinearTensors } from "../image/tensor-types.ts";
import { ModelError } from "../system/errors.ts";
import { decodeTextManifest, encodeTextManifest, type TextManifest } from "./text-manifest.ts";

/** A text model's image in memory: what `writeTextImage` needs and `readTextImage` returns. */
export interface TextImage {
  readonly rows: number;
  readonly dModel: number; // a multiple of 16
  readonly nClasses: number;
  readonly threshold: number; // Q15: below it the device does not answer
  readonly table: Int8Array; // (rows, dModel)
  readonly hiddenMultiplier: Int32Array; // (dModel,), of Σ rows · 2^15/√n
  readonly hiddenShift: Int8Array;
  readonly head: LinearTensors; // dModel → nClasses, logits Q10
  readonly temperature: FixedScale; // Q10 logit differences to Q16 exponents of 2
  readonly manifest: TextManifest;
}

const { STATUS_BAD_CONFIG: BAD } = layout;

export const textSpec: RecordSpec<Omit<TextImage, "manifest">> = {
  name: "text",
  words: T.TEXT_WORDS,
  fields: [
    { at: T.TEXT_ROWS, name: "rows", type: "word", least: 1, most: T.TEXT_LIMIT_ROWS, status: BAD, text: "of the table" },
    { at: T.TEXT_D_MODEL, name: "dModel", type: "word", least: 16, most: layout.LIMIT_DIM, status: BAD, text: "a multiple of 16" },
    { at: T.TEXT_CLASSES, name: "nClasses", type: "word", least: 2, most: layout.LIMIT_CLASSES, status: BAD },
    {
      at: T.TEXT_HASHING,
      name: "hashing",
      type: "word",
      least: T.TEXT_HASHING_1,
      isConstant: true,
      status: BAD,
      text: "tokeniser and hash",
    },
    {
      at: T.TEXT_THRESHOLD,
      name: "threshold",
      type: "word",
      least: 0,
      most: layout.EXIT_NEVER,
      status: layout.STATUS_BAD_EXIT,
      text: "Q15: below it the device does not answer",
    },
    { at: T.TEXT_TABLE, name: "table", type: "s8", shape: ["rows", "dModel"] },
    { at: T.TEXT_HIDDEN_MULTIPLIER, name: "hiddenMultiplier", type: "s32", shape: ["dModel"], text: "of Σ rows · 2^15/√n" },
    { at: T.TEXT_HIDDEN_SHIFT, name: "hiddenShift", type: "s8", shape: ["dModel"] },
    { at: T.TEXT_HEAD, name: "head", type: "linear", nIn: "dModel", nOut: "nClasses", text: "logits, Q10" },
    {
      at: T.TEXT_TEMPERATURE_MULTIPLIER,
      name: "temperature",
      type: "scale",
      bound: "65535",
      text: "Q10 logit differences to Q16 exponents of 2",
    },
  ],
  checkDims(where, { dModel }) {
    if (dModel! % 16 !== 0) throw imageError(BAD, `${where}: dModel is ${dModel}, not a multiple of 16`);
  },
  check(where, { dModel, hiddenMultiplier, hiddenShift }) {
    for (let i = 0; i < dModel; i++)
      requireScale(`${where}: hidden ${i}`, { multiplier: hiddenMultiplier[i]!, shift: hiddenShift[i]! }, T.TEXT_HIDDEN_BOUND);
  },
};

/** Checks a whole text image: all that the text core's `prepare` checks, and the manifest. Throws ModelError. */
function checkTextImage(image: TextImage): void {
  checkRecord(textSpec, "text", image, {});
  const { labels } = image.manifest;
  if (labels.length !== image.nClasses || new Set(labels).size !== labels.length)
    throw new ModelError(
      "BAD_MANIFEST",
      `text image: the manifest has ${new Set(labels).size} different labels, the head has ${image.nClasses} classes. Export the model again.`,
    );
}

/** Whether an image is a text model's. Throws ModelError for what is no image or a corrupt one. */
export function isTextImage(bytes: Uint8Array): boolean {
  checkHeader(bytes);
  checkSums(bytes);
  return readFormat(bytes) === layout.IMAGE_FORMAT_2 && readSections(bytes).has(layout.SECTION_TEXT);
}

/** A text model's `.dmm` image, fully checked, its arrays copied out. Throws ModelError; SENSOR_IMAGE for that of a sensor model. */
export function readTextImage(bytes: Uint8Array): TextImage {
  if (!isTextImage(bytes))
    throw new ModelError("SENSOR_IMAGE", "model image: it is of a sensor model, which reads no text. Open it with Model.open.");
  const kinds = neededKinds(bytes);
  if (kinds.length > 0) throw imageError(layout.STATUS_UNKNOWN_BLOCK_KIND, `a text image has no blocks; it names kind ${kinds.join(", ")}`);
  const sections = readSections(bytes);
  const section = (kind: number, size: number | undefined, count = 1) => {
    const found = sections.get(kind)!;
    if (found.count === count && (size === undefined || found.bytes === size)) return found;
    throw imageError(layout.STATUS_BAD_SECTIONS, `section kind ${kind} has ${found.count} records in ${found.bytes} B`);
  };
  const tables = section(layout.SECTION_TABLES, layout.TABLE_BYTES);
  if (crc32(bytes.subarray(tables.offset, tables.offset + tables.bytes)) !== layout.TABLES_CRC32)
    throw imageError(layout.STATUS_BAD_TABLES, "section tables");
  const tensors = new TensorReader(bytes, sections.get(layout.SECTION_TENSORS)!);
  const record = readRecord(textSpec, tensors.record(section(layout.SECTION_TEXT, 4 * T.TEXT_WORDS).offset, "text"), {});
  section(layout.SECTION_TENSORS, undefined, tensors.count);
  const { offset, bytes: size } = section(layout.SECTION_MANIFEST, undefined);
  const image: TextImage = { ...record, manifest: decodeTextManifest(bytes.subarray(offset, offset + size)) };
  checkTextImage(image);
  return image;
}

/** A text image as bytes (`.dmm`, format 2), checked and sealed. The same image gives the same bytes. */
export function writeTextImage(image: TextImage): Uint8Array {
  checkTextImage(image);
  const records = (tensors: TensorSection) => [
    { kind: layout.SECTION_TABLES, bytes: viewBytes(canonicalTables()), count: 1 },
    { kind: layout.SECTION_TEXT, bytes: viewBytes(writeRecord(textSpec, image, tensors)), count: 1 },
  ];
  return writeSections(0, records, encodeTextManifest(image.manifest));
}
