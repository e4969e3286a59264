import * as L from "../layout";
import { Context } from "../context";
import { Model } from "../image";
import { word } from "../words";
import * as attention from "./attention";
import * as ssm from "./ssm";

// Every block kind that this core runs: the one file that names them all. A new kind has a file of its own with these six functions, and
// a line in each of them here. A changed record or changed arithmetic is a new kind: a kind has no versions.

/** Bit k: this core runs blocks of kind k. */
export const BLOCK_KINDS: u32 = (1 << L.BLOCK_KIND_SSM) | (1 << L.BLOCK_KIND_ATTENTION);

/** Everything that `step` trusts: a STATUS_ code for any record of BLOCK_WORDS. */
export function check(model: Model, record: usize): i32 {
  if (word(record, L.BLOCK_EPSILON) < 1) return L.STATUS_BAD_BLOCK;
  switch (word(record, L.BLOCK_KIND)) {
    case L.BLOCK_KIND_SSM: return ssm.check(model, record);
    case L.BLOCK_KIND_ATTENTION: return attention.check(model, record);
    default: return L.STATUS_UNKNOWN_BLOCK_KIND;
  }
}

/** What a checked block needs of a scratch buffer (SCRATCH_), in its unit. */
export function scratch(record: usize, buffer: i32): i32 {
  switch (word(record, L.BLOCK_KIND)) {
    case L.BLOCK_KIND_SSM: return ssm.scratch(record, buffer);
    default: return attention.scratch(record, buffer);
  }
}

/** Bytes of the state that persists, its header of STATE_HEADER_BYTES included. */
export function stateBytes(record: usize): u32 {
  switch (word(record, L.BLOCK_KIND)) {
    case L.BLOCK_KIND_SSM: return L.STATE_HEADER_BYTES + ssm.stateBytes(record);
    default: return L.STATE_HEADER_BYTES + attention.stateBytes(record);
  }
}

/** Work of one step, by kind (OPS_), from shapes alone. */
export function ops(model: Model, record: usize, kind: i32): u32 {
  switch (word(record, L.BLOCK_KIND)) {
    case L.BLOCK_KIND_SSM: return ssm.ops(model, record, kind);
    default: return attention.ops(model, record, kind);
  }
}

/** True if `step` can go on from these bytes of a snapshot, header first. */
export function isSoundState(record: usize, state: usize): bool {
  switch (word(record, L.BLOCK_KIND)) {
    case L.BLOCK_KIND_SSM: return ssm.isSoundState(record, state);
    default: return attention.isSoundState(record, state);
  }
}

/** residual += block(residual), one patch. */
export function step(ctx: Context, record: usize, state: usize): void {
  switch (word(record, L.BLOCK_KIND)) {
    case L.BLOCK_KIND_SSM: ssm.step(ctx, record, state); break;
    default: attention.step(ctx, record, state);
  }
}
