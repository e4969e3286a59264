import type { LlamaShape } from "../checkpoint.ts";
import { CheckpointError } from "./checkpoint-error.ts";

/** Largest sizes that are believed: above every Llama there is, and small enough for exact products. */
const limits = {
  dim: 65_536,
  hidden: 262_144,
  layers: 1024,
  heads: 1024,
  kvHeads: 1024,
  headSize: 1024,
  vocab: 1_048_576,
  context: 16_777_216,
} as const satisfies Partial<Record<keyof LlamaShape, number>>;

/** The shape, if a decoder can have it; throws CHECKPOINT_SHAPE with the size that is wrong and what was expected. */
export function checkShape(path: string, shape: LlamaShape): LlamaShape {
  const wrong = (what: string): CheckpointError =>
    new CheckpointError("CHECKPOINT_SHAPE", `${path}: ${what}. Check that this is the Llama checkpoint you mean, and that it is whole.`);
  for (const [name, most] of Object.entries(limits)) {
    const value = shape[name as keyof typeof limits];
    if (!Number.isInteger(value) || value < 1 || value > most) throw wrong(`${name} is ${value}; 1 to ${most} expected`);
  }
  const { heads, kvHeads, headSize, ropeTheta, normEpsilon } = shape;
  if (heads % kvHeads !== 0) throw wrong(`${heads} heads share ${kvHeads} key and value heads; a divisor expected`);
  if (headSize % 2 !== 0) throw wrong(`headSize is ${headSize}; an even number expected, since RoPE turns pairs`);
  if (!(ropeTheta > 1 && ropeTheta <= 1e12)) throw wrong(`the base of RoPE is ${ropeTheta}; more than 1 expected`);
  if (!(normEpsilon > 0 && normEpsilon <= 0.1)) throw wrong(`the epsilon of RMSNorm is ${normEpsilon}; 0 to 0.1 expected`);
  return shape;
}

/** dim / heads, for files that do not give the size of a head. Throws CHECKPOINT_SHAPE if heads do not divide. */
export function headSizeOf(path: string, dim: number, heads: number): number {
  if (heads >= 1 && dim % heads === 0) return dim / heads;
  throw new CheckpointError("CHECKPOINT_SHAPE", `${path}: ${heads} heads do not divide a dim of ${dim}. Check that the file is whole.`);
}
