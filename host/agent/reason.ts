import type { Decision } from "../core/session/session-types.ts";
import type { LinkState } from "../mqtt/wire/ask.ts";
import { sensorFaultNames, sensorFaultText } from "./sensor-fault.ts";
import type { LabelSource } from "./shown-label.ts";

/**
 * Why a decision is as it is, in one sentence without a full stop. `isSent`: an ask about it was taken. `suspicion`: where the oldest open
 * one stands; undefined: the agent declares none.
 */
export function reasonText(
  decision: Decision,
  nExits: number,
  link: LinkState | undefined,
  doubt: { readonly held: LabelSource | undefined; readonly isAsked: boolean },
  isSent = decision.why === "ask",
  suspicion?: "waiting" | "asked" | "none",
): string {
  const exit = `exit ${decision.exit + 1} of ${nExits}`;
  const rebuilt = decision.rebuilds > 0 ? `, after rebuilding ${decision.rebuilds} segment${decision.rebuilds > 1 ? "s" : ""}` : "";
  const unsure = decision.exit + 1 < nExits ? `unsure at ${exit} (no deeper allowed)` : "unsure at every exit";
  const { sensorFaults } = decision;
  if (sensorFaults !== undefined) return `withheld: ${sensorFaultText(sensorFaultNames(sensorFaults))}`;
  switch (decision.why) {
    case "exit":
      return `sure enough at ${exit}${rebuilt}`;
    case "ask":
      if (!isSent) return `${unsure}, and nothing could be asked`;
      return link === "online" ? `${unsure}: asked the cloud` : `${unsure}: the ask waits, the link is ${link ?? "down"}`;
    case "deferred":
      if (suspicion === "waiting") return `${unsure}: suspected, and asked when what follows has been seen`;
      if (suspicion === "asked") return `${unsure}: suspected, the cloud's verdict is on its way`;
      if (suspicion === "none") return `${unsure}, and not suspicious`;
      if (doubt.held === "cloud") return `${unsure}: the cloud's word holds`;
      if (doubt.held === "local") return `${unsure}: its own word holds, the cloud was less sure`;
      if (doubt.isAsked) return `${unsure}: the answer is on its way`;
      return link === undefined ? `${unsure}, and nobody to ask` : `${unsure}, asked not long ago`;
    case "budget":
      return `unsure at ${exit}: the energy budget allows no deeper`;
    case "thermal":
      return `unsure at ${exit}: the skin temperature allows no deeper`;
  }
}
