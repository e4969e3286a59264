import { dirname, join } from "node:path";
import { z } from "zod";
import type { ImportedModel, LlamaMatrix } from "../checkpoint.ts";
import { CheckpointError } from "./checkpoint-error.ts";
import type { ElementType } from "./element-types.ts";
import { checkExtents, type Extent } from "./extents.ts";
import { parseJson } from "./json-file.ts";
import { readLlamaConfig } from "./llama-config.ts";
import { indexTensors, type TensorNames } from "./named-tensors.ts";
import { storedCheckpoint } from "./stored-checkpoint.ts";
import { plainTensor, type StoredTensor, tensorBytes } from "./stored-tensor.ts";
import { readTokenizerJson } from "./tokenizer-json.ts";
import type { WeightFile } from "./weight-file.ts";

const headerMaxBytes = 100_000_000; // as the reference implementation
const lengthBytes = 8;
const types: readonly ElementType[] = ["F32", "F16", "BF16"];

const partNames: Readonly<Record<LlamaMatrix, string>> = {
  q: "self_attn.q_proj",
  k: "self_attn.k_proj",
  v: "self_attn.v_proj",
  o: "self_attn.o_proj",
  gate: "mlp.gate_proj",
  up: "mlp.up_proj",
  down: "mlp.down_proj",
};
const names: TensorNames = {
  embedding: "model.embed_tokens.weight",
  head: "lm_head.weight",
  finalGain: "model.norm.weight",
  matrix: (layer, part) => `model.layers.${layer}.${partNames[part]}.weight`,
  gain: (layer, part) => `model.layers.${layer}.${part === "attention" ? "input_layernorm" : "post_attention_layernorm"}.weight`,
};

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().positive()).min(1).max(2),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

/** Whether a file begins as safetensors do: the length (u64) of a JSON header, below 2^32, then its brace. */
export function isSafetensors(start: Uint8Array): boolean {
  return start.length > lengthBytes && start[lengthBytes] === 0x7b && start.subarray(4, lengthBytes).every((byte) => byte === 0);
}

/** Opens a Llama in safetensors (F32, F16, BF16), with config.json and tokenizer.json beside it or the tokenizer's file given. */
export function openSafetensors(file: WeightFile, tokenizerPath?: string): ImportedModel {
  const config = readLlamaConfig(join(dirname(file.path), "config.json"));
  const { shape } = config;
  const tensors = readTensors(file);
  if (shape.tiedHead) tensors.delete(names.head); // some exports store the embedding twice
  for (const name of tensors.keys()) if (name.endsWith(".rotary_emb.inv_freq")) tensors.delete(name); // older exports; follows from the base
  const index = indexTensors(file.path, shape, tensors, names);
  const tokenizer = readTokenizerJson(tokenizerPath ?? join(dirname(file.path), "tokenizer.json"), config);
  return { checkpoint: storedCheckpoint(file, shape, { ...index, hasHalves: true }), tokenizer };
}

/** The tensors of the header, checked to lie apart and in the file. */
function readTensors(file: WeightFile): Map<string, StoredTensor> {
  const wrong = (what: string, code = "CHECKPOINT_HEADER"): CheckpointError =>
    new CheckpointError(code, `${file.path}: ${what}. Copy the file again, or export it again.`);
  const start = file.read(0, lengthBytes, "length of the header");
  const length = Number(new DataView(start.buffer).getBigUint64(0, true));
  if (length > headerMaxBytes) throw wrong(`a header of ${length} bytes; at most ${headerMaxBytes} expected`);
  const text = Buffer.from(file.read(lengthBytes, length, "header")).toString("utf8");
  const header = z.record(z.string(), z.unknown()).safeParse(parseJson(text, () => wrong("the header is no JSON")));
  if (!header.success) throw wrong("the header is no JSON object");
  const dataAt = lengthBytes + length;
  const tensors = new Map<string, StoredTensor>();
  const extents: Extent[] = [];
  for (const [name, value] of Object.entries(header.data)) {
    if (name === "__metadata__") continue;
    const entry = entrySchema.safeParse(value);
    if (!entry.success) throw wrong(`tensor ${name} lacks a dtype, one or two sizes, or two offsets`, "CHECKPOINT_TENSOR_SHAPE");
    const { dtype, shape, data_offsets } = entry.data;
    const type = types.find((one) => one === dtype);
    if (type === undefined) throw wrong(`tensor ${name} has type ${dtype}; ${types.join(", ")} expected`, "CHECKPOINT_TENSOR_TYPE");
    const [rows, columns] = shape.length === 2 ? (shape as [number, number]) : [1, shape[0]!];
    const [from, to] = data_offsets.map((offset) => dataAt + offset) as [number, number];
    if (to - from !== tensorBytes(type, rows, columns))
      throw wrong(`tensor ${name}, ${shape.join(" × ")} of ${type}, takes ${to - from} bytes`, "CHECKPOINT_TENSOR_SHAPE");
    extents.push({ name, from, to });
    tensors.set(name, plainTensor(file, name, type, from, rows, columns));
  }
  checkExtents(file.path, file.byteLength, extents);
  return tensors;
}
