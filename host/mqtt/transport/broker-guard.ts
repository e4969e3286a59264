import type { Duplex } from "node:stream";
import { Aedes, type AedesOptions, type AedesPublishPacket, type Client } from "aedes";

/** Bytes that may wait in this process for one subscriber: beyond the first QoS 0 messages are dropped, beyond the second it is cut off. */
const DROP_BYTES = 2_097_152;
const CUT_BYTES = 8_388_608;
/** Of all subscribers together. When more waits, each may have `TIGHT_BYTES`. */
const TOTAL_BYTES = 134_217_728;
const TIGHT_BYTES = 65_536;
/** Filters of one client. */
const MAX_SUBSCRIPTIONS = 1000;
/** MQTT 5: Malformed Packet. */
const MALFORMED = 0x81;

type Deliver = (packet: AedesPublishPacket, done: () => void) => void;

/** What the broker did to a client, and why. */
export type GuardEvent = "slow-drop" | "slow-cut" | "malformed" | "too-large" | "subscriptions";

/**
 * aedes, without waiting for its subscribers. As it comes, a publisher's next message waits until each subscriber's socket has taken
 * this one (its `drain`), and so does everybody once 100 messages wait in mqemitter: one stopped subscriber holds up all.
 * Here a delivery counts as done when it is handed over; what waits for a slow subscriber is bounded by its socket's buffer.
 */
export class GuardedAedes extends Aedes {
  readonly #detached = new WeakMap<Deliver, Deliver>();

  constructor(options: AedesOptions, connections: Iterable<Duplex>, onEvent: (event: GuardEvent, client: Client, detail: string) => void) {
    super({
      ...options,
      preConnect(client, packet, done) {
        const flaw = textFlaw([packet.clientId, packet.username, packet.will?.topic, ...propertyTexts(packet.will?.properties)]);
        if (flaw !== undefined) onEvent("malformed", client, flaw);
        done(flaw === undefined ? null : new Error(flaw), flaw === undefined);
      },
      authorizePublish(client, packet, done) {
        const flaw = textFlaw([packet.topic, ...propertyTexts(packet.properties)]);
        if (flaw === undefined) return done(packet.topic.startsWith("$SYS/") ? new Error("$SYS/ topic is reserved") : null);
        if (client === null) return done(new Error(flaw));
        refuse(client, flaw); // without an answer: the connection ends
      },
      authorizeSubscribe(client, subscription, done) {
        const flaw = textFlaw([subscription.topic]);
        if (flaw !== undefined) return refuse(client, flaw);
        const filters = Object.keys((client as unknown as { subscriptions: object }).subscriptions);
        if (filters.length < MAX_SUBSCRIPTIONS || filters.includes(subscription.topic)) return done(null, subscription);
        onEvent("subscriptions", client, `more than ${MAX_SUBSCRIPTIONS} filters`);
        done(null, null);
      },
      authorizeForward(client, packet) {
        const waiting = client.conn.writableLength;
        if (waiting <= TIGHT_BYTES) return packet;
        const isTight = totalWaiting() > TOTAL_BYTES;
        if (waiting > (isTight ? TIGHT_BYTES : CUT_BYTES)) {
          if (client.closed) return packet;
          onEvent("slow-cut", client, `${waiting} B wait for it`);
          client.close(); // a session keeps its QoS 1 messages, as many as it may have
        } else if (packet.qos === 0 && waiting > DROP_BYTES) {
          onEvent("slow-drop", client, `${waiting} B wait for it`);
          return null;
        }
        return packet;
      },
    });
    const totalWaiting = () => {
      let bytes = 0;
      for (const { writableLength } of connections) bytes += writableLength;
      return bytes;
    };
    const refuse = (client: Client, flaw: string) => {
      onEvent("malformed", client, flaw);
      client.disconnect({ reasonCode: MALFORMED });
    };
    this.on("clientError", (client, error) => "maximumPacketSize" in error && onEvent("too-large", client, error.message));
  }

  override subscribe(topic: string, deliver: Deliver, done: () => void): void {
    const detached: Deliver = (packet, delivered) => {
      deliver(packet, () => {});
      delivered();
    };
    this.#detached.set(deliver, detached);
    super.subscribe(topic, detached, done);
  }

  override unsubscribe(topic: string, deliver: Deliver, done: () => void): void {
    super.unsubscribe(topic, this.#detached.get(deliver) ?? deliver, done);
  }
}

/**
 * What no MQTT text may hold [MQTT-1.5.4-1, MQTT-1.5.4-2]: U+0000, or bytes that are no UTF-8. The parser has turned the latter into
 * U+FFFD; a text with a real U+FFFD is refused with them, because the two can no longer be told apart.
 */
function textFlaw(texts: readonly unknown[]): string | undefined {
  for (const text of texts) {
    if (typeof text !== "string") continue;
    if (text.includes("\u0000")) return "a text holds U+0000";
    if (text.includes("\uFFFD")) return "a text is no UTF-8";
  }
  return undefined;
}

interface TextProperties {
  readonly responseTopic?: unknown;
  readonly contentType?: unknown;
  readonly userProperties?: object;
}

function propertyTexts(properties: TextProperties | undefined): unknown[] {
  const { responseTopic, contentType, userProperties = {} } = properties ?? {};
  return [responseTopic, contentType, ...Object.entries(userProperties).flat(2)];
}
