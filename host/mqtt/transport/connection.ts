import type { Socket } from "node:net";
import mqtt, { type IPublishPacket, type MqttClient } from "mqtt";
import { textWithoutSecrets } from "../../core/system/secrets.ts";
import type { LinkState } from "../wire/ask.ts";
import { MAX_PACKET_BYTES } from "../wire/payloads.ts";
import { type BrokerOffer, isLastingRefusal, readOffer } from "./broker-offer.ts";
import { closedOnConnect, type Loss, readLoss, TELLING_CLOSURES, takenOver, toldIn } from "./broker-refusal.ts";
import { parseBrokerUrl } from "./broker-url.ts";
import { expiryWarnings } from "./certificate-expiry.ts";
import { clientOptions } from "./client-options.ts";
import type { ConnectionOptions, IncomingMessage } from "./connection-options.ts";
import { watchPacketLengths } from "./packet-size.ts";
import type { PublishOptions, PublishResult } from "./publish.ts";
import { createReconnect, STABLE_MILLIS } from "./reconnect.ts";
import { ACK_TIMEOUT_MILLIS, createSendWindow, shutWindow } from "./send-window.ts";

/** How long a polite DISCONNECT may take: real time, since it is the transport's. */
const CLOSE_TIMEOUT_MILLIS = 1000;
const DAY_MILLIS = 86_400_000;
const CLOSED_BY_BROKER = "connection closed by the broker";
/** DISCONNECT with reason code 0x95, Packet too large. */
const TOO_LARGE_PACKET = Buffer.of(0xe0, 2, 0x95, 0);

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
  /** Starts connecting, and keeps trying until closed: as often as back-off, breaker and radio budget allow. While it still leaves: once it has left. */
  open(): void;
  publish(topic: string, payload: Uint8Array, options?: PublishOptions): Promise<PublishResult>;
  /** Waits, a bounded time, until the broker has acknowledged what was published. */
  flush(): Promise<void>;
  /** Disconnects and stops trying; may be opened again. While a close is under way, later calls keep its options. */
  close(options?: CloseOptions): Promise<void>;
  /** Radio time of the last hour that brought nothing, how often the circuit breaker has opened, and how often another client took our name. */
  effort(): { readonly radioMillis: number; readonly breakerOpens: number; readonly takeovers: number };
}

/** What a test, a simulation or another transport may put in the place of createConnection. */
export type Connect = (options: ConnectionOptions) => Connection;

/**
 * A wrapper of mqtt.js that owns reconnection: each attempt is a fresh client, so no packet of a lost connection
 * stays in an unbounded store; what must survive is in the outbox and is sent again.
 */
