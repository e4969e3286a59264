import * as layout from "../../assembly/layout.ts";
import { exitFeatures, exitLogits } from "../../host/core/arithmetic/exit-head.ts";
import { quantiseFrame } from "../../host/core/arithmetic/features.ts";
import { addLda } from "../../host/core/arithmetic/lda.ts";
import { PlausibilityMonitor } from "../../host/core/arithmetic/plausibility.ts";
import { checkReplacement } from "../../host/core/image/image-check.ts";
import { createView } from "../../host/core/image/image-header.ts";
import { readImage } from "../../host/core/image/image-read.ts";
import type { Lda, ModelImage } from "../../host/core/image/image-types.ts";
import { windowOps } from "../../host/core/image/op-count.ts";
import type { Ops } from "../../host/core/image/ops.ts";
import type { Decision, PushResult, Session, SetPoint } from "../../host/core/session/session-types.ts";
import { writeSnapshot } from "../../host/core/session/snapshot.ts";
import { resetStream, resetTail } from "../../host/core/session/tail.ts";
import { DataError, ModelError } from "../../host/core/system/errors.ts";
import { checkSetPoint, decide, defaultSetPoint } from "./policy.ts";
import { readSnapshot } from "./snapshot.ts";
import { Stack } from "./stack.ts";
import { createOracleTail, type OracleTail } from "./tail.ts";

/** The core counts in u32, and says no more than that. */
const MOST_OPS = 2 ** 32 - 1;
const NOTHING: PushResult = { patch: false, held: false, reset: false, ignored: false, decision: undefined };

/** The oracle: the model in plain TypeScript, written from assembly/README.md. What the core does differently is the core's bug. */
class ReferenceSession implements Session {
  readonly engine = "reference";
  readonly #image: ModelImage;
  readonly #imageCrc32: number;
  readonly #tail: OracleTail;
  readonly #stack: Stack;
  readonly #monitor: PlausibilityMonitor | undefined;
  #setPoint: SetPoint;

  constructor(imageBytes: Uint8Array) {
    this.#image = readImage(imageBytes);
    this.#imageCrc32 = createView(imageBytes).getUint32(layout.HEADER_CRC32, true);
    this.#tail = createOracleTail(this.#image);
    this.#stack = new Stack(this.#image, this.#tail);
    const { plausibility } = this.#image;
    this.#monitor = plausibility && new PlausibilityMonitor(plausibility, this.#tail.monitor);
    this.#setPoint = defaultSetPoint(this.#image);
    this.reset();
  }

  /** Bytes of the tail: this engine has no head. */
  get arenaBytes(): number {
    return this.#tail.bytes.length;
  }

  reset(): void {
    resetTail(this.#tail);
  }

  pushFrame(frame: Int16Array, tick: number): PushResult {
    requireLength("frame", frame.length, this.#image.channels);
    if (!Number.isInteger(tick) || tick < 0 || tick >= 2 ** 32) {
      throw new DataError("BAD_TICK", `a frame has tick ${tick}: give the device's frame count as u32.`);
    }
    const { words, lastFrame } = this.#tail;
    let result = NOTHING;
    if (words[layout.TAIL_HAS_TICK] === 1) {
      const gap = (tick - words[layout.TAIL_LAST_TICK]! - 1) >>> 0;
      if (gap >= 2 ** 31 - 1) return { ...NOTHING, ignored: true };
      if (gap > this.#image.gapLimitFrames) {
        resetStream(this.#tail);
        result = { ...result, reset: true };
      } else {
        for (let i = 0; i < gap; i++) result = { ...result, held: true, patch: this.#appendFrame(lastFrame) || result.patch };
      }
    }
    if (words[layout.TAIL_FRAMES_IN_PATCH]! + 1 === this.#image.patchFrames) this.#monitor?.push(frame, lastFrame);
    words[layout.TAIL_HAS_TICK] = 1;
    words[layout.TAIL_LAST_TICK] = tick;
    lastFrame.set(frame);
    return this.#appendFrame(frame) ? { ...result, patch: true, decision: this.#decideIfDue() } : result;
  }

  pushPatch(patch: Int8Array): PushResult {
    requireLength("patch", patch.length, this.#image.channels * this.#image.patchFrames);
    this.#stack.stepPatch(patch);
    return { ...NOTHING, patch: true, decision: this.#decideIfDue() };
  }

  decide(): Decision {
    return decide(this.#image, this.#tail, this.#stack, this.#setPoint, this.#monitor);
  }

  logits(): Int16Array[] {
    const lda = this.#stack.lda();
    return this.#image.exits.map((exit, k) => {
      if (k > 0) this.#stack.catchUp(k);
      return addLda(exitLogits(exit, this.#stack.residualAt(k)), lda);
    });
  }

  features(exit: number): Int8Array {
    this.#requireExit(exit);
    for (let k = 1; k <= exit; k++) this.#stack.catchUp(k);
    return exitFeatures(this.#image.exits[exit]!, this.#stack.residualAt(exit));
  }

  setPoint(setPoint: SetPoint): void {
    checkSetPoint(this.#image, setPoint);
    this.#setPoint = { ...setPoint, thresholds: [...setPoint.thresholds] };
  }

  context(): Int8Array {
    return this.#stack.lastPatches(this.#tail.words[layout.TAIL_CONTEXT_COUNT]!);
  }

  snapshot(): Uint8Array {
    return writeSnapshot(this.#tail, this.#imageCrc32);
  }

  restore(snapshot: Uint8Array): void {
    readSnapshot(this.#image, this.#tail, this.#imageCrc32, snapshot);
  }

  setLda(lda: Lda): void {
    checkReplacement(lda, this.#image);
    this.#stack.setLda(lda);
  }

  opCount(exit: number): Ops {
    this.#requireExit(exit);
    const { macs, requantize, state, lookup, norm, weightBytes } = windowOps(this.#image, exit);
    const word = (count: number): number => Math.min(count, MOST_OPS);
    return {
      macs: word(macs),
      requantize: word(requantize),
      state: word(state),
      lookup: word(lookup),
      norm: word(norm),
      weightBytes: word(weightBytes),
    };
  }

  /** Adds a frame to the patch under way; true when that completed it and it ran. */
  #appendFrame(frame: Int16Array): boolean {
    const { words, partial } = this.#tail;
    const { channels, patchFrames, features } = this.#image;
    const count = words[layout.TAIL_FRAMES_IN_PATCH]!;
    partial.set(quantiseFrame(frame, features), count * channels);
    words[layout.TAIL_FRAMES_IN_PATCH] = (count + 1) % patchFrames;
    if (count + 1 < patchFrames) return false;
    this.#stack.stepPatch(partial);
    return true;
  }

  #requireExit(exit: number): void {
    if (this.#image.exits[exit] !== undefined) return;
    throw new ModelError("BAD_EXIT", `exit ${exit} does not exist: the model has exits 0 … ${this.#image.exits.length - 1}.`);
  }

  #decideIfDue(): Decision | undefined {
    return this.#tail.words[layout.TAIL_PATCHES_SINCE_DECISION]! >= this.#setPoint.hopPatches ? this.decide() : undefined;
  }
}

function requireLength(what: string, found: number, expected: number): void {
  if (found === expected) return;
  throw new DataError("BAD_LENGTH", `a ${what} has ${found} values, this model's has ${expected}: look for another agent's recording.`);
}

/** A session of the plain TypeScript oracle over a `.dmm` image. Throws ModelError as readImage does. */
export function createReferenceSession(imageBytes: Uint8Array): Session {
  return new ReferenceSession(imageBytes);
}
