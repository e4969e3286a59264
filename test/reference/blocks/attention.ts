import { linearS8, linearToResidual, rowsToS8 } from "../../../host/core/arithmetic/linear-s8.ts";
import { rmsNorm } from "../../../host/core/arithmetic/rms-norm.ts";
import type { AttentionBlock } from "../../../host/core/image/blocks/block.ts";
import type { Views } from "../../../host/core/session/views.ts";
import { attentionS8 } from "../attention-s8.ts";
import { stepMlp } from "../gated-mlp.ts";
import type { OracleBlock } from "./block.ts";

/** The state of an attention block. */
interface AttentionState {
  readonly header: Uint32Array; // word 0: patches seen, in [0, 2W)
  readonly keys: Int8Array; // (W, nKvHeads · headDim)
  readonly values: Int8Array;
}

/** residual += attention(residual); residual += MLP(residual). Core: assembly/blocks/attention.ts. */
function step(block: AttentionBlock, state: AttentionState, residual: Int16Array): void {
  const { headDim, windowPatches } = block;
  const heads = block.nHeads * headDim;
  const row = block.nKvHeads * headDim;
  const qkv = rowsToS8(linearS8(rmsNorm(residual, block.epsilon), block.qkv), block.qkv);
  const count = state.header[0]!;
  const slot = (count % windowPatches) * row;
  state.keys.set(qkv.subarray(heads, heads + row), slot);
  state.values.set(qkv.subarray(heads + row), slot);
  const seen = count + 1;
  state.header[0] = seen === 2 * windowPatches ? windowPatches : seen;
  const o = attentionS8(qkv.subarray(0, heads), state.keys, state.values, Math.min(seen, windowPatches), block);
  linearToResidual(o, block.oProj, residual);
  stepMlp(block, residual);
}

/** The block with its state, taken from `views`. */
export function attentionOracle(block: AttentionBlock, header: Uint32Array, views: Views): OracleBlock {
  const size = block.windowPatches * block.nKvHeads * block.headDim;
  const state: AttentionState = { header, keys: views.s8(size), values: views.s8(size) };
  return {
    step: (residual) => step(block, state, residual),
    bounds: () => [["count", header[0]!, 2 * block.windowPatches - 1]],
  };
}
