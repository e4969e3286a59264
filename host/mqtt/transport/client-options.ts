import type { IClientOptions } from "mqtt";
import { contentType, MAX_PACKET_BYTES } from "../wire/payloads.ts";
import type { BrokerAddress, BrokerOptions } from "./broker-url.ts";
import type { ConnectionOptions } from "./connection-options.ts";

/** Topics that a broker may shorten to a number towards us. */
const TOPIC_ALIASES_IN = 16;
/** mqtt.js has a limit of its own; ours is the clock's and comes first. */
const BACKSTOP_MILLIS = 5000;

/** What mqtt.js needs to open one connection over TCP, TLS or WebSocket; reconnection is not its business. */
export function clientOptions(
  options: ConnectionOptions,
  broker: BrokerOptions,
  address: BrokerAddress,
  timeoutMillis: number,
): IClientOptions {
  const will = options.will?.();
  return {
    ...address,
    ...tlsOptions(broker, address),
    ...(address.protocol === "ws" || address.protocol === "wss" ? { wsOptions: webSocketOptions(broker, address, timeoutMillis) } : {}),
    protocolVersion: 5,
    clientId: options.clientId,
    clean: options.cleanStart,
    keepalive: options.keepAliveSeconds,
    connectTimeout: timeoutMillis + BACKSTOP_MILLIS,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    autoAssignTopicAlias: options.hasTopicAliases ?? true, // as many as the CONNACK offers, least recently used out first
    log: () => {}, // its own formats and drops some forty lines per message
    properties: {
      sessionExpiryInterval: options.sessionExpirySeconds,
      receiveMaximum: options.receiveMaximum,
      maximumPacketSize: MAX_PACKET_BYTES,
      topicAliasMaximum: TOPIC_ALIASES_IN,
    },
    ...(will && {
      will: {
        topic: will.topic,
        payload: Buffer.from(will.payload),
        qos: 1,
        retain: true,
        properties: { willDelayInterval: will.delaySeconds, contentType: will.contentType ?? contentType(will.payload) },
      },
    }),
  };
}

/** The broker's certificate is always checked: by the pinned authority alone where one is given. */
function tlsOptions({ ca, cert, key, serverName }: BrokerOptions, { protocol }: BrokerAddress): IClientOptions {
  if (protocol !== "mqtts" && protocol !== "wss") return {};
  return {
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

/** `ws` gets TLS options of its own; what it hands up is bounded, and small packets are not worth deflating. */
function webSocketOptions(broker: BrokerOptions, address: BrokerAddress, timeoutMillis: number): NonNullable<IClientOptions["wsOptions"]> {
  return {
    ...(tlsOptions(broker, address) as object),
    handshakeTimeout: timeoutMillis,
    perMessageDeflate: false,
    maxPayload: 2 * MAX_PACKET_BYTES,
  };
}
