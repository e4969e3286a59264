import * as device from "../../assembly/device/layout.ts";
import * as layout from "../../assembly/layout.ts";
import type { Decision, DecisionWhy, SetPoint } from "../core/session/session-types.ts";
import type { LinkResult } from "./frame.ts";

const WHY: readonly DecisionWhy[] = ["exit", "ask", "deferred", "budget", "thermal"];
const ONE_Q15 = 32768;
const LIMIT_REASONS = { none: 0, budget: layout.WHY_BUDGET, thermal: layout.WHY_THERMAL } as const;

/** A decision as a device sends it. `hash` is the CRC-32 of logits and state after it, where OPTION_HASH is set. */
export interface DeviceDecision extends Decision {
  readonly hash: number | undefined;
}

/** What no image of any model can have decided, or undefined. */
export function outcomeOutOfRange(outcome: Pick<Decision, "label" | "exit" | "confidenceQ15">): string | undefined {
  if (outcome.label >= layout.LIMIT_CLASSES) return `label ${outcome.label} of ${layout.LIMIT_CLASSES}`;
  if (outcome.exit >= layout.LIMIT_EXITS) return `exit ${outcome.exit} of ${layout.LIMIT_EXITS}`;
  return outcome.confidenceQ15 > ONE_Q15 ? `confidence ${outcome.confidenceQ15} of ${ONE_Q15}` : undefined;
}

/** Reads the payload of a `decision` frame: DECISION_WORDS s32, u32 hash, u32 flags. Any bytes are safe. */
export function decodeDecision(payload: Uint8Array): LinkResult<DeviceDecision> {
  if (payload.length !== device.DECISION_OUT_BYTES) return { ok: false, reason: `${payload.length} B are no decision` };
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const word = (index: number) => view.getUint32(4 * index, true);
  const why = WHY[word(layout.DECISION_WHY)];
  if (why === undefined) return { ok: false, reason: `a decision for reason ${word(layout.DECISION_WHY)}` };
  const outcome = {
    label: word(layout.DECISION_LABEL),
    exit: word(layout.DECISION_EXIT),
    confidenceQ15: word(layout.DECISION_CONFIDENCE),
  };
  const outOfRange = outcomeOutOfRange(outcome);
  if (outOfRange !== undefined) return { ok: false, reason: `a decision with ${outOfRange}` };
  const faults = word(layout.DECISION_FAULTS);
  if (faults > layout.FAULTS_ALL) return { ok: false, reason: `a decision with sensor faults ${faults} of ${layout.FAULTS_ALL}` };
  const hasHash = (word(layout.DECISION_WORDS + 1) & device.DECISION_FLAG_HASH) !== 0;
  return {
    ok: true,
    value: {
      ...outcome,
      why,
      tick: word(layout.DECISION_TICK),
      patch: word(layout.DECISION_PATCH),
      macs: word(layout.DECISION_MACS),
      rebuilds: word(layout.DECISION_REBUILDS),
      steps: word(layout.DECISION_STEPS),
      ...(faults !== 0 && { sensorFaults: faults }),
      hash: hasHash ? word(layout.DECISION_WORDS) : undefined,
    },
  };
}

/** The payload of a `set-point` frame: SETPOINT_WORDS s32, little-endian, as the core's struct. The device checks it and acknowledges with a status. */
export function encodeSetPoint(setPoint: SetPoint): Uint8Array {
  const words = new Int32Array(layout.SETPOINT_WORDS);
  words[layout.SETPOINT_MAX_EXIT] = setPoint.maxExit;
  words[layout.SETPOINT_HOP_PATCHES] = setPoint.hopPatches;
  words[layout.SETPOINT_ASK_ALLOWED] = setPoint.askAllowed ? 1 : 0;
  words[layout.SETPOINT_LIMIT_REASON] = LIMIT_REASONS[setPoint.limitReason];
  words[layout.SETPOINT_ASK_INTERVAL_HOPS] = setPoint.askIntervalHops;
  words.set(setPoint.thresholds.slice(0, layout.LIMIT_EXITS), layout.SETPOINT_THRESHOLDS);
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of words.entries()) view.setInt32(i * 4, word, true);
  return bytes;
}
