import * as layout from "../../assembly/layout.ts";
import { crc32 } from "./crc32.ts";
import { checkDims, checkImage, type ImageDims } from "./image-check.ts";
import { checkHeader, checkSums, imageError, readSections, type Section } from "./image-header.ts";
import { BLOCK_READERS, readExit } from "./image-read-records.ts";
import { type RecordReader, TensorReader } from "./image-tensors.ts";
import type { Block, Evidence, Exit, Manifest, ModelImage, Track } from "./image-types.ts";
import { decodeManifest } from "./manifest.ts";
import { statisticsCount } from "./reference/evidence.ts";

export { imageHash, sealImage } from "./image-header.ts";

function sectionOf(sections: readonly Section[], kind: number): Section {
  return sections[kind - 1]!;
}

function requireSize(section: Section, kind: number, bytes: number, count: number): void {
  if (section.bytes === bytes && section.count === count) return;
  const detail = `section ${kind} has ${section.count} records in ${section.bytes} B, must have ${count} in ${bytes} B`;
  throw imageError(layout.STATUS_BAD_SECTIONS, detail);
}

const CONFIG_CLAIMED = layout.CONFIG_EVIDENCE_SHIFT + 1; // words 0 … 24

function readDims(word: (index: number) => number): ImageDims {
  return {
    dModel: word(layout.CONFIG_D_MODEL),
    channels: word(layout.CONFIG_CHANNELS),
    patchFrames: word(layout.CONFIG_PATCH_FRAMES),
    frameRateMillihertz: word(layout.CONFIG_FRAME_RATE_MILLIHERTZ),
    windowPatches: word(layout.CONFIG_WINDOW_PATCHES),
    hopPatches: word(layout.CONFIG_HOP_PATCHES),
    contextPatches: word(layout.CONFIG_CONTEXT_PATCHES),
    ringPatches: word(layout.CONFIG_RING_PATCHES),
    nBlocks: word(layout.CONFIG_BLOCKS),
    nExits: word(layout.CONFIG_EXITS),
    nClasses: word(layout.CONFIG_CLASSES),
    gapLimitFrames: word(layout.CONFIG_GAP_LIMIT_FRAMES),
  };
}

/**
 * A `.dmm` image, fully checked, its arrays copied out. Throws ModelError (IMAGE_TRUNCATED, BAD_MAGIC, ABI_MISMATCH, BAD_CRC, BAD_SHA256,
 * BAD_SECTIONS, BAD_BLOCK, BAD_MANIFEST …) for any other bytes; allocates in proportion to the limits of layout.ts.
 */
