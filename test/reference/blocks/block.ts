import * as layout from "../../../assembly/layout.ts";
import type { Block } from "../../../host/core/image/blocks/block.ts";
import type { Views } from "../../../host/core/session/views.ts";
import { attentionOracle } from "./attention.ts";
import { ssmOracle } from "./ssm.ts";

// Every block kind that the oracle runs: the one file of this folder that names them all.

/** A block with its state. */
export interface OracleBlock {
  /** residual += block(residual), one patch; (dModel,) s16. */
  step(residual: Int16Array): void;
  /** Numbers of the state that a step trusts: name, value, largest value. */
  bounds(): (readonly [name: string, value: number, most: number])[];
  readonly scan?: Int32Array; // (dInner, dState), if it has a scan
}

type Create = (block: never, header: Uint32Array, views: Views) => OracleBlock;

const ORACLES: Readonly<Record<Block["kind"], Create>> = { ssm: ssmOracle, attention: attentionOracle };

/** The oracle of a block; its state is the next stateBytes of `views`. */
export function createOracle(block: Block, views: Views): OracleBlock {
  return ORACLES[block.kind](block as never, views.u32(layout.STATE_HEADER_BYTES / 4), views);
}
