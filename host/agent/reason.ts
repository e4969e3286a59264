import type { Decision } from "../core/session-types.ts";
import type { LinkState } from "../mqtt/types.ts";

/** Why a decision is as it is, in one sentence without a full stop. */
export function reasonText(
  decision: Decision,
  nExits: number,
  link: LinkState | undefined,
  doubt: { readonly isHeld: boolean; readonly isAsked: boolean },
): string {
  const exit = `exit ${decision.exit + 1} of ${nExits}`;
  const rebuilt = decision.rebuilds > 0 ? `, after rebuilding ${decision.rebuilds} segment${decision.rebuilds > 1 ? "s" : ""}` : "";
  switch (decision.why) {
    case "exit":
      return `sure enough at ${exit}${rebuilt}`;
    case "ask":
      return link === "online"
        ? "unsure at every exit: asked the cloud"
        : `unsure at every exit: the ask waits, the link is ${link ?? "down"}`;
    case "deferred":
      if (doubt.isHeld) return "unsure at every exit: the cloud's word holds";
      if (doubt.isAsked) return "unsure at every exit: the answer is on its way";
      return link === undefined ? "unsure at every exit, and nobody to ask" : "unsure at every exit, asked not long ago";
    case "budget":
      return `unsure at ${exit}: the energy budget allows no deeper`;
    case "thermal":
      return `unsure at ${exit}: the skin temperature allows no deeper`;
  }
}
