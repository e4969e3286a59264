import type { IClientPublishOptions, MqttClient } from "mqtt";
import type { BrokerOffer } from "./connection.ts";
import { CONTENT_TYPE, MAX_PACKET_BYTES } from "./payloads.ts";

/** QoS 1 messages under way at once, whatever more the broker would take. */
const MAX_IN_FLIGHT = 256;
/** Messages that wait for a place; one more is told so. */
const MAX_WAITING = 1024;
/** Fixed header, packet id and properties other than the two topics: a ceiling. */
const PACKET_OVERHEAD_BYTES = 128;

export interface PublishOptions {
  readonly qos?: 0 | 1; // default 1
  readonly retain?: boolean;
  readonly correlationData?: Uint8Array;
  readonly responseTopic?: string;
  readonly messageExpirySeconds?: number;
}

/** What became of a message: acknowledged by the broker (which is not an answer), or why not. */
export type PublishResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Sends on one connection, never more at once than the broker's Receive Maximum. */
export interface SendWindow {
  publish(topic: string, payload: Uint8Array, options: PublishOptions): Promise<PublishResult>;
  /** Resolves when nothing is under way or waiting. */
  flushed(): Promise<void>;
  /** The connection is gone: everything unacknowledged fails, now and later. */
  fail(reason: string): void;
}

/** Without a client: a window that is shut. */
export function createSendWindow(client?: MqttClient, offer?: BrokerOffer): SendWindow {
  const limit = Math.min(MAX_IN_FLIGHT, offer?.receiveMaximum ?? 1);
  const inFlight = new Set<(result: PublishResult) => void>();
  const waiting: { readonly send: () => void; readonly settle: (result: PublishResult) => void }[] = [];
  const whenEmpty = new Set<() => void>();
  let shut = client === undefined ? "offline" : undefined;

  const next = () => {
    while (shut === undefined && inFlight.size < limit && waiting.length > 0) waiting.shift()!.send();
  };

  return {
    publish(topic, payload, options) {
      if (shut !== undefined || !client) return Promise.resolve({ ok: false, reason: shut ?? "offline" });
      const packetBytes = payload.length + 3 * (topic.length + (options.responseTopic?.length ?? 0)) + PACKET_OVERHEAD_BYTES; // UTF-8: at most 3 B a unit
      if (packetBytes > Math.min(offer?.maximumPacketBytes ?? MAX_PACKET_BYTES, MAX_PACKET_BYTES)) {
        return Promise.resolve({ ok: false, reason: `${payload.length} B is above the broker's limit` });
      }
      if (waiting.length >= MAX_WAITING) return Promise.resolve({ ok: false, reason: `${MAX_WAITING} messages are waiting already` });
      return new Promise((resolve) => {
        const settle = (result: PublishResult) => {
          inFlight.delete(settle);
          resolve(result);
          next();
          if (inFlight.size === 0) for (const empty of whenEmpty) empty();
        };
        const send = () => {
          inFlight.add(settle);
          try {
            client.publish(topic, Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength), packetOptions(options), (error) =>
              settle(error ? { ok: false, reason: error.message } : { ok: true }),
            );
          } catch (error) {
            settle({ ok: false, reason: error instanceof Error ? error.message : String(error) });
          }
        };
        waiting.push({ send, settle });
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
      for (const settle of inFlight) settle({ ok: false, reason });
      for (const { settle } of waiting.splice(0)) settle({ ok: false, reason });
    },
  };
}

function packetOptions(options: PublishOptions): IClientPublishOptions {
  return {
    qos: options.qos ?? 1,
    retain: options.retain ?? false,
    properties: {
      contentType: CONTENT_TYPE,
      ...(options.correlationData && { correlationData: Buffer.from(options.correlationData) }),
      ...(options.responseTopic !== undefined && { responseTopic: options.responseTopic }),
      ...(options.messageExpirySeconds !== undefined && { messageExpiryInterval: options.messageExpirySeconds }),
    },
  };
}
