import { type RandomBytes, systemRandom } from "./backoff.ts";

/** Options of a connection under a name of its own, of which the broker keeps nothing once it ends. */
export function withoutSession(role: string, random: RandomBytes = systemRandom) {
  return {
    clientId: `${role}-${Buffer.from(random(8)).toString("hex")}`,
    random,
    backoff: { firstMillis: 500, maxMillis: 5000 },
    keepAliveSeconds: 60,
    cleanStart: true,
    sessionExpirySeconds: 0,
  };
}
