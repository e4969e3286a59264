import { SNAPSHOT_HEADER_BYTES } from "../../../assembly/layout.ts";
import { crc32 } from "../../core/arithmetic/crc32.ts";
import { addLda, computeLdaLogitsAtEnd } from "../../core/arithmetic/lda.ts";
import { linearS8, rowsToS16 } from "../../core/arithmetic/linear-s8.ts";
import type { Model } from "../../core/session/model.ts";
import type { Decision, Session, SetPoint } from "../../core/session/session-types.ts";

/** Expected output of a device for the same frames: decisions, each with the hash of logits and state. */
export interface HostDecision extends Decision {
  readonly hash: number;
}

/** Runs frames through a session in this process. */
export function hostDecisions(
  model: Model,
  frames: Iterable<{ readonly tick: number; readonly frame: Int16Array }>,
  setPoint?: SetPoint,
): HostDecision[] {
  const session = model.createSession();
  if (setPoint !== undefined) session.setPoint(setPoint);
  const decisions: HostDecision[] = [];
  for (const { tick, frame } of frames) {
    const { decision } = session.pushFrame(frame, tick);
    if (decision !== undefined) decisions.push({ ...decision, hash: decisionHash(model, session, decision) });
  }
  return decisions;
}

/** CRC-32 of the s16 logits of exits 0 … the decision's, then of the state (the tail of the arena). */
export function decisionHash(model: Model, session: Session, decision: Decision): number {
  let crc = 0;
  const lda = computeLdaLogitsAtEnd(model.image, session.context());
  for (const [k, exit] of model.image.exits.slice(0, decision.exit + 1).entries()) {
    // These segments are caught up, so reading what the head reads changes nothing.
    const logits = addLda(rowsToS16(linearS8(session.features(k), exit.head), exit.head), lda);
    crc = crc32(new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength), crc);
  }
  return crc32(session.snapshot().subarray(SNAPSHOT_HEADER_BYTES), crc);
}
