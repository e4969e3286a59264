import { isIP } from "node:net";
import { MqttError } from "../../core/system/errors.ts";
import { hasAtBehindHost, splitUrl, urlText } from "../../core/system/secrets.ts";

/** A broker and how to be known there. Secrets are never logged. */
export interface BrokerOptions {
  /**
   * mqtts://, ssl:// or wss://; mqtt://, tcp:// or ws:// to this machine alone. Beyond it, plain text has to be meant:
   * mqtt+insecure:// or ws+insecure://.
   */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM. `ca` is pinned: it alone is trusted, the system's authorities are not. `cert` and `key` are the client's own. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name in the broker's certificate, where it is not the URL's host. */
  readonly serverName?: string;
  /** Reads certificates and password anew before each connection, so that rotated files are used; what it throws leaves the last ones in use. */
  readonly renew?: () => Pick<BrokerOptions, "ca" | "cert" | "key" | "username" | "password">;
}

/** The options of mqtt.js that say where the broker is. */
export interface BrokerAddress {
  readonly protocol: "mqtt" | "mqtts" | "ws" | "wss";
  readonly hostname: string;
  readonly port: number;
  readonly path?: string;
  readonly username?: string;
  readonly password?: string;
}

const schemes: Readonly<Record<string, readonly [BrokerAddress["protocol"], port: number, isAnywhere: boolean]>> = {
  "mqtt:": ["mqtt", 1883, false],
  "tcp:": ["mqtt", 1883, false],
  "mqtt+insecure:": ["mqtt", 1883, true],
  "mqtts:": ["mqtts", 8883, true],
  "ssl:": ["mqtts", 8883, true],
  "ws:": ["ws", 80, false],
  "ws+insecure:": ["ws", 80, true],
  "wss:": ["wss", 443, true],
};

/** Parses a broker's URL. Throws MqttError if it can never work, or if it would send credentials in plain text without consent. */
export function parseBrokerUrl(broker: BrokerOptions): BrokerAddress {
  const url = URL.canParse(broker.url) ? new URL(broker.url) : undefined;
  const scheme = url && schemes[url.protocol];
  if (!url || !scheme || url.hostname === "" || hasAtBehindHost(url)) {
    throw new MqttError(
      "BROKER_URL_INVALID",
      `${urlText(broker.url)} is not a broker's URL. Write it like mqtt://127.0.0.1:1883 (or mqtts, ws, wss), with every sign of a password that is no letter or digit percent-encoded.`,
    );
  }
  const [protocol, port, isAnywhere] = scheme;
  const hostname = url.hostname.replace(/^\[|\]$/g, ""); // IPv6 literals
  if (!isAnywhere && !isLoopback(hostname)) {
    throw new MqttError(
      "BROKER_PLAIN_TEXT",
      `${urlText(broker.url)} would carry everything in plain text beyond this machine. Use ${protocol}s://, or say so where it may be read: --insecure, or ${protocol}+insecure://.`,
    );
  }
  checkTls(broker, protocol === "mqtts" || protocol === "wss");
  const inUrl = splitUrl(broker.url);
  if (inUrl === undefined)
    throw new MqttError(
      "BROKER_URL_INVALID",
      "the user or password in the broker's URL holds a % that encodes nothing. Write a plain one as %25.",
    );
  const { username = inUrl.username, password = inUrl.password } = broker;
  return {
    protocol,
    hostname,
    port: url.port === "" ? port : Number(url.port),
    ...(protocol.startsWith("ws") ? { path: `${url.pathname || "/"}${url.search}` } : {}),
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
  };
}

/** Whether a host can only be this machine. */
export function isLoopback(hostname: string): boolean {
  if (isIP(hostname) === 4) return hostname.startsWith("127.");
  return hostname === "::1" || hostname === "localhost" || hostname.endsWith(".localhost");
}

function checkTls({ ca, cert, key }: BrokerOptions, isEncrypted: boolean): void {
  if ((cert === undefined) !== (key === undefined))
    throw new MqttError(
      "BROKER_TLS_INCOMPLETE",
      `a client certificate needs its key; ${cert === undefined ? "the certificate" : "the key"} is missing. Give both or neither.`,
    );
  if (!isEncrypted && (ca ?? cert) !== undefined)
    throw new MqttError("BROKER_TLS_UNUSED", "certificates were given for a broker URL without TLS. Write mqtts:// or wss://.");
}
