import type { SetPoint } from "../../core/session/session-types.ts";

/**
 * The set-point that a session gets: the loop's own; what an operator ordered in its place; and a governor's on top, which may only
 * hold back further. Heat and battery are the node's, whatever was ordered; and an ask is allowed only where all three allow it.
 */
export function orderedSetPoint(own: SetPoint, order: Partial<SetPoint>, limit: Partial<SetPoint> = {}): SetPoint {
  const wanted = { ...own, ...order };
  const maxExit = Math.min(wanted.maxExit, limit.maxExit ?? wanted.maxExit);
  const isHeldBack = limit.maxExit !== undefined && limit.maxExit <= wanted.maxExit;
  return {
    maxExit,
    hopPatches: Math.max(wanted.hopPatches, limit.hopPatches ?? 0),
    askAllowed: own.askAllowed && order.askAllowed !== false && limit.askAllowed !== false,
    limitReason: isHeldBack ? (limit.limitReason ?? wanted.limitReason) : wanted.limitReason,
    askIntervalHops: Math.max(wanted.askIntervalHops, limit.askIntervalHops ?? 0),
    thresholds: own.thresholds.map((threshold, k) => Math.max(wanted.thresholds[k] ?? threshold, limit.thresholds?.[k] ?? 0)),
  };
}

/** Whether two set-points differ, so that the core needs the new one. */
export function isSameSetPoint(a: SetPoint, b: SetPoint): boolean {
  return (
    a.maxExit === b.maxExit &&
    a.hopPatches === b.hopPatches &&
    a.askAllowed === b.askAllowed &&
    a.limitReason === b.limitReason &&
    a.askIntervalHops === b.askIntervalHops &&
    a.thresholds.every((threshold, k) => threshold === b.thresholds[k])
  );
}
