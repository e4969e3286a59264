import * as layout from "../../assembly/layout.ts";
import { align16 } from "../../host/core/arithmetic/align.ts";
import { clampS16 } from "../../host/core/arithmetic/fixed-point.ts";
import { linearToResidual } from "../../host/core/arithmetic/linear-s8.ts";
import { rmsNorm } from "../../host/core/arithmetic/rms-norm.ts";
import type { BlockKind } from "../../host/core/image/blocks/block.ts";
import { NO_OPS, withLinears } from "../../host/core/image/ops.ts";
import type { LinearTensors } from "../../host/core/image/tensor-types.ts";
import type { Views } from "../../host/core/session/views.ts";
import type { OracleBlock } from "../reference/blocks/block.ts";

// The third block kind of test/host/core/image/toy-block.test.ts, as the host and the oracle know it. What it computes: toy-core.asc.

export interface ToyBlock {
  readonly kind: "toy";
  readonly epsilon: number;
  readonly shift: number;
  readonly proj: LinearTensors;
}

const BAD = layout.STATUS_BAD_BLOCK;
const PHASES = 8;

export const toy: BlockKind<ToyBlock> = {
  kind: 3,
  name: "toy",
  spec: {
    name: "toy",
    words: layout.BLOCK_WORDS,
    fields: [
      { at: layout.BLOCK_KIND, name: "kind", type: "word", least: 3, isConstant: true, status: BAD },
      { at: layout.BLOCK_EPSILON, name: "epsilon", type: "word", least: 1, status: BAD },
      { at: 2, name: "shift", type: "word", least: 1, most: 15, status: BAD },
      { at: 10, name: "proj", type: "linear", nIn: "dModel", nOut: "dModel" },
    ],
  },
  stateBytes: ({ proj }) => align16(2 * proj.nOut),
  linears: ({ proj }) => ({ proj }),
  ops: ({ proj }, dModel) => withLinears({ ...NO_OPS, norm: dModel, state: dModel }, [proj]),
  describe: ({ shift }) => `toy(${shift})`,
};

export function toyOracle({ epsilon, shift, proj }: ToyBlock, header: Uint32Array, views: Views): OracleBlock {
  const means = views.s16(proj.nOut);
  return {
    step(residual) {
      linearToResidual(rmsNorm(residual, epsilon), proj, residual);
      for (let i = 0; i < means.length; i++) {
        means[i] = means[i]! + ((residual[i]! - means[i]!) >> shift);
        residual[i] = clampS16(residual[i]! + (means[i]! >> 1));
      }
      header[0] = (header[0]! + 1) % PHASES;
    },
    bounds: () => [["phase", header[0]!, PHASES - 1]],
  };
}
