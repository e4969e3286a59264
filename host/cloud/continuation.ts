import { TAIL_RING_HEAD, TAIL_RING_PENDING } from "../../assembly/layout.ts";
import type { ModelImage } from "../core/image/image-types.ts";
import type { Session } from "../core/session/session-types.ts";
import { writeSnapshot } from "../core/session/snapshot.ts";
import { createTail } from "../core/session/tail.ts";
import { softmax } from "./ensemble.ts";
import type { CloudAnswer, CloudQuery } from "./provider.ts";

/** An image whose upper blocks go on where a device stopped. */
export interface Continuation {
  readonly name: string;
  readonly image: ModelImage;
  readonly session: Session;
  readonly temperature: number; // of the last exit
  /** Root mean square of the residual after each exit's block, in residual counts: what an activation of 1 (32 counts) stands for. */
  readonly residualRms: readonly number[];
}

type Gone = { readonly ok: true; readonly probabilities: Float64Array; readonly model: string } | Extract<CloudAnswer, { ok: false }>;

/**
 * Runs the blocks above the exit where a device stopped over the activations that it sent. They are RMS-normed and rounded to int8, so
 * the first block above reads what it would have read; only the skip past it is of an assumed size, the usual one of this image. The
 * blocks above start from nothing, as after a rebuild: rows beyond the ring are of no use and are passed over.
 */
export function continueFrom(query: CloudQuery, continuation: Continuation | undefined): Gone {
  const refuse = (detail: string): Gone => ({ ok: false, reason: "form", detail });
  if (!continuation) return refuse(`no image ${query.imageHash.slice(0, 16)} here to go on with: send features`);
  const { image, session } = continuation;
  const exit = query.atExit ?? image.exits.length - 1;
  if (exit >= image.exits.length - 1) return refuse(`nothing lies above exit ${exit} of ${continuation.name}: send features`);
  if (query.patchBytes !== image.dModel)
    return refuse(`rows of ${query.patchBytes} B, the activations of ${continuation.name} have ${image.dModel}`);
  const rows = query.patches.length / image.dModel;
  const kept = Math.min(rows, image.ringPatches);
  const tail = createTail(image);
  const scale = continuation.residualRms[exit]! / 32;
  const from = (rows - kept) * image.dModel;
  const ring = tail.rings[exit]!;
  for (let i = 0; i < kept * image.dModel; i++) {
    ring[i] = Math.max(-32768, Math.min(32767, Math.round(query.patches[from + i]! * scale)));
  }
  tail.words[TAIL_RING_HEAD + exit] = kept % image.ringPatches;
  tail.words[TAIL_RING_PENDING + exit] = kept;
  session.restore(writeSnapshot(tail, imageCrc32Of(session)));
  const probabilities = softmax(session.logits().at(-1)!, continuation.temperature);
  return { ok: true, probabilities, model: continuation.name };
}

/** The CRC that this session's snapshots carry and that `restore` requires. */
function imageCrc32Of(session: Session): number {
  const { buffer, byteOffset } = session.snapshot();
  return new DataView(buffer, byteOffset).getUint32(8, true);
}

/** The residual's usual size at each exit but the last, over sequences of patches: the value of `residualRms`. */
export function residualRmsOf(image: ModelImage, session: Session, sequences: readonly Int8Array[]): number[] {
  const patchBytes = image.channels * image.patchFrames;
  const sums = image.exits.slice(0, -1).map(() => ({ squares: 0, count: 0 }));
  for (const sequence of sequences) {
    session.reset();
    for (let at = 0; at < sequence.length; at += patchBytes) {
      session.pushPatch(sequence.subarray(at, at + patchBytes));
      session.logits();
      if (at + patchBytes < sequence.length) continue;
      const tail = createTail(image);
      tail.bytes.set(session.snapshot().subarray(-tail.bytes.length));
      for (const [k, sum] of sums.entries()) {
        for (const value of tail.rings[k]!) {
          if (value === 0) continue; // slots that were never written
          sum.squares += value * value;
          sum.count++;
        }
      }
    }
  }
  return sums.map(({ squares, count }) => Math.sqrt(squares / Math.max(1, count)));
}
