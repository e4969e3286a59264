import * as layout from "../../../assembly/layout.ts";
import { align16 } from "../arithmetic/align.ts";
import type { ModelImage } from "../image/image-types.ts";
import { DataError } from "../system/errors.ts";
import { type BatchExports, growTo, instantiateBatch } from "./module.ts";
import { statusError } from "./status.ts";

/** Many sequences of one image in one pass of the core. The same bits as a session gives each by itself. */
export interface Batch {
  /** Sequences that cost hardly more than one. */
  readonly lanes: number;
  readonly arenaBytes: number;
  /**
   * Runs each sequence, (patches, patchBytes) s8, from a reset state to full depth at every patch. Returns the last exit's logits, Q10,
   * at each one's end, in order. Sequences run `lanes` at a time, those of like length together.
   */
  run(sequences: readonly Int8Array[]): Int16Array[];
}

/** Opens an image as a batch for sequences of at most `maxPatches` patches. Throws ModelError for an image that the core refuses. */
export function openBatch(image: ModelImage, imageBytes: Uint8Array, maxPatches: number, subject: string): Batch {
  const core = instantiateBatch();
  const at = core.memoryBase();
  growTo(core, align16(at + imageBytes.byteLength));
  new Uint8Array(core.memory.buffer).set(imageBytes, at);
  const batch = align16(at + imageBytes.byteLength);
  const prepare = (arenaBytes: number) => core.prepare(at, imageBytes.byteLength, batch, arenaBytes, maxPatches);
  const refused = prepare(0);
  if (refused !== layout.STATUS_ARENA_TOO_SMALL) throw statusError(refused, subject);
  const arenaBytes = core.arenaUsedBytes();
  growTo(core, batch + arenaBytes);
  const status = prepare(arenaBytes);
  if (status !== layout.STATUS_OK) throw statusError(status, subject);
  return createBatch(core, batch, image, maxPatches, arenaBytes);
}

function createBatch(core: BatchExports, batch: number, image: ModelImage, maxPatches: number, arenaBytes: number): Batch {
  const { buffer } = core.memory;
  const patchBytes = image.channels * image.patchFrames;
  const lanes = core.lanes();
  const lengths = new Int32Array(buffer, core.lengthsPtr(batch), lanes);
  const patches = new Int8Array(buffer, core.patchesPtr(batch), lanes * maxPatches * patchBytes);
  const logitStride = (image.nClasses + 7) & ~7;
  const logits = new Int16Array(buffer, core.logitsPtr(batch), lanes * logitStride);

  return {
    lanes,
    arenaBytes,
    run(sequences) {
      const odd = sequences.find(({ length }) => length === 0 || length % patchBytes !== 0 || length > maxPatches * patchBytes);
      if (odd) {
        throw new DataError(
          "BAD_LENGTH",
          `a sequence has ${odd.length} B, and must be 1 to ${maxPatches} patches of ${patchBytes} B. Check who made it.`,
        );
      }
      const results: Int16Array[] = new Array(sequences.length);
      const order = sequences.map((_, i) => i).sort((a, b) => sequences[a]!.length - sequences[b]!.length);
      for (let first = 0; first < order.length; first += lanes) {
        const group = order.slice(first, first + lanes);
        lengths.fill(0);
        for (const [lane, i] of group.entries()) {
          lengths[lane] = sequences[i]!.length / patchBytes;
          patches.set(sequences[i]!, lane * maxPatches * patchBytes);
        }
        core.run(batch);
        for (const [lane, i] of group.entries()) {
          results[i] = logits.slice(lane * logitStride, lane * logitStride + image.nClasses);
        }
      }
      return results;
    },
  };
}
