import * as layout from "../../../assembly/layout.ts";
import { crc32 } from "../arithmetic/crc32.ts";
import { statisticsCount } from "../arithmetic/lda.ts";
import { ModelError } from "../system/errors.ts";
import { type Block, blockKinds, kindOfNumber } from "./blocks/block.ts";
import { checkImage } from "./image-check.ts";
import { type Dims, type RecordSpec, readRecord } from "./image-fields.ts";
import { checkHeader, checkSums, imageError, neededKinds, readFormat, readSections, SECTION_NAMES, type Section } from "./image-header.ts";
import * as records from "./image-records.ts";
import { type RecordReader, TensorReader } from "./image-tensors.ts";
import type { Manifest, ModelImage } from "./image-types.ts";
import { decodeManifest } from "./manifest.ts";
import { readRules } from "./plausibility-rules.ts";

export { imageHash, sealImage } from "./image-header.ts";

type Sections = ReadonlyMap<number, Section>;

function requireSize(sections: Sections, kind: number, bytes: number, count: number): Section {
  const section = sections.get(kind)!;
  if (section.bytes === bytes && section.count === count) return section;
  const detail = `section ${SECTION_NAMES.get(kind)} has ${section.count} records in ${section.bytes} B, must have ${count} in ${bytes} B`;
  throw imageError(layout.STATUS_BAD_SECTIONS, detail);
}

/** Readers of the five records that format 1 keeps in one: undefined if the image has no such record. */
interface Parts {
  readonly model: RecordReader;
  readonly input: RecordReader;
  readonly head: RecordReader;
  readonly smoothing: RecordReader | undefined;
  readonly lda: RecordReader | undefined;
  readonly plausibility: RecordReader | undefined;
}

function partsOf(bytes: Uint8Array, sections: Sections, tensors: TensorReader): Parts {
  return readFormat(bytes) === layout.IMAGE_FORMAT_1 ? partsOfConfig(sections, tensors) : partsOfSections(sections, tensors);
}

function partsOfConfig(sections: Sections, tensors: TensorReader): Parts {
  const { offset } = requireSize(sections, layout.SECTION_CONFIG, 4 * layout.CONFIG_WORDS, 1);
  const { model, input, head, smoothing, lda } = records.FORMAT_1_PLACES;
  const config = tensors.record(offset, "config");
  for (let i = records.FORMAT_1_CLAIMED; i < layout.CONFIG_WORDS; i++) config.requireZero(i);
  const optional = (name: string, places: readonly number[], first: number, status: number): RecordReader | undefined => {
    if (config.word(first) !== 0) return tensors.record(offset, name, places);
    if (places.some((place) => config.word(place) !== 0)) throw imageError(status, `${name}: numbers, but no arrays`);
    return undefined;
  };
  return {
    model: tensors.record(offset, "model", model),
    input: tensors.record(offset, "input", input, layout.INPUT_KIND_PATCHES),
    head: tensors.record(offset, "head", head, layout.HEAD_KIND_EXITS),
    smoothing: optional("smoothing", smoothing, layout.CONFIG_SMOOTHING, layout.STATUS_BAD_SMOOTHING),
    lda: optional("lda", lda, layout.CONFIG_LDA, layout.STATUS_BAD_LDA),
    plausibility: undefined,
  };
}

function partsOfSections(sections: Sections, tensors: TensorReader): Parts {
  const one = (kind: number, { name, words }: RecordSpec<never>): RecordReader =>
    tensors.record(requireSize(sections, kind, 4 * words, 1).offset, name);
  return {
    model: one(layout.SECTION_MODEL, records.modelSpec),
    input: one(layout.SECTION_INPUT, records.inputSpec),
    head: one(layout.SECTION_HEAD, records.headSpec),
    smoothing: sections.has(layout.SECTION_SMOOTHING) ? one(layout.SECTION_SMOOTHING, records.smoothingSpec) : undefined,
    lda: sections.has(layout.SECTION_LDA) ? one(layout.SECTION_LDA, records.ldaSpec) : undefined,
    plausibility: sections.has(layout.SECTION_PLAUSIBILITY) ? one(layout.SECTION_PLAUSIBILITY, records.plausibilitySpec) : undefined,
  };
}

/** Refuses an image that needs an unknown block kind, and names the kind. */
function requireKinds(needed: readonly number[]): void {
  const unknown = needed.filter((kind) => !blockKinds.includes(kind));
  if (unknown.length === 0) return;
  const detail = `it needs block kind ${unknown.join(", ")}; this host runs ${blockKinds.join(", ")}`;
  throw imageError(layout.STATUS_UNKNOWN_BLOCK_KIND, detail);
}

function readBlock(record: RecordReader, dims: Dims): Block {
  const number = record.word(layout.BLOCK_KIND);
  const kind = kindOfNumber(number);
  if (kind === undefined) throw imageError(layout.STATUS_UNKNOWN_BLOCK_KIND, `${record.name} is of kind ${number}`);
  return { ...readRecord(kind.spec, record, dims), kind: kind.name } as Block;
}

