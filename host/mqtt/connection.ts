import type { Socket } from "node:net";
import mqtt, { type IClientOptions, type IConnackPacket, type IPublishPacket, type MqttClient } from "mqtt";
import type { Clock } from "../core/clock.ts";
import { type Backoff, backoffMillis, type RandomBytes } from "./backoff.ts";
import { type BrokerOptions, parseBrokerUrl } from "./broker-url.ts";
import { MAX_PACKET_BYTES } from "./payloads.ts";
import { createSendWindow, type PublishOptions, type PublishResult } from "./send-window.ts";
import type { LinkState } from "./types.ts";

/** How long CONNACK and SUBACK may take, and a polite DISCONNECT: real time, since it is the transport's. */
const CONNECT_TIMEOUT_MILLIS = 10_000;
const CLOSE_TIMEOUT_MILLIS = 1000;
/** A connection that lasted this long was a good one: the next loss starts the back-off anew. */
const STABLE_MILLIS = 10_000;

export interface ConnectionOptions {
  readonly broker: BrokerOptions;
  readonly clientId: string;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly backoff: Backoff;
  readonly keepAliveSeconds: number;
  readonly cleanStart: boolean;
  readonly sessionExpirySeconds: number;
  /** QoS 1 messages that the broker may have under way to us. */
  readonly receiveMaximum: number;
  readonly will?: () => { readonly topic: string; readonly payload: Uint8Array; readonly delaySeconds: number };
  /** Subscribed, at QoS 1, before the link counts as online. Told what the broker offers. */
  readonly filters: (offer: BrokerOffer) => readonly string[];
  readonly onMessage: (message: IncomingMessage) => void;
  readonly onState: (state: LinkState, detail?: string) => void;
}

/** What a CONNACK says, as far as we act on it. */
export interface BrokerOffer {
  readonly sessionPresent: boolean;
  readonly hasSharedSubscriptions: boolean; // absent means available [MQTT-3.2.2.3.13]
  readonly receiveMaximum: number;
  readonly maximumPacketBytes: number;
}

export interface IncomingMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
  readonly correlationData?: Uint8Array;
  readonly responseTopic?: string;
  readonly contentType?: string;
  readonly messageExpirySeconds?: number;
}

/** How to leave: 0x04 lets the broker publish the will after its delay, 0x00 drops it. */
export interface CloseOptions {
  /** Published, retained, before the DISCONNECT. */
  readonly farewell?: { readonly topic: string; readonly payload: Uint8Array };
  readonly keepWill?: boolean;
  readonly sessionExpirySeconds?: number;
}

/** One MQTT 5 connection that comes back by itself. A network failure is a state and a value, never an exception. */
export interface Connection {
  readonly state: LinkState;
  /** Starts connecting, and keeps trying until closed. */
  open(): void;
  publish(topic: string, payload: Uint8Array, options?: PublishOptions): Promise<PublishResult>;
  /** Waits, a bounded time, until the broker has acknowledged what was published. */
  flush(): Promise<void>;
  /** Disconnects and stops trying; may be opened again. */
  close(options?: CloseOptions): Promise<void>;
}

/**
 * A wrapper of mqtt.js that owns reconnection: each attempt is a fresh client, so no packet of a lost connection
 * lingers in a store that nobody bounds; what must survive lies in the outbox and is sent again.
 */
