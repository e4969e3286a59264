import { type AttentionConfig, attention } from "./attention.ts";
import type { TrainedKind } from "./block-kind.ts";
import { type SsmConfig, ssm } from "./ssm.ts";

// Every block kind that can be trained: the one file of the trainer that names them all.

export type { AttentionConfig, SsmConfig };
export type NetBlock = SsmConfig | AttentionConfig;

const KINDS: readonly TrainedKind<never>[] = [ssm, attention];

export function kindOfConfig(block: NetBlock): TrainedKind<NetBlock> {
  return KINDS.find(({ kind }) => kind === block.kind) as TrainedKind<NetBlock>;
}