export function readImage(bytes: Uint8Array): ModelImage {
  checkHeader(bytes);
  checkSums(bytes);
  const sections = readSections(bytes);
  const tensors = new TensorReader(bytes, sectionOf(sections, layout.SECTION_TENSORS));

  const configAt = sectionOf(sections, layout.SECTION_CONFIG);
  requireSize(configAt, layout.SECTION_CONFIG, layout.CONFIG_WORDS * 4, 1);
  const config = tensors.record(configAt.offset, layout.CONFIG_WORDS, "config");
  config.requireZeroFrom(CONFIG_CLAIMED);
  const { nBlocks, nExits, ...dims } = readDims(config.word);
  checkDims({ ...dims, nBlocks, nExits });
  const embed = config.linear(layout.CONFIG_EMBED, "embed", dims.channels * dims.patchFrames, dims.dModel);

  const track = readTrack(config, dims.nClasses);
  const evidence = readEvidence(config, dims.nClasses, dims.channels);

  const tables = sectionOf(sections, layout.SECTION_TABLES);
  requireSize(tables, layout.SECTION_TABLES, layout.TABLE_BYTES, 1);
  if (crc32(bytes.subarray(tables.offset, tables.offset + tables.bytes)) !== layout.TABLES_CRC32) {
    throw imageError(layout.STATUS_BAD_TABLES, `section ${layout.SECTION_TABLES}`);
  }

  const each = <T>(kind: number, name: string, words: number, count: number, read: (record: RecordReader) => T): T[] => {
    const section = sectionOf(sections, kind);
    requireSize(section, kind, words * 4 * count, count);
    return Array.from({ length: count }, (_, i) => read(tensors.record(section.offset + i * words * 4, words, `${name} ${i}`)));
  };
  const features = each(layout.SECTION_FEATURES, "channel", layout.FEATURE_WORDS, dims.channels, (record) => {
    const [zeroPoint, knee] = [record.word(layout.FEATURE_ZERO_POINT), record.word(layout.FEATURE_KNEE)];
    return { zeroPoint, ...record.scale(layout.FEATURE_MULTIPLIER), knee };
  });
  const blocks: Block[] = each(layout.SECTION_BLOCKS, "block", layout.BLOCK_WORDS, nBlocks, (record) => {
    const read = BLOCK_READERS.get(record.word(layout.BLOCK_KIND));
    if (read === undefined) throw imageError(layout.STATUS_BAD_BLOCK, `${record.name} is of kind ${record.word(layout.BLOCK_KIND)}`);
    return read(record, dims.dModel);
  });
  const exits: Exit[] = each(layout.SECTION_EXITS, "exit", layout.EXIT_WORDS, nExits, (record) =>
    readExit(record, dims.dModel, dims.nClasses),
  );

  const tensorSection = sectionOf(sections, layout.SECTION_TENSORS);
  requireSize(tensorSection, layout.SECTION_TENSORS, tensorSection.bytes, tensors.count);
  const image: ModelImage = {
    ...dims,
    embed,
    features,
    blocks,
    exits,
    ...(evidence && { evidence }),
    ...(track && { track }),
    manifest: readManifest(bytes, sections),
  };
  checkImage(image);
  return image;
}

function readTrack(config: RecordReader, nClasses: number): Track | undefined {
  const shift = config.word(layout.CONFIG_TRACK_SHIFT);
  if (config.word(layout.CONFIG_TRACK_COSTS) !== 0) return { shift, costs: config.s32(layout.CONFIG_TRACK_COSTS, "costs", nClasses ** 2) };
  if (shift !== 0) throw imageError(layout.STATUS_BAD_TRACK, `a shift of ${shift} without costs`);
  return undefined;
}

function readEvidence(config: RecordReader, nClasses: number, channels: number): Evidence | undefined {
  const shift = config.word(layout.CONFIG_EVIDENCE_SHIFT);
  const n = statisticsCount(channels);
  if (config.word(layout.CONFIG_EVIDENCE_MEANS) !== 0) {
    return {
      means: config.s32(layout.CONFIG_EVIDENCE_MEANS, "evidence: means", n),
      limits: config.s32(layout.CONFIG_EVIDENCE_LIMITS, "evidence: limits", n),
      weights: config.s16(layout.CONFIG_EVIDENCE_WEIGHTS, "evidence: weights", n * nClasses),
      bias: config.s32(layout.CONFIG_EVIDENCE_BIAS, "evidence: bias", nClasses),
      shift,
    };
  }
  const rest = [layout.CONFIG_EVIDENCE_LIMITS, layout.CONFIG_EVIDENCE_WEIGHTS, layout.CONFIG_EVIDENCE_BIAS, layout.CONFIG_EVIDENCE_SHIFT];
  if (rest.some((at) => config.word(at) !== 0)) throw imageError(layout.STATUS_BAD_EVIDENCE, "weights without means");
  return undefined;
}

function readManifest(bytes: Uint8Array, sections: readonly Section[]): Manifest {
  const section = sectionOf(sections, layout.SECTION_MANIFEST);
  requireSize(section, layout.SECTION_MANIFEST, section.bytes, 1);
  return decodeManifest(bytes.subarray(section.offset, section.offset + section.bytes));
}

/** The manifest alone, for listings: checks the header and the section table, but no checksum and no tensor. */
export function peekManifest(bytes: Uint8Array): Manifest {
  checkHeader(bytes);
  return readManifest(bytes, readSections(bytes));
}
