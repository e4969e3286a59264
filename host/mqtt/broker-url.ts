import { MqttError } from "../core/errors.ts";

/** A broker and how to be known there. Secrets are never logged. */
export interface BrokerOptions {
  /** mqtt:// or tcp://, mqtts:// or ssl://, ws://, wss://. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM: the authority to trust instead of the system's, and the client's own certificate and key. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
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

const schemes: Readonly<Record<string, readonly [BrokerAddress["protocol"], port: number]>> = {
  "mqtt:": ["mqtt", 1883],
  "tcp:": ["mqtt", 1883],
  "mqtts:": ["mqtts", 8883],
  "ssl:": ["mqtts", 8883],
  "ws:": ["ws", 80],
  "wss:": ["wss", 443],
};

/** Reads a broker's URL; throws MqttError for one that can never work. */
export function parseBrokerUrl(broker: BrokerOptions): BrokerAddress {
  const url = URL.canParse(broker.url) ? new URL(broker.url) : undefined;
  const scheme = url && schemes[url.protocol];
  if (!url || !scheme || url.hostname === "") {
    throw new MqttError(
      "BROKER_URL_INVALID",
      `${JSON.stringify(withoutSecrets(broker.url))} is not a broker's URL. Write it like mqtt://127.0.0.1:1883 (or mqtts, ws, wss).`,
    );
  }
  const username = broker.username ?? decodeURIComponent(url.username);
  const password = broker.password ?? decodeURIComponent(url.password);
  return {
    protocol: scheme[0],
    hostname: url.hostname.replace(/^\[|\]$/g, ""), // IPv6 literals
    port: url.port === "" ? scheme[1] : Number(url.port),
    ...(scheme[0].startsWith("ws") ? { path: url.pathname || "/" } : {}),
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
  };
}

function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^@/]*@/, "//…@").slice(0, 200);
}
