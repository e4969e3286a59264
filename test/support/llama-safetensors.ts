import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type GainName,
  type ImportedModel,
  type LlamaMatrix,
  type MatrixName,
  matrixSize,
  type TokenizerData,
} from "../../host/lm/checkpoint.ts";
import type { ElementType } from "../../host/lm/import/element-types.ts";
import { encodeElements } from "./encode-elements.ts";

const partNames: Readonly<Record<LlamaMatrix, string>> = {
  q: "self_attn.q_proj",
  k: "self_attn.k_proj",
  v: "self_attn.v_proj",
  o: "self_attn.o_proj",
  gate: "mlp.gate_proj",
  up: "mlp.up_proj",
  down: "mlp.down_proj",
};

export type SafetensorsEntry = {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
};

/** Writes model.safetensors, config.json and tokenizer.json into a folder, as transformers does; q and k in halves. Returns the first's path. */
export function writeLlamaSafetensors(folder: string, model: ImportedModel, dtype: ElementType = "F32"): string {
  writeFileSync(join(folder, "config.json"), JSON.stringify(llamaConfig(model)));
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(tokenizerJson(model.tokenizer)));
  const path = join(folder, "model.safetensors");
  writeFileSync(path, safetensorsBytes(llamaEntries(model, dtype)));
  return path;
}

export function safetensorsBytes(entries: readonly SafetensorsEntry[]): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let at = 0;
  for (const { name, dtype, shape, bytes } of entries) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...entries.map(({ bytes }) => bytes)]);
}

export function llamaConfig({ checkpoint: { shape }, tokenizer }: ImportedModel): Record<string, unknown> {
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_size: shape.dim,
    intermediate_size: shape.hidden,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    head_dim: shape.headSize,
    vocab_size: shape.vocab,
    max_position_embeddings: shape.context,
    rms_norm_eps: shape.normEpsilon,
    rope_theta: shape.ropeTheta,
    rope_scaling: null,
    tie_word_embeddings: shape.tiedHead,
    eos_token_id: tokenizer.eos,
  };
}

export function llamaEntries({ checkpoint }: ImportedModel, dtype: ElementType): SafetensorsEntry[] {
  const { shape } = checkpoint;
  const matrix = (name: string, which: MatrixName): SafetensorsEntry => {
    const { rows, columns } = matrixSize(shape, which);
    const values = checkpoint.rows(which, 0, rows);
    const isTurned = typeof which === "object" && (which.part === "q" || which.part === "k");
    const stored = isTurned ? inHalves(values, rows, columns, shape.headSize) : values;
    return { name, dtype, shape: [rows, columns], bytes: encodeElements(dtype, stored) };
  };
  const gain = (name: string, which: GainName): SafetensorsEntry => {
    return { name, dtype, shape: [shape.dim], bytes: encodeElements(dtype, checkpoint.gain(which)) };
  };
  return [
    matrix("model.embed_tokens.weight", "embedding"),
    ...Array.from({ length: shape.layers }, (_, layer) => [
      gain(`model.layers.${layer}.input_layernorm.weight`, { layer, part: "attention" }),
      gain(`model.layers.${layer}.post_attention_layernorm.weight`, { layer, part: "feedForward" }),
      ...Object.entries(partNames).map(([part, name]) =>
        matrix(`model.layers.${layer}.${name}.weight`, { layer, part: part as LlamaMatrix }),
      ),
    ]).flat(),
    gain("model.norm.weight", "final"),
    ...(shape.tiedHead ? [] : [matrix("lm_head.weight", "head")]),
  ];
}

/** Rows of a head from (pair, half) to (half, pair). */
function inHalves(values: Float32Array, rows: number, columns: number, headSize: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const inHead = row % headSize;
    const to = row - inHead + (inHead >> 1) + (inHead & 1) * (headSize / 2);
    out.set(values.subarray(row * columns, (row + 1) * columns), to * columns);
  }
  return out;
}

/** A tokenizer that merges by rank, in the form of Hugging Face's tokenizers. */
export function tokenizerJson({ merges, pieces, kinds, bos, split }: TokenizerData): Record<string, unknown> {
  if (merges.by !== "rank") throw new Error("tokenizerJson writes tokenizers with ranks alone");
  const texts = pieces.map((piece, id) => (kinds[id] === "normal" ? byteText(piece) : Buffer.from(piece).toString()));
  const special = (id: number): unknown => ({ id, content: texts[id], special: kinds[id] === "control" });
  const added = kinds.flatMap((kind, id) => (kind === "normal" ? [] : [special(id)]));
  const pairs = Array.from({ length: merges.pairs.length / 2 }, (_, i) => [texts[merges.pairs[2 * i]!], texts[merges.pairs[2 * i + 1]!]]);
  return {
    version: "1.0",
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: split === "gpt2" },
    post_processor:
      bos === undefined
        ? null
        : {
            type: "TemplateProcessing",
            single: [{ SpecialToken: { id: texts[bos], type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
            special_tokens: { [texts[bos]!]: { id: texts[bos], ids: [bos], tokens: [texts[bos]] } },
          },
    decoder: { type: "ByteLevel" },
    model: {
      type: "BPE",
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(texts.flatMap((text, id) => (kinds[id] === "normal" ? [[text, id]] : []))),
      merges: pairs.map((pair) => pair.join(" ")),
    },
  };
}

/** Bytes in GPT-2's alphabet: printable ones as they are, the others from U+0100 on, in their order. */
export function byteText(bytes: Uint8Array): string {
  const isPrintable = (byte: number): boolean => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xff && byte !== 0xad);
  const others = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !isPrintable(byte));
  return Array.from(bytes, (byte) => String.fromCharCode(isPrintable(byte) ? byte : 0x100 + others.indexOf(byte))).join("");
}
