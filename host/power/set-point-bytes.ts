import * as layout from "../../assembly/layout.ts";
import type { SetPoint } from "../core/session-types.ts";

const REASONS = { none: 0, budget: layout.WHY_BUDGET, thermal: layout.WHY_THERMAL } as const;

/** A set-point as the core's struct holds it: SETPOINT_WORDS int32, little-endian (assembly/layout.ts). What a link message carries. */
export function setPointBytes(setPoint: SetPoint): Uint8Array {
  const words = new Int32Array(layout.SETPOINT_WORDS);
  words[layout.SETPOINT_MAX_EXIT] = setPoint.maxExit;
  words[layout.SETPOINT_HOP_PATCHES] = setPoint.hopPatches;
  words[layout.SETPOINT_ASK_ALLOWED] = setPoint.askAllowed ? 1 : 0;
  words[layout.SETPOINT_LIMIT_REASON] = REASONS[setPoint.limitReason];
  words[layout.SETPOINT_ASK_INTERVAL_HOPS] = setPoint.askIntervalHops;
  words.set(setPoint.thresholds.slice(0, layout.LIMIT_EXITS), layout.SETPOINT_THRESHOLDS);
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of words.entries()) view.setInt32(i * 4, word, true);
  return bytes;
}
