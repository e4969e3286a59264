import type { IClientPublishOptions, MqttClient } from "mqtt";
import type { Clock } from "../../core/system/clock.ts";
import { contentType, MAX_PACKET_BYTES } from "../wire/payloads.ts";
import type { BrokerOffer } from "./broker-offer.ts";
import { publishBytes } from "./packet-size.ts";
import { PRIORITIES, type Priority, type PublishOptions, type PublishResult } from "./publish.ts";

/** QoS 1 messages under way at once, whatever more the broker would take. */
const MAX_IN_FLIGHT = 256;
/** Most messages of one priority that may wait for a place. One more is refused. */
const MAX_WAITING = 1024;
/** With messages under way and none acknowledged for so long, the other end is gone, whatever TCP believes. The default. */
export const ACK_TIMEOUT_MILLIS = 20_000;

/** MQTT 5 §3.4.2.1: the message was accepted, and there are no subscribers. */
const NO_MATCHING_SUBSCRIBERS = 0x10;

/** Sends on one connection, never more at once than the broker's Receive Maximum, the most urgent first. */
export interface SendWindow {
  publish(topic: string, payload: Uint8Array, options: PublishOptions): Promise<PublishResult>;
  /** Resolves when nothing is under way or waiting. */
  flushed(): Promise<void>;
  /** The connection is gone: everything unacknowledged fails, now and later. */
  fail(reason: string): void;
}

export interface SendWindowOptions {
  readonly client: MqttClient;
  readonly offer: BrokerOffer;
  readonly clock: Clock;
  readonly ackTimeoutMillis: number;
  readonly onStalled: () => void;
}

/** A window on no connection. */
export const shutWindow: SendWindow = {
  publish: () => Promise.resolve({ ok: false, reason: "offline" }),
  flushed: () => Promise.resolve(),
  fail: () => {},
};

interface Waiting {
  readonly send: () => void;
  readonly settle: (result: PublishResult) => void;
}

export function createSendWindow({ client, offer, clock, ackTimeoutMillis, onStalled }: SendWindowOptions): SendWindow {
  const limit = Math.min(MAX_IN_FLIGHT, offer.receiveMaximum);
  const maxBytes = Math.min(offer.maximumPacketBytes, MAX_PACKET_BYTES);
  const inFlight = new Set<(result: PublishResult) => void>();
  const waiting = new Map<Priority, Waiting[]>(PRIORITIES.map((priority) => [priority, []]));
  const whenEmpty = new Set<() => void>();
  const unreceived = new Set<number>(); // packet ids that were acknowledged so; mqtt.js does not pass the reason code on
  let shut: string | undefined;
  let cancelWatch = () => {};

  client.on("packetreceive", (packet) => {
    if (packet.cmd === "puback" && packet.reasonCode === NO_MATCHING_SUBSCRIBERS && packet.messageId) unreceived.add(packet.messageId);
  });

  const next = () => {
    for (const queue of waiting.values()) {
      while (shut === undefined && inFlight.size < limit && queue.length > 0) queue.shift()!.send();
    }
  };
  const watch = () => {
    cancelWatch();
    cancelWatch = inFlight.size > 0 && shut === undefined ? clock.after(ackTimeoutMillis, onStalled) : () => {};
  };

  return {
    publish(topic, payload, options) {
      if (shut !== undefined) return Promise.resolve({ ok: false, reason: shut });
      const packetBytes = publishBytes(topic, payload.length, { ...options, qos: qosOf(options, offer) }, offer);
      if (packetBytes > maxBytes) {
        const reason = `a packet of ${packetBytes} B is above the broker's limit of ${maxBytes} B`;
        return Promise.resolve({ ok: false, reason, isTooLarge: true });
      }
      const queue = waiting.get(options.priority ?? "ask")!;
      if (queue.length >= MAX_WAITING) return Promise.resolve({ ok: false, reason: `${MAX_WAITING} messages are waiting already` });
      return new Promise((resolve) => {
        const settle = (result: PublishResult) => {
          inFlight.delete(settle);
          resolve(result);
          next();
          watch();
          if (inFlight.size === 0) for (const empty of whenEmpty) empty();
        };
        const send = () => {
          inFlight.add(settle);
          if (inFlight.size === 1) watch();
          try {
            client.publish(
              topic,
              Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
              packetOptions(options, offer, payload),
              (error, packet) => {
                const hasNoReceiver = unreceived.delete(packet?.messageId ?? 0);
                settle(error ? { ok: false, reason: error.message } : { ok: true, ...(hasNoReceiver && { hasNoReceiver }) });
              },
            );
          } catch (error) {
            settle({ ok: false, reason: error instanceof Error ? error.message : String(error) });
          }
        };
        queue.push({ send, settle });
        next();
      });
    },
    flushed() {
      if (inFlight.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        const empty = () => {
          whenEmpty.delete(empty);
          resolve();
        };
        whenEmpty.add(empty);
      });
    },
    fail(reason) {
      shut ??= reason;
      cancelWatch();
      for (const settle of inFlight) settle({ ok: false, reason });
      for (const queue of waiting.values()) for (const { settle } of queue.splice(0)) settle({ ok: false, reason });
    },
  };
}

const qosOf = (options: PublishOptions, offer: BrokerOffer): 0 | 1 => (offer.maximumQos === 0 ? 0 : (options.qos ?? 1));

function packetOptions(options: PublishOptions, offer: BrokerOffer, payload: Uint8Array): IClientPublishOptions {
  const { correlationData, responseTopic, userProperties, messageExpirySeconds } = options;
  const properties: NonNullable<IClientPublishOptions["properties"]> = {
    contentType: options.contentType ?? contentType(payload),
  };
  if (correlationData) properties.correlationData = Buffer.from(correlationData);
  if (responseTopic !== undefined) properties.responseTopic = responseTopic;
  if (userProperties) properties.userProperties = { ...userProperties };
  if (messageExpirySeconds !== undefined) properties.messageExpiryInterval = messageExpirySeconds;
  return { qos: qosOf(options, offer), retain: (options.retain ?? false) && offer.canRetain, properties };
}
