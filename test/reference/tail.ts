import type { ModelImage } from "../../host/core/image/image-types.ts";
import { createTail, type Tail } from "../../host/core/session/tail.ts";
import { Views } from "../../host/core/session/views.ts";
import { createOracle, type OracleBlock } from "./blocks/block.ts";

/** The persistent state, and what steps each block over it. */
export interface OracleTail extends Tail {
  readonly oracles: readonly OracleBlock[];
}

/** A tail of zeros. */
export function createOracleTail(image: ModelImage): OracleTail {
  const tail = createTail(image);
  const oracles = image.blocks.map((block, b) => {
    const { byteOffset } = tail.blocks[b]!;
    return createOracle(block, new Views(tail.bytes.buffer as ArrayBuffer, byteOffset));
  });
  return { ...tail, oracles };
}