export function createConnection(options: ConnectionOptions): Connection {
  const { clock } = options;
  const address = parseBrokerUrl(options.broker);
  let state: LinkState = "offline";
  let wanted = false;
  let attempt = 0;
  let client: MqttClient | undefined;
  let cancelRetry = () => {};
  let window = createSendWindow();

  const setState = (next: LinkState, detail?: string) => {
    state = next;
    options.onState(next, detail);
  };

  function connect(): void {
    setState("connecting");
    if (!wanted) return; // closed by the listener
    let why = "connection closed by the broker";
    let onlineSince: number | undefined;
    let me: MqttClient;
    const lost = () => {
      if (client !== me) return;
      client = undefined;
      window.fail("connection lost");
      discard(me);
      if (onlineSince !== undefined && clock.now() - onlineSince >= STABLE_MILLIS) attempt = 0;
      if (wanted) retry(why);
    };
    try {
      me = mqtt.connect(clientOptions());
    } catch (error) {
      retry(messageOf(error));
      return;
    }
    client = me;
    (me.stream as Partial<Socket>).setNoDelay?.(true); // small packets both ways: Nagle and delayed ACK would add 40 ms each
    me.on("error", (error) => {
      why = messageOf(error);
    });
    me.on("disconnect", (packet) => {
      why = `broker disconnected with reason code 0x${(packet.reasonCode ?? 0).toString(16)}`;
    });
    me.on("close", lost);
    me.on("message", (topic, payload, packet) => client === me && options.onMessage(incoming(topic, payload, packet)));
    me.on("connect", (connack) => {
      const offer = offerOf(connack);
      const late = setTimeout(() => {
        why = "the broker did not acknowledge the subscription";
        me.stream.destroy();
      }, CONNECT_TIMEOUT_MILLIS);
      me.subscribe([...options.filters(offer)], { qos: 1 }, (error) => {
        clearTimeout(late);
        if (client !== me) return;
        if (error) {
          why = `subscription refused: ${error.message}`;
          me.stream.destroy();
          return;
        }
        onlineSince = clock.now();
        window = createSendWindow(me, offer);
        setState("online", offer.sessionPresent ? "session resumed" : "new session");
      });
      me.once("close", () => clearTimeout(late));
    });
  }

  function retry(why: string): void {
    const waitMillis = backoffMillis(options.backoff, attempt++, options.random);
    cancelRetry = clock.after(waitMillis, () => wanted && connect());
    setState("offline", `${why}; next try in ${Math.round(waitMillis)} ms`);
  }

  function clientOptions(): IClientOptions {
    const { ca, cert, key } = options.broker;
    const will = options.will?.();
    return {
      ...address,
      ...(ca ? { ca } : {}),
      ...(cert && key ? { cert, key } : {}),
      protocolVersion: 5,
      clientId: options.clientId,
      clean: options.cleanStart,
      keepalive: options.keepAliveSeconds,
      connectTimeout: CONNECT_TIMEOUT_MILLIS,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      properties: {
        sessionExpiryInterval: options.sessionExpirySeconds,
        receiveMaximum: options.receiveMaximum,
        maximumPacketSize: MAX_PACKET_BYTES,
      },
      ...(will && {
        will: {
          topic: will.topic,
          payload: Buffer.from(will.payload),
          qos: 1,
          retain: true,
          properties: { willDelayInterval: will.delaySeconds, contentType: "application/cbor" },
        },
      }),
    };
  }

  return {
    get state() {
      return state;
    },
    open() {
      if (wanted) return;
      wanted = true;
      attempt = 0;
      connect();
    },
    publish: (topic, payload, publishOptions = {}) => window.publish(topic, payload, publishOptions),
    flush: () => atMost(CLOSE_TIMEOUT_MILLIS, window.flushed()),
    async close(closeOptions = {}) {
      if (!wanted) return;
      wanted = false;
      cancelRetry();
      const leaving = client;
      if (leaving && state === "online") {
        const { farewell } = closeOptions;
        if (farewell) await atMost(CLOSE_TIMEOUT_MILLIS, window.publish(farewell.topic, farewell.payload, { retain: true }));
        await atMost(CLOSE_TIMEOUT_MILLIS, disconnect(leaving, closeOptions));
      }
      client = undefined;
      window.fail("connection closed");
      if (leaving) discard(leaving);
      setState("offline", "closed");
    },
  };
}

function offerOf(connack: IConnackPacket): BrokerOffer {
  return {
    sessionPresent: connack.sessionPresent,
    hasSharedSubscriptions: connack.properties?.sharedSubscriptionAvailable !== false,
    receiveMaximum: connack.properties?.receiveMaximum ?? 65_535,
    maximumPacketBytes: connack.properties?.maximumPacketSize ?? Number.POSITIVE_INFINITY,
  };
}

function incoming(topic: string, payload: Uint8Array, packet: IPublishPacket): IncomingMessage {
  const properties = packet.properties ?? {};
  return {
    topic,
    payload,
    retain: packet.retain,
    ...(properties.correlationData && { correlationData: properties.correlationData }),
    ...(properties.responseTopic !== undefined && { responseTopic: properties.responseTopic.toString() }),
    ...(properties.contentType !== undefined && { contentType: properties.contentType.toString() }),
    ...(properties.messageExpiryInterval !== undefined && { messageExpirySeconds: properties.messageExpiryInterval }),
  };
}

function disconnect(client: MqttClient, options: CloseOptions): Promise<void> {
  const properties =
    options.sessionExpirySeconds === undefined ? {} : { properties: { sessionExpiryInterval: options.sessionExpirySeconds } };
  return new Promise((resolve) => {
    client.end(false, { reasonCode: options.keepWill ? 0x04 : 0x00, ...properties }, () => resolve());
  });
}

/** Waits for a promise, but not for ever. */
async function atMost(millis: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([promise, new Promise((resolve) => (timer = setTimeout(resolve, millis)))]);
  clearTimeout(timer);
}

/** Lets go of a client for good. Its error listener stays: a socket may still complain. */
function discard(client: MqttClient): void {
  if (!client.disconnecting && !client.disconnected) client.end(true);
  client.stream.destroy();
}

function messageOf(error: unknown): string {
  const { message = "", code = "", errors } = error as { message?: string; code?: string | number; errors?: readonly Error[] };
  return message || errors?.[0]?.message || String(code) || "unknown network error";
}
