import * as layout from "../../assembly/layout.ts";
import * as lm from "../../assembly/lm/layout.ts";
import { align16 } from "../core/arithmetic/align.ts";
import { createView } from "../core/image/image-header.ts";
import { ModelError } from "../core/system/errors.ts";
import type { LlamaShape } from "./checkpoint.ts";
import { type LmSpec, RecordPlan } from "./image-fields.ts";
import { decoderSpec, languageSpec, modelSpec, tokensSpec } from "./image-records.ts";

interface Placed {
  readonly kind: number;
  readonly offset: number;
  readonly bytes: number;
  readonly count: number;
}

/** Where everything of a language image goes, before a weight is read: the arrays can then be written one after the other. */
export interface ImagePlan {
  readonly imageBytes: number;
  readonly input: RecordPlan;
  readonly head: RecordPlan;
  readonly blocks: readonly RecordPlan[];
  /** Writes header, section table, records and the sections of bytes into `image`, once the records' words are set. */
  finish(image: Uint8Array): void;
}

export interface PlanOptions {
  readonly residualBits: number;
  readonly tokenizer: Uint8Array;
  readonly manifest: Uint8Array;
  readonly groupSize: number;
}

/** Lays an image of this shape out. Throws ModelError if the core cannot run the shape. */
export function planImage(shape: LlamaShape, options: PlanOptions): ImagePlan {
  const { dim, layers, heads, kvHeads, headSize, hidden, vocab, context } = shape;
  const sections = lm.LM_SECTIONS;
  const blocksAt = align16(layout.IMAGE_HEADER_BYTES + sections * layout.SECTION_ENTRY_BYTES);
  const tensorsAt = blocksAt + 4 * layout.BLOCK_WORDS * layers;
  let end = tensorsAt;
  let count = 0;
  const take = (bytes: number): number => {
    const at = align16(end);
    end = at + bytes;
    count += 1;
    return at;
  };
  const epsilon = Math.max(1, Math.round(dim * shape.normEpsilon * 4 ** options.residualBits));
  const plan = (spec: LmSpec, values: Record<string, number>, around: Record<string, number>, absent: readonly string[] = []): RecordPlan =>
    new RecordPlan(spec, values, around, take, absent);
  const model = plan(modelSpec, { dModel: dim, nBlocks: layers }, {});
  const tokens = { vocabulary: vocab, context, residualBits: options.residualBits, headSize, epsilon };
  const input = plan(tokensSpec, tokens, { dModel: dim });
  const decoder = { nHeads: heads, nKvHeads: kvHeads, headSize, hidden, keyUnit: 0, valueUnit: 0, groupSize: options.groupSize };
  const blocks = Array.from({ length: layers }, () => plan(decoderSpec, decoder, { dModel: dim, inputHeadSize: headSize }));
  const head = plan(languageSpec, {}, { dModel: dim, vocabulary: vocab }, shape.tiedHead ? ["head"] : []);

  const placed: Placed[] = [
    { kind: layout.SECTION_BLOCKS, offset: blocksAt, bytes: tensorsAt - blocksAt, count: layers },
    { kind: layout.SECTION_TENSORS, offset: tensorsAt, bytes: end - tensorsAt, count },
  ];
  const parts: { readonly kind: number; readonly content: Uint8Array | RecordPlan }[] = [
    { kind: layout.SECTION_MANIFEST, content: options.manifest },
    { kind: layout.SECTION_MODEL, content: model },
    { kind: layout.SECTION_INPUT, content: input },
    { kind: layout.SECTION_HEAD, content: head },
    { kind: lm.SECTION_TOKENIZER, content: options.tokenizer },
  ];
  for (const { kind, content } of parts) {
    const bytes = content instanceof RecordPlan ? 4 * content.words.length : content.length;
    const offset = align16(end);
    placed.push({ kind, offset, bytes, count: 1 });
    end = offset + bytes;
  }
  const imageBytes = align16(end);
  if (imageBytes > lm.LM_IMAGE_MAX_BYTES)
    throw new ModelError(
      "IMAGE_TOO_LARGE",
      `the image would have ${imageBytes} B, at most ${lm.LM_IMAGE_MAX_BYTES} B. Import a smaller model.`,
    );

  const finish = (image: Uint8Array): void => {
    const view = createView(image);
    view.setUint32(layout.HEADER_MAGIC, layout.IMAGE_MAGIC, true);
    view.setUint32(layout.HEADER_FORMAT, layout.IMAGE_FORMAT_2, true);
    view.setUint32(layout.HEADER_KINDS, lm.LM_KINDS, true);
    view.setUint32(layout.HEADER_IMAGE_BYTES, imageBytes, true);
    view.setUint32(layout.HEADER_SECTION_COUNT, sections, true);
    for (const [i, section] of placed.entries()) {
      const entry = layout.IMAGE_HEADER_BYTES + i * layout.SECTION_ENTRY_BYTES;
      const words = [section.kind, section.offset, section.bytes, section.count];
      for (const [k, value] of words.entries()) view.setUint32(entry + 4 * k, value, true);
    }
    const putWords = (at: number, words: Int32Array): void => {
      for (const [i, value] of words.entries()) view.setInt32(at + 4 * i, value, true);
    };
    for (const [b, block] of blocks.entries()) putWords(blocksAt + 4 * layout.BLOCK_WORDS * b, block.words);
    for (const [i, { content }] of parts.entries()) {
      const { offset } = placed[i + 2]!;
      if (content instanceof RecordPlan) putWords(offset, content.words);
      else image.set(content, offset);
    }
  };
  return { imageBytes, input, head, blocks, finish };
}
