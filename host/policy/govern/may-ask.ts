import type { LinkState } from "../../mqtt/wire/ask.ts";

/** Why an ask would go: the model is unsure, an alarm is suspected, or an audit sees whether the certificate still holds. */
export type AskPurpose = "unsure" | "suspicion" | "audit";

/** What decides whether an ask may go now. */
export interface AskState {
  readonly link: LinkState | undefined; // undefined: there is no cloud
  readonly isOrderedOff: boolean; // by the operator
  readonly isOpen: boolean; // an ask about this unsure episode is pending, or its answer holds
  readonly leastBytes: number; // of the smallest content that the agent declares
  readonly allowedBytes: number; // that privacy lets go now
}

/**
 * The one answer to "may I ask now?". What it allows, a governor may still hold back because of energy, heat or price; the core then
 * asks when it is unsure. An ask may wait offline for its answer.
 */
export function mayAsk(purpose: AskPurpose, state: AskState): boolean {
  if (state.link === undefined || state.isOrderedOff || state.leastBytes > state.allowedBytes) return false;
  return purpose !== "unsure" || !state.isOpen;
}
