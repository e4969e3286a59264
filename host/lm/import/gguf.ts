import type { ImportedModel, LlamaMatrix, LlamaShape } from "../checkpoint.ts";
import { CheckpointError } from "./checkpoint-error.ts";
import { type GgufHeader, type GgufMetadata, readGgufHeader } from "./gguf-header.ts";
import { readGgufTokenizer } from "./gguf-tokenizer.ts";
import { checkShape, headSizeOf } from "./llama-shape.ts";
import { indexTensors, type TensorNames } from "./named-tensors.ts";
import { storedCheckpoint } from "./stored-checkpoint.ts";
import type { WeightFile } from "./weight-file.ts";

export const ggufMagic = "GGUF";

const partNames: Readonly<Record<LlamaMatrix, string>> = {
  q: "attn_q",
  k: "attn_k",
  v: "attn_v",
  o: "attn_output",
  gate: "ffn_gate",
  up: "ffn_up",
  down: "ffn_down",
};
const names: TensorNames = {
  embedding: "token_embd.weight",
  head: "output.weight",
  finalGain: "output_norm.weight",
  matrix: (layer, part) => `blk.${layer}.${partNames[part]}.weight`,
  gain: (layer, part) => `blk.${layer}.${part === "attention" ? "attn_norm" : "ffn_norm"}.weight`,
};

/** Opens a GGUF file of architecture llama. Its q and k are in interleaved order already; its tokenizer is in the metadata. */
export function openGguf(file: WeightFile): ImportedModel {
  const header = readGgufHeader(file);
  const shape = checkShape(file.path, readShape(file.path, header));
  if (header.tensors.has("rope_freqs.weight")) throw badRope(file.path, "a frequency factor for each pair (rope_freqs.weight)");
  const index = indexTensors(file.path, shape, header.tensors, names);
  return {
    checkpoint: storedCheckpoint(file, shape, { ...index, hasHalves: false }),
    tokenizer: readGgufTokenizer(file.path, header.metadata, shape.vocab),
  };
}

function readShape(path: string, { metadata, tensors }: GgufHeader): LlamaShape {
  const architecture = metadata.get("general.architecture");
  if (architecture !== "llama")
    throw new CheckpointError("CHECKPOINT_ARCHITECTURE", `${path}: architecture ${String(architecture)}; llama expected. Import a Llama.`);
  const number = (key: string, fallback?: number): number => readNumber(path, metadata, key, fallback);
  const dim = number("llama.embedding_length");
  const heads = number("llama.attention.head_count");
  const headSize = number("llama.attention.key_length", Number.NaN) || headSizeOf(path, dim, heads);
  checkVariants(path, metadata, headSize);
  return {
    dim,
    hidden: number("llama.feed_forward_length"),
    layers: number("llama.block_count"),
    heads,
    kvHeads: number("llama.attention.head_count_kv", heads),
    headSize,
    vocab: number("llama.vocab_size", tensors.get(names.embedding)?.rows ?? 0),
    context: number("llama.context_length"),
    ropeTheta: number("llama.rope.freq_base", 10_000),
    normEpsilon: Math.fround(number("llama.attention.layer_norm_rms_epsilon")),
    tiedHead: !tensors.has(names.head),
  };
}

/** Refuses, by name, what the metadata say that a plain Llama does not do. */
function checkVariants(path: string, metadata: GgufMetadata, headSize: number): void {
  const scaling = metadata.get("llama.rope.scaling.type") ?? "none";
  if (scaling !== "none") throw badRope(path, `scaling ${String(scaling)}`);
  if (metadata.has("llama.rope.scale_linear")) throw badRope(path, "scaling linear");
  const turned = readNumber(path, metadata, "llama.rope.dimension_count", headSize);
  if (turned !== headSize) throw badRope(path, `${turned} of a head's ${headSize} values turned`);
  const valueSize = readNumber(path, metadata, "llama.attention.value_length", headSize);
  if (valueSize !== headSize)
    throw new CheckpointError("CHECKPOINT_SHAPE", `${path}: heads of ${valueSize} values and ${headSize} keys; equal sizes expected.`);
  const experts = readNumber(path, metadata, "llama.expert_count", 0);
  if (experts > 0)
    throw new CheckpointError("CHECKPOINT_ARCHITECTURE", `${path}: a mixture of ${experts} experts; a dense Llama expected.`);
}

function badRope(path: string, what: string): CheckpointError {
  return new CheckpointError("CHECKPOINT_ROPE", `${path}: RoPE with ${what}; plain RoPE expected. Import a model without RoPE scaling.`);
}

function readNumber(path: string, metadata: GgufMetadata, key: string, fallback?: number): number {
  const value = metadata.get(key) ?? fallback;
  if (typeof value === "number") return value;
  const found = value === undefined ? "missing" : JSON.stringify(value).slice(0, 40);
  throw new CheckpointError("CHECKPOINT_HEADER", `${path}: ${key} is ${found}; a number expected. Convert the model again.`);
}
