import {
  type GainName,
  type ImportedModel,
  type LlamaMatrix,
  type MatrixName,
  matrixSize,
  type TokenizerData,
  type TokenKind,
} from "../../host/lm/checkpoint.ts";
import type { ElementType } from "../../host/lm/import/element-types.ts";
import { byteText } from "./llama-safetensors.ts";
import { type GgufTensor, type GgufValue, writeGguf } from "./write-gguf.ts";

const matrixNames: Readonly<Record<LlamaMatrix, string>> = {
  q: "attn_q",
  k: "attn_k",
  v: "attn_v",
  o: "attn_output",
  gate: "ffn_gate",
  up: "ffn_up",
  down: "ffn_down",
};
const tokenTypes: Readonly<Record<TokenKind, number>> = { normal: 1, unknown: 2, control: 3, userDefined: 4, byte: 6 };

/** A model as a GGUF file. `typeOf` chooses the type of each matrix (default: F32 for all); gains are F32. */
export function llamaGguf({ checkpoint, tokenizer }: ImportedModel, typeOf: (name: string) => ElementType = () => "F32"): Uint8Array {
  return writeGguf(llamaMetadata({ checkpoint, tokenizer }), llamaTensors(checkpoint, typeOf));
}

/** The tensors of a checkpoint under GGUF's names. */
export function llamaTensors(checkpoint: ImportedModel["checkpoint"], typeOf: (name: string) => ElementType): GgufTensor[] {
  const { shape } = checkpoint;
  const matrix = (name: string, which: MatrixName): GgufTensor => {
    const { rows, columns } = matrixSize(shape, which);
    return { name, type: typeOf(name), rows, columns, values: checkpoint.rows(which, 0, rows) };
  };
  const gain = (name: string, which: GainName): GgufTensor => ({ name, type: "F32", columns: shape.dim, values: checkpoint.gain(which) });
  const layers = Array.from({ length: shape.layers }, (_, layer) => [
    gain(`blk.${layer}.attn_norm.weight`, { layer, part: "attention" }),
    gain(`blk.${layer}.ffn_norm.weight`, { layer, part: "feedForward" }),
    ...Object.entries(matrixNames).map(([part, name]) => matrix(`blk.${layer}.${name}.weight`, { layer, part: part as LlamaMatrix })),
  ]);
  return [
    matrix("token_embd.weight", "embedding"),
    gain("output_norm.weight", "final"),
    ...(shape.tiedHead ? [] : [matrix("output.weight", "head")]),
    ...layers.flat(),
  ];
}

/** The metadata of a model. */
export function llamaMetadata({ checkpoint, tokenizer }: ImportedModel): Record<string, GgufValue> {
  const { shape } = checkpoint;
  return {
    "general.architecture": { string: "llama" },
    "general.name": { string: "test" },
    "llama.context_length": { u32: shape.context },
    "llama.embedding_length": { u32: shape.dim },
    "llama.block_count": { u32: shape.layers },
    "llama.feed_forward_length": { u32: shape.hidden },
    "llama.attention.head_count": { u32: shape.heads },
    "llama.attention.head_count_kv": { u32: shape.kvHeads },
    "llama.attention.key_length": { u32: shape.headSize },
    "llama.attention.value_length": { u32: shape.headSize },
    "llama.attention.layer_norm_rms_epsilon": { f32: shape.normEpsilon },
    "llama.rope.dimension_count": { u32: shape.headSize },
    "llama.rope.freq_base": { f32: shape.ropeTheta },
    "llama.vocab_size": { u32: shape.vocab },
    ...tokenizerMetadata(tokenizer),
  };
}

function tokenizerMetadata({ merges, pieces, kinds, bos, eos, hasSpacePrefix }: TokenizerData): Record<string, GgufValue> {
  const isRanked = merges.by === "rank";
  const texts = pieces.map((piece, id) => (isRanked && kinds[id] === "normal" ? byteText(piece) : pieceText(piece, kinds[id]!)));
  const pairs = isRanked ? Array.from({ length: merges.pairs.length / 2 }, (_, i) => merges.pairs.slice(2 * i, 2 * i + 2)) : [];
  const end = eos.find((id) => id !== bos) ?? eos[0];
  return {
    "tokenizer.ggml.model": { string: isRanked ? "gpt2" : "llama" },
    ...(isRanked
      ? {
          "tokenizer.ggml.pre": { string: "gpt-2" },
          "tokenizer.ggml.merges": { strings: pairs.map((pair) => Array.from(pair, (id) => texts[id]).join(" ")) },
        }
      : { "tokenizer.ggml.scores": { f32s: [...merges.scores] }, "tokenizer.ggml.unknown_token_id": { u32: 0 } }),
    "tokenizer.ggml.tokens": { strings: texts },
    "tokenizer.ggml.token_type": { i32s: kinds.map((kind) => tokenTypes[kind]) },
    "tokenizer.ggml.bos_token_id": { u32: bos ?? 1 },
    "tokenizer.ggml.eos_token_id": { u32: end ?? 2 },
    "tokenizer.ggml.add_bos_token": { bool: bos !== undefined },
    "tokenizer.ggml.add_space_prefix": { bool: hasSpacePrefix },
  };
}

function pieceText(piece: Uint8Array, kind: TokenKind): string {
  if (kind === "byte") return `<0x${piece[0]!.toString(16).toUpperCase().padStart(2, "0")}>`;
  const plain = Buffer.from(piece).toString();
  return kind === "control" ? plain.trim() : plain.replaceAll(" ", "▁");
}
