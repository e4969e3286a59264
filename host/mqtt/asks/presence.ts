import { encodePayload, type Payload, type PayloadFormat, SCHEMA_VERSION } from "../wire/payloads.ts";

/** Added to the longest sleep before the broker publishes the will: a late wake-up is not an absence. */
export const WILL_GRACE_SECONDS = 60;
/** Sessions outlive the will, so that answers still wait for a node that was merely late. */
export const SESSION_GRACE_SECONDS = 3600;

/** What four bytes hold, but for the value that means for ever. */
const MAX_SESSION_SECONDS = 0xffff_fffe;

/** What a node publishes about itself on `state`, retained, and with its telemetry. What is unknown is left out. */
export type Presence = Omit<Payload<"state">, "v" | "kind" | "node" | "wallMillis" | "state" | "untilWallMillis">;

/** Will delay and session expiry for a node that sleeps at most `longestSleepSeconds`. */
export function presenceSeconds(longestSleepSeconds: number): { readonly willDelay: number; readonly sessionExpiry: number } {
  const willDelay = Math.ceil(longestSleepSeconds) + WILL_GRACE_SECONDS;
  return { willDelay, sessionExpiry: Math.min(MAX_SESSION_SECONDS, willDelay + SESSION_GRACE_SECONDS) };
}

/** The payload of `state`; `untilWallMillis` only when asleep. */
export function statePayload(
  node: string,
  wallMillis: number,
  state: "awake" | "asleep" | "offline",
  presence: Presence = {},
  untilWallMillis?: number,
  format: PayloadFormat = "cbor",
): Uint8Array {
  const until = untilWallMillis === undefined ? {} : { untilWallMillis };
  return encodePayload({ v: SCHEMA_VERSION, kind: "state", node, wallMillis, state, ...until, ...presence }, format);
}