export function createConnection(options: ConnectionOptions): Connection {
  const { clock, ackTimeoutMillis = ACK_TIMEOUT_MILLIS } = options;
  let broker = options.broker; // with the certificates that were read last
  parseBrokerUrl(broker); // one that can never work is refused at once
  const said = new Set<string>();
  let soonClosures = 0; // in a row, without a reason: online with our session, and closed soon after
  let connectClosures = 0; // in a row, without a CONNACK, before the first one ever
  let hadConnack = false; // ever
  let takeovers = 0;
  let cancelExpiryCheck = () => {};
  const reconnect = createReconnect({
    ...{ random: options.random, backoff: options.backoff, breaker: options.breaker, radioMillisAnHour: options.radioMillisAnHour },
    silenceMillis: Math.max(ackTimeoutMillis, 1500 * options.keepAliveSeconds),
  });
  let state: LinkState = "offline";
  let wanted = false;
  let client: MqttClient | undefined;
  let leaving: Promise<void> | undefined; // until the farewell is over: no client of another attempt exists meanwhile
  let cancelTimer = () => {}; // of the next try, or of the try under way
  let window = shutWindow;

  const setState = (next: LinkState, detail?: string, retryMillis?: number) => {
    state = next;
    options.onState(next, detail, retryMillis);
  };

  function connect(): void {
    setState("connecting");
    if (!wanted) return; // closed by the listener
    const renewalFlaw = renew();
    let why = CLOSED_BY_BROKER;
    let told: Loss | undefined;
    let isLasting = false;
    let onlineAt: number | undefined; // with the session of a connection before
    let heardAt = clock.now();
    let me: MqttClient;
    const giveUp = (because: string) => {
      why = because;
      me.stream.destroy();
    };
    const timeoutMillis = reconnect.begin(clock.now());
    try {
      me = mqtt.connect(clientOptions(options, broker, parseBrokerUrl(broker), timeoutMillis));
    } catch (error) {
      retry({ why: `${messageOf(error)}${renewalFlaw}`, isLasting: false }, heardAt);
      return;
    }
    client = me;
    cancelTimer = clock.after(timeoutMillis, () => giveUp(`the broker did not answer within ${Math.round(timeoutMillis)} ms`));
    const refuseHuge = (bytes: number) => {
      why = `the broker sent a packet of ${bytes} B, above the Maximum Packet Size of ${MAX_PACKET_BYTES} B`;
      me.stream.unpipe().pause(); // nothing more of it is collected
      const told = new Promise<void>((resolve) => me.stream.end(TOO_LARGE_PACKET, () => resolve()));
      void atMost(CLOSE_TIMEOUT_MILLIS, told).then(() => me.stream.destroy());
    };
    me.stream.on("data", watchPacketLengths(MAX_PACKET_BYTES, refuseHuge));
    (me.stream as Partial<Socket>).setNoDelay?.(true); // small packets both ways: Nagle and delayed ACK would add 40 ms each
    let subackText = "";
    me.on("packetreceive", (packet) => {
      heardAt = clock.now();
      if (packet.cmd === "connack") hadConnack = true;
      if (packet.cmd === "suback") subackText = toldIn(packet.properties);
      told ??= readLoss(packet, options.clientId);
    });
    me.on("error", (error) => {
      why = messageOf(error);
      isLasting = isLastingRefusal((error as { code?: unknown }).code);
    });
    me.on("close", () => {
      if (client !== me) return;
      client = undefined;
      cancelTimer();
      window.fail("connection lost");
      window = shutWindow;
      discard(me);
      if (why !== CLOSED_BY_BROKER || onlineAt === undefined) soonClosures = 0;
      const loss = told ?? (why === CLOSED_BY_BROKER ? silentLoss(onlineAt) : { why: `${why}${renewalFlaw}`, isLasting });
      if (wanted && !leaving) retry(loss, heardAt);
    });
    me.on("message", (topic, payload, packet) => client === me && options.onMessage(incoming(topic, payload, packet)));
    me.on("connect", (connack) => {
      const offer = readOffer(connack);
      const filters = [...options.filters(offer)];
      const subscribed = (error: Error | null) => {
        if (client !== me) return;
        if (error) return giveUp(`subscription refused: ${error.message}${subackText}`);
        cancelTimer();
        if (offer.sessionPresent) onlineAt = clock.now();
        reconnect.online(clock.now());
        const onStalled = () => giveUp(`the broker acknowledged nothing for ${ackTimeoutMillis} ms`);
        window = createSendWindow({ client: me, offer, clock, ackTimeoutMillis, onStalled });
        setState("online", sessionText(offer, options));
      };
      if (filters.length === 0) subscribed(null);
      else me.subscribe(filters, { qos: 1 }, subscribed);
    });
  }

  /** Reads rotated files anew; returns what to add to the reason of a connection that then fails. */
  function renew(): string {
    try {
      broker = { ...broker, ...options.broker.renew?.() };
      return "";
    } catch (error) {
      return ` (and the certificates could not be read anew: ${messageOf(error)})`;
    }
  }

  /**
   * Why a broker closes that gives no reason: as it looks after several times. One that restarts has forgotten our session, or cannot be
   * reached meanwhile; one that gives our name to another client keeps it.
   */
  function silentLoss(onlineAt: number | undefined): Loss {
    if (onlineAt !== undefined && clock.now() - onlineAt < STABLE_MILLIS && ++soonClosures >= TELLING_CLOSURES)
      return takenOver(options.clientId, `closed ${soonClosures} times soon after connecting`);
    if (!hadConnack && ++connectClosures >= TELLING_CLOSURES) return closedOnConnect();
    return { why: CLOSED_BY_BROKER, isLasting: false };
  }

  function retry({ why, isLasting, notice }: Loss, heardAt: number): void {
    if (notice?.code === "NAME_TAKEN") takeovers++;
    if (notice) sayOnce(notice.code, notice.message);
    tryIn(reconnect.lost(clock.now(), heardAt, isLasting), why);
  }

  function sayOnce(code: string, message: string): void {
    if (said.has(code)) return;
    said.add(code);
    options.onAnomaly?.(code, message);
  }

  /** Once per day, while the connection is wanted. */
  function checkExpiry(): void {
    for (const warning of expiryWarnings(broker, clock.wall())) options.onAnomaly?.("CERTIFICATE_EXPIRES", warning);
    cancelExpiryCheck = broker.cert === undefined && broker.ca === undefined ? () => {} : clock.after(DAY_MILLIS, checkExpiry);
  }

  function tryIn(waitMillis: number, why: string): void {
    cancelTimer = clock.after(waitMillis, () => wanted && connect());
    setState("offline", `${why}; next try in ${Math.round(waitMillis)} ms`, waitMillis);
  }

  function begin(): void {
    const waitMillis = reconnect.firstWaitMillis(clock.now());
    if (waitMillis > 0) tryIn(waitMillis, "an outage has used up the tries");
    else connect();
  }

  async function takeLeave(of: MqttClient, closeOptions: CloseOptions): Promise<void> {
    const { farewell } = closeOptions;
    const last = farewell && window.publish(farewell.topic, farewell.payload, { retain: true, priority: "state" });
    if (last) await atMost(CLOSE_TIMEOUT_MILLIS, last);
    await atMost(CLOSE_TIMEOUT_MILLIS, disconnect(of, closeOptions));
  }

  function left(former: MqttClient | undefined): void {
    client = undefined;
    cancelExpiryCheck();
    window.fail("connection closed");
    window = shutWindow;
    reconnect.closed(clock.now());
    if (former) discard(former);
    setState("offline", "closed");
  }

  return {
    get state() {
      return state;
    },
    open() {
      if (wanted) return;
      wanted = true;
      checkExpiry();
      if (!leaving) begin();
    },
    publish: (topic, payload, publishOptions = {}) => window.publish(topic, payload, publishOptions),
    flush: () => atMost(CLOSE_TIMEOUT_MILLIS, window.flushed()),
    effort: () => ({ radioMillis: reconnect.radioMillis(clock.now()), breakerOpens: reconnect.breakerOpens, takeovers }),
    async close(closeOptions = {}) {
      const isWanted = wanted;
      wanted = false;
      if (leaving || !isWanted) return leaving;
      cancelTimer();
      const former = client;
      if (!former || state !== "online") return left(former);
      leaving = takeLeave(former, closeOptions)
        .then(() => left(former))
        .finally(() => {
          leaving = undefined;
          if (wanted) begin(); // opened again meanwhile
        });
      return leaving;
    },
  };
}

function sessionText({ sessionPresent, sessionExpirySeconds }: BrokerOffer, options: ConnectionOptions): string {
  const text = sessionPresent ? "session resumed" : "new session";
  if (sessionExpirySeconds === undefined || sessionExpirySeconds >= options.sessionExpirySeconds) return text;
  return `${text}, which the broker keeps for ${sessionExpirySeconds} s instead of ${options.sessionExpirySeconds} s`;
}

function incoming(topic: string, payload: Uint8Array, packet: IPublishPacket): IncomingMessage {
  const { correlationData, responseTopic, contentType, userProperties, messageExpiryInterval } = packet.properties ?? {};
  const message: { -readonly [K in keyof IncomingMessage]: IncomingMessage[K] } = { topic, payload, retain: packet.retain };
  if (correlationData) message.correlationData = correlationData;
  if (responseTopic !== undefined) message.responseTopic = responseTopic.toString();
  if (contentType !== undefined) message.contentType = contentType.toString();
  if (userProperties) message.userProperties = { ...userProperties };
  if (messageExpiryInterval !== undefined) message.messageExpirySeconds = messageExpiryInterval;
  return message;
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
  return textWithoutSecrets(message || errors?.[0]?.message || String(code)) || "unknown network error";
}
