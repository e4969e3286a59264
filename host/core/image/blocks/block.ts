import * as layout from "../../../../assembly/layout.ts";
import { ModelError } from "../../system/errors.ts";
import type { RecordSpec } from "../image-fields.ts";
import type { Ops } from "../ops.ts";
import type { LinearTensors } from "../tensor-types.ts";
import { type AttentionBlock, attention } from "./attention.ts";
import { type SsmBlock, ssm } from "./ssm.ts";

// Every block kind that this host reads and writes: the one file that names them all. A new kind has a file of its own and a line here.
// What runs it is in assembly/blocks/, and as an oracle in test/reference/blocks/.

export type { AttentionBlock, SsmBlock };
export type Block = SsmBlock | AttentionBlock;

/** One block kind, as the host needs it. */
export interface BlockKind<B> {
  readonly kind: number; // BLOCK_KIND_
  readonly name: string;
  readonly spec: RecordSpec<B>; // without the value's own `kind`, which is `name`
  /** Bytes of state that persists, without the header of STATE_HEADER_BYTES. */
  stateBytes(block: B): number;
  /** Its linear layers by name. */
  linears(block: B): Readonly<Record<string, LinearTensors>>;
  /** Operations of one patch. */
  ops(block: B, dModel: number): Ops;
  /** Its shape in a few words. */
  describe(block: B): string;
}

const KINDS: readonly BlockKind<never>[] = [ssm, attention];

/** Bytes of a block's state, its header included. */
export function stateBytes(block: Block): number {
  return layout.STATE_HEADER_BYTES + findBlockKind(block).stateBytes(block);
}

/** Numbers of the kinds, ascending. */
export const blockKinds: readonly number[] = KINDS.map(({ kind }) => kind);

/** The kind of a record's number, or undefined. */
export function kindOfNumber(kind: number): BlockKind<Block> | undefined {
  return KINDS.find((one) => one.kind === kind) as BlockKind<Block> | undefined;
}

/** The kind of a block. */
export function findBlockKind(block: Pick<Block, "kind">): BlockKind<Block> {
  const found = KINDS.find(({ name }) => name === block.kind);
  if (found === undefined)
    throw new ModelError("BAD_BLOCK", `no block kind "${block.kind}": ${KINDS.map(({ name }) => name).join(", ")} are known.`);
  return found as BlockKind<Block>;
}
