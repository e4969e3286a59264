import { X509Certificate } from "node:crypto";
import type { BrokerOptions } from "./broker-url.ts";

const DAY_MILLIS = 86_400_000;
/** How long before its end a certificate is warned of. */
export const EXPIRY_WARNING_DAYS = 30;
/** A wall clock before this date is not set, so expiry cannot be checked. */
const PLAUSIBLE_WALL_MILLIS = Date.UTC(2023, 0, 1);

/** The end of a certificate's validity. */
export interface CertificateExpiry {
  readonly what: "client certificate" | "authority's certificate";
  readonly daysLeft: number; // whole days; negative: expired
  readonly notAfter: string; // YYYY-MM-DD
}

/** When the certificates of `broker` end, the first to end first. What is no certificate is left to TLS to refuse. */
export function certificateExpiries({ cert, ca }: Pick<BrokerOptions, "cert" | "ca">, wallMillis: number): CertificateExpiry[] {
  const ends: CertificateExpiry[] = [];
  for (const [what, pem] of [["client certificate", cert] as const, ["authority's certificate", ca] as const]) {
    for (const [block] of (pem ?? "").matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)) {
      const end = endOf(block);
      if (end === undefined) continue;
      const notAfter = new Date(end).toISOString().slice(0, 10);
      ends.push({ what, daysLeft: Math.floor((end - wallMillis) / DAY_MILLIS), notAfter });
    }
  }
  return ends.sort((a, b) => a.daysLeft - b.daysLeft);
}

/** One sentence per certificate that has ended, or ends within EXPIRY_WARNING_DAYS; none while the clock is not set. */
export function expiryWarnings(broker: Pick<BrokerOptions, "cert" | "ca">, wallMillis: number): string[] {
  if (wallMillis < PLAUSIBLE_WALL_MILLIS) return [];
  const soon = certificateExpiries(broker, wallMillis).filter(({ daysLeft }) => daysLeft < EXPIRY_WARNING_DAYS);
  return soon.map(({ what, daysLeft, notAfter }) => {
    const when = daysLeft < 0 ? `expired on ${notAfter}` : `expires in ${daysLeft} days, on ${notAfter}`;
    return `the ${what} ${when}. Make new ones with dormouse provision and replace the files: they are used at the next connection.`;
  });
}

function endOf(pem: string): number | undefined {
  try {
    const end = Date.parse(new X509Certificate(pem).validTo);
    return Number.isFinite(end) ? end : undefined;
  } catch {
    return undefined;
  }
}
