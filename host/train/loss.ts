import { lax, numpy as np } from "@jax-js/jax";
import type { Arrays, Numerics } from "./layers.ts";
import { forward, type NetInput } from "./net.ts";
import type { NetConfig } from "./net-config.ts";

/** −Σ target · log softmax(logits), summed over exits with their weights. `target` (B, L, nClasses) already holds the positions' weights. */
export function exitLoss(
  config: NetConfig,
  exitWeights: readonly number[],
  p: Arrays,
  input: NetInput,
  target: np.Array,
  numerics: Numerics,
): np.Array {
  const logits = forward(config, p, input, numerics);
  let loss: np.Array | undefined;
  logits.forEach((exit, k) => {
    const weight = exitWeights[k]!;
    const own = np.sum(logSoftmax(exit).mul(target.ref)).mul(-weight);
    loss = loss ? loss.add(own) : own;
  });
  target.dispose();
  return loss!;
}

function logSoftmax(x: np.Array): np.Array {
  const shifted = x.ref.sub(lax.stopGradient(np.max(x, -1, { keepdims: true })));
  return shifted.ref.sub(np.log(np.sum(np.exp(shifted), -1, { keepdims: true })));
}
