import { ConfigError } from "../core/system/errors.ts";
import type { ListenAddress } from "../core/system/listen-address.ts";
import { createAuthority, issueLeaf } from "../security/certificates.ts";
import { readPhoneFiles } from "./page-files.ts";
import type { PhoneSample, PhoneState } from "./phone-messages.ts";
import { startWebServer, type WebServer } from "./web-server.ts";

/** Samples of one message; a page sends 200 at most. */
const MOST_SAMPLES = 512;
const CERTIFICATE_DAYS = 2;

/** What a phone's page can do. */
export interface PhoneListener {
  /** Samples, in the phone's order. */
  onSamples(samples: readonly PhoneSample[]): void;
  onKey(key: string): void;
  state(): PhoneState;
}

/**
 * Serves the page that a phone opens, over https with a certificate made for this address: browsers give motion to secure pages alone.
 * The address has a token that opens the page once. Throws HTTP_LISTEN_FAILED.
 */
export async function startPhoneServer(address: ListenAddress, wallMillis: number, listener: PhoneListener): Promise<WebServer> {
  const { host } = address;
  const authority = await createAuthority("dormouse capture", "dormouse", wallMillis);
  const leaf = await issueLeaf(
    authority,
    { commonName: host.slice(0, 64), organisation: "dormouse", days: CERTIFICATE_DAYS, hosts: [host] },
    wallMillis,
  );
  return startWebServer({
    address,
    files: readPhoneFiles(),
    once: { certificate: `${leaf.certificate}${authority.certificate}`, privateKey: leaf.privateKey },
    mostBodyBytes: 128 * MOST_SAMPLES,
    acts: {
      samples({ samples }) {
        listener.onSamples(readSamples(samples));
        return listener.state();
      },
      key({ key }) {
        if (typeof key !== "string" || [...key].length !== 1) throw new ConfigError("ACT_INVALID", "key must be one character.");
        listener.onKey(key);
        return listener.state();
      },
    },
  });
}

/** Checks samples from outside: numbers, and no more than a message has. Throws ACT_INVALID. */
function readSamples(value: unknown): readonly PhoneSample[] {
  const isSample = (one: unknown): one is PhoneSample =>
    Array.isArray(one) && one.length === 7 && one.every((part) => Number.isFinite(part));
  if (Array.isArray(value) && value.length <= MOST_SAMPLES && value.every(isSample)) return value;
  throw new ConfigError("ACT_INVALID", `samples must be at most ${MOST_SAMPLES} lists of a time and six numbers.`);
}
