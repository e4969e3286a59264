import * as L from "../layout";
import { word } from "../words";
import * as attention from "./attention-lanes";
import { Batch } from "./lanes";
import * as ssm from "./ssm-lanes";

// Every block kind that a batch runs: the one file of this folder that names them all, as blocks/block.ts does for one sequence.

/** Bit k: a batch runs blocks of kind k. */
export const LANE_KINDS: u32 = (1 << L.BLOCK_KIND_SSM) | (1 << L.BLOCK_KIND_ATTENTION);

/** What a block needs of a scratch buffer: LANES_, in rows. */
export function scratch(record: usize, buffer: i32): i32 {
  switch (word(record, L.BLOCK_KIND)) {
    case L.BLOCK_KIND_SSM: return ssm.scratch(record, buffer);
    default: return attention.scratch(record, buffer);
  }
}

/** LINEAR record `k` of a block, whose weights are widened once; 0 past the last. */
export function linearOf(record: usize, k: i32): usize {
  switch (word(record, L.BLOCK_KIND)) {
    case L.BLOCK_KIND_SSM: return ssm.linearOf(record, k);
    default: return attention.linearOf(record, k);
  }
}

export function stateBytes(record: usize): u32 {
  switch (word(record, L.BLOCK_KIND)) {
    case L.BLOCK_KIND_SSM: return ssm.stateBytes(record);
    default: return attention.stateBytes(record);
  }
}

/** How many patches before the last one a last block has to see. */
export function reach(record: usize): i32 {
  switch (word(record, L.BLOCK_KIND)) {
    case L.BLOCK_KIND_SSM: return ssm.reach(record);
    default: return attention.reach(record);
  }
}

/** One patch of every lane: residual (dModel, LANES) += block(residual). Without `isNeeded` only the state moves on. */
export function step(batch: Batch, block: i32, record: usize, state: usize, residual: usize, isNeeded: bool): void {
  switch (word(record, L.BLOCK_KIND)) {
    case L.BLOCK_KIND_SSM: ssm.step(batch, block, record, state, residual, isNeeded); break;
    default: attention.step(batch, block, record, state, residual, isNeeded);
  }
}
