import * as layout from "../../assembly/layout.ts";
import * as lm from "../../assembly/lm/layout.ts";
import { checkHeader, checkSums, imageError, neededKinds, readFormat, readSections, type Section } from "../core/image/image-header.ts";
import { type LmSpec, RecordReader } from "./image-fields.ts";
import {
  type DecoderRecord,
  decoderSpec,
  type LanguageRecord,
  languageSpec,
  type ModelRecord,
  modelSpec,
  type TokensRecord,
  tokensSpec,
} from "./image-records.ts";
import { decodeLanguageManifest, type LanguageManifest } from "./manifest.ts";

/** A language image: everything that a session runs on. Arrays are views of the image's bytes. */
export interface LanguageImage extends ModelRecord, TokensRecord, LanguageRecord {
  readonly blocks: readonly DecoderRecord[];
  readonly tokenizer: Uint8Array;
  readonly manifest: LanguageManifest;
}

const LANGUAGE_SECTIONS: ReadonlyMap<number, string> = new Map([
  [layout.SECTION_BLOCKS, "blocks"],
  [layout.SECTION_TENSORS, "tensors"],
  [layout.SECTION_MANIFEST, "manifest"],
  [layout.SECTION_MODEL, "model"],
  [layout.SECTION_INPUT, "input"],
  [layout.SECTION_HEAD, "head"],
  [lm.SECTION_TOKENIZER, "tokenizer"],
]);

/** Reads and checks a language image. Throws ModelError with what is wrong. */
export function readLanguageImage(given: Uint8Array): LanguageImage {
  const bytes = given.byteOffset % layout.IMAGE_ALIGN === 0 ? given : new Uint8Array(given);
  checkHeader(bytes, lm.LM_IMAGE_MAX_BYTES);
  if (readFormat(bytes) !== layout.IMAGE_FORMAT_2) throw imageError(layout.STATUS_BAD_VERSION, `format ${readFormat(bytes)}`);
  checkSums(bytes);
  const kinds = neededKinds(bytes);
  if (kinds.join() !== `${lm.BLOCK_KIND_DECODER}`)
    throw imageError(layout.STATUS_UNKNOWN_BLOCK_KIND, `block kinds ${kinds.join(", ")}; a language model has ${lm.BLOCK_KIND_DECODER}`);
  const sections = readSections(bytes, LANGUAGE_SECTIONS);
  const sized = (kind: number, size: number, count: number): Section => {
    const section = sections.get(kind)!;
    if (section.bytes === size && section.count === count) return section;
    const name = LANGUAGE_SECTIONS.get(kind);
    const detail = `section ${name} has ${section.count} records in ${section.bytes} B, must have ${count} in ${size} B`;
    throw imageError(layout.STATUS_BAD_SECTIONS, detail);
  };
  const reader = new RecordReader(bytes, sections.get(layout.SECTION_TENSORS)!);
  const one = <T>(kind: number, spec: LmSpec, dims: Record<string, number>): T =>
    reader.read(spec, spec.name, sized(kind, 4 * spec.words, 1).offset, dims);

  const model = one<ModelRecord>(layout.SECTION_MODEL, modelSpec, {});
  const input = one<TokensRecord>(layout.SECTION_INPUT, tokensSpec, { dModel: model.dModel });
  const head = one<LanguageRecord>(layout.SECTION_HEAD, languageSpec, { dModel: model.dModel, vocabulary: input.vocabulary });
  const { nBlocks, dModel } = model;
  const { offset } = sized(layout.SECTION_BLOCKS, 4 * layout.BLOCK_WORDS * nBlocks, nBlocks);
  const around = { dModel, inputHeadSize: input.headSize };
  const blocks = Array.from({ length: nBlocks }, (_, b) =>
    reader.read<DecoderRecord>(decoderSpec, `block ${b}`, offset + 4 * layout.BLOCK_WORDS * b, around),
  );
  sized(layout.SECTION_TENSORS, sections.get(layout.SECTION_TENSORS)!.bytes, reader.count);
  const whole = (kind: number): Uint8Array => {
    const { offset: at, bytes: size } = sized(kind, sections.get(kind)!.bytes, 1);
    return bytes.subarray(at, at + size);
  };
  const manifest = decodeLanguageManifest(whole(layout.SECTION_MANIFEST));
  return { ...model, ...input, ...head, blocks, tokenizer: whole(lm.SECTION_TOKENIZER), manifest };
}