/** A text model's image has no blocks, no exits and no frames. */
function requireSensor(sections: Sections): void {
  if (!sections.has(layout.SECTION_TEXT)) return;
  throw new ModelError(
    "TEXT_IMAGE",
    "model image: it is of a text model, which reads no sensor frames. Open it with IntentModel.open, or dormouse run with --text.",
  );
}

/**
 * A `.dmm` image of either format, fully checked, its arrays copied out. Throws ModelError (IMAGE_TRUNCATED, BAD_MAGIC, BAD_VERSION, BAD_CRC,
 * BAD_SHA256, BAD_SECTIONS, UNKNOWN_BLOCK_KIND, BAD_BLOCK, BAD_MANIFEST …) for any other bytes; allocates in proportion to the limits of
 * layout.ts.
 */
export function readImage(bytes: Uint8Array): ModelImage {
  checkHeader(bytes);
  checkSums(bytes);
  return readSummedImage(bytes);
}

/** The same of an image whose header and checksums have been checked, here or by the core. */
export function readSummedImage(bytes: Uint8Array): ModelImage {
  const isFirst = readFormat(bytes) === layout.IMAGE_FORMAT_1;
  if (!isFirst) requireKinds(neededKinds(bytes));
  const sections = readSections(bytes);
  requireSensor(sections);
  const tensors = new TensorReader(bytes, sections.get(layout.SECTION_TENSORS)!);
  const parts = partsOf(bytes, sections, tensors);
  const { nBlocks, dModel } = readRecord(records.modelSpec, parts.model, {});
  const { embed, ...input } = readRecord(records.inputSpec, parts.input, { dModel });
  const { nExits, ...head } = readRecord(records.headSpec, parts.head, {});
  const dims: Dims = { ...input, ...head, dModel, statistics: statisticsCount(input.channels) };
  const smoothing = parts.smoothing && readRecord(records.smoothingSpec, parts.smoothing, dims);
  const lda = parts.lda && readRecord(records.ldaSpec, parts.lda, dims);
  const plausibility = parts.plausibility && readRules(readRecord(records.plausibilitySpec, parts.plausibility, dims));

  const tables = requireSize(sections, layout.SECTION_TABLES, layout.TABLE_BYTES, 1);
  if (crc32(bytes.subarray(tables.offset, tables.offset + tables.bytes)) !== layout.TABLES_CRC32)
    throw imageError(layout.STATUS_BAD_TABLES, "section tables");

  const each = <T>(kind: number, name: string, words: number, count: number, read: (record: RecordReader) => T): T[] => {
    const section = requireSize(sections, kind, words * 4 * count, count);
    return Array.from({ length: count }, (_, i) => read(tensors.record(section.offset + i * words * 4, `${name} ${i}`)));
  };
  const features = each(layout.SECTION_FEATURES, "channel", layout.FEATURE_WORDS, input.channels, (record) => {
    const { zeroPoint, scale, knee } = readRecord(records.featureSpec, record, {});
    return { zeroPoint, ...scale, knee };
  });
  const blocks = each(layout.SECTION_BLOCKS, "block", layout.BLOCK_WORDS, nBlocks, (record) => readBlock(record, dims));
  const exits = each(layout.SECTION_EXITS, "exit", layout.EXIT_WORDS, nExits, (record) => readRecord(records.exitSpec, record, dims));
  if (!isFirst) requireStatedKinds(bytes, blocks);

  const { bytes: tensorBytes } = sections.get(layout.SECTION_TENSORS)!;
  requireSize(sections, layout.SECTION_TENSORS, tensorBytes, tensors.count);
  const image: ModelImage = {
    dModel,
    ...input,
    ...head,
    embed,
    features,
    blocks,
    exits,
    ...(lda && { lda }),
    ...(smoothing && { smoothing }),
    ...(plausibility && { plausibility }),
    manifest: readManifest(bytes, sections),
  };
  checkImage(image);
  return image;
}

/** The header names the kinds of the blocks, all of them and no other. */
function requireStatedKinds(bytes: Uint8Array, blocks: readonly Block[]): void {
  const found = blockKinds.filter((number) => blocks.some(({ kind }) => kindOfNumber(number)?.name === kind));
  if (found.join() === neededKinds(bytes).join()) return;
  throw imageError(
    layout.STATUS_BAD_BLOCK,
    `the header says block kinds ${neededKinds(bytes).join(", ")}, the blocks are of ${found.join(", ")}`,
  );
}

function readManifest(bytes: Uint8Array, sections: Sections): Manifest {
  const { offset, bytes: size } = requireSize(sections, layout.SECTION_MANIFEST, sections.get(layout.SECTION_MANIFEST)!.bytes, 1);
  return decodeManifest(bytes.subarray(offset, offset + size));
}

/** The manifest alone, for listings: checks the header and the section table, but no checksum and no tensor. */
export function peekManifest(bytes: Uint8Array): Manifest {
  checkHeader(bytes);
  const sections = readSections(bytes);
  requireSensor(sections);
  return readManifest(bytes, sections);
}
