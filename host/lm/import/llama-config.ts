import { z } from "zod";
import type { LlamaShape } from "../checkpoint.ts";
import { CheckpointError } from "./checkpoint-error.ts";
import { readJsonFile } from "./json-file.ts";
import { checkShape, headSizeOf } from "./llama-shape.ts";

const count = z.int().positive();
const rope = z.looseObject({ rope_type: z.string().optional(), type: z.string().optional(), rope_theta: z.number().optional() });
/** The fields of Hugging Face's LlamaConfig that decide what is computed, with its defaults. */
const schema = z.looseObject({
  model_type: z.string(),
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  vocab_size: count,
  max_position_embeddings: count.default(2048),
  rms_norm_eps: z.number().default(1e-6),
  rope_theta: z.number().nullish(),
  rope_scaling: rope.nullish(),
  rope_parameters: rope.nullish(),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  hidden_act: z.string().default("silu"),
  eos_token_id: z.union([z.int(), z.array(z.int())]).nullish(),
});

export type LlamaConfig = { readonly shape: LlamaShape; readonly eos: readonly number[] };

/** Reads a config.json of model type llama. Throws CHECKPOINT_CONFIG, _ARCHITECTURE, _ROPE or _SHAPE. */
export function readLlamaConfig(path: string): LlamaConfig {
  const parsed = schema.safeParse(readJsonFile(path, "CHECKPOINT_CONFIG"));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path.join(".") ?? "";
    throw new CheckpointError(
      "CHECKPOINT_CONFIG",
      `${path}: ${field}: ${issue?.message ?? "not valid"}. Give the config.json that belongs to the weights.`,
    );
  }
  const config = parsed.data;
  const other = (what: string): CheckpointError =>
    new CheckpointError("CHECKPOINT_ARCHITECTURE", `${path}: ${what}. Import a plain Llama.`);
  if (config.model_type !== "llama") throw other(`model_type ${config.model_type}; llama expected`);
  if (config.hidden_act !== "silu") throw other(`hidden_act ${config.hidden_act}; silu expected`);
  if (config.attention_bias || config.mlp_bias) throw other("attention_bias or mlp_bias; no biases expected");
  const scaling = config.rope_scaling ?? config.rope_parameters;
  const kind = scaling?.rope_type ?? scaling?.type ?? "default";
  if (kind !== "default")
    throw new CheckpointError("CHECKPOINT_ROPE", `${path}: RoPE scaling ${kind}; none expected. Import a model without RoPE scaling.`);
  const heads = config.num_attention_heads;
  const shape = checkShape(path, {
    dim: config.hidden_size,
    hidden: config.intermediate_size,
    layers: config.num_hidden_layers,
    heads,
    kvHeads: config.num_key_value_heads ?? heads,
    headSize: config.head_dim ?? headSizeOf(path, config.hidden_size, heads),
    vocab: config.vocab_size,
    context: config.max_position_embeddings,
    ropeTheta: config.rope_theta ?? config.rope_parameters?.rope_theta ?? 10_000,
    normEpsilon: config.rms_norm_eps,
    tiedHead: config.tie_word_embeddings,
  });
  const eos = config.eos_token_id ?? [];
  return { shape, eos: typeof eos === "number" ? [eos] : eos };
}
