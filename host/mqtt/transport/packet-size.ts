import { CONTENT_TYPE } from "../wire/payloads.ts";
import type { BrokerOffer } from "./broker-offer.ts";
import type { PublishOptions } from "./publish.ts";

/** Longest Remaining Length field [MQTT-1.5.5]. */
const MAX_LENGTH_BYTES = 4;

/** Bytes of a variable byte integer. */
const lengthBytes = (value: number): number => (value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4);
/** Bytes of a text or of binary data: a length of two bytes before it. */
const fieldBytes = (value: string | Uint8Array): number => 2 + (typeof value === "string" ? Buffer.byteLength(value) : value.length);

/** The size of a PUBLISH on the wire (MQTT 5 §3.3): fixed header, topic, packet id, properties, payload. With a topic alias where the broker takes some. */
export function publishBytes(
  topic: string,
  payloadBytes: number,
  options: PublishOptions & { readonly qos: 0 | 1 },
  offer: Pick<BrokerOffer, "topicAliasMaximum">,
): number {
  const { qos, correlationData, responseTopic, messageExpirySeconds, userProperties = {} } = options;
  let properties = 1 + fieldBytes(CONTENT_TYPE);
  if (correlationData !== undefined) properties += 1 + fieldBytes(correlationData);
  if (responseTopic !== undefined) properties += 1 + fieldBytes(responseTopic);
  if (messageExpirySeconds !== undefined) properties += 5;
  if (offer.topicAliasMaximum > 0) properties += 3;
  for (const [key, value] of Object.entries(userProperties)) properties += 1 + fieldBytes(key) + fieldBytes(value);
  const remaining = fieldBytes(topic) + (qos > 0 ? 2 : 0) + lengthBytes(properties) + properties + payloadBytes;
  return 1 + lengthBytes(remaining) + remaining;
}

/**
 * Reads the length of each packet in a byte stream as it comes, and calls `onTooLarge` once, when a packet is announced that is longer
 * than `maxBytes`: before its body has come. A length that never ends counts as too large.
 */
export function watchPacketLengths(maxBytes: number, onTooLarge: (packetBytes: number) => void): (chunk: Uint8Array) => void {
  let bodyLeft = 0;
  let headerBytes = 0; // of the packet whose header is being read
  let length = 0;
  let isOver = false;
  return (chunk) => {
    for (let at = 0; at < chunk.length && !isOver; ) {
      if (bodyLeft > 0) {
        const skipped = Math.min(bodyLeft, chunk.length - at);
        at += skipped;
        bodyLeft -= skipped;
        continue;
      }
      const byte = chunk[at++]!;
      headerBytes++;
      if (headerBytes === 1) continue; // type and flags
      length += (byte & 127) * 128 ** (headerBytes - 2);
      const isEndless = byte > 127 && headerBytes > MAX_LENGTH_BYTES;
      if (byte > 127 && !isEndless) continue;
      if (isEndless || headerBytes + length > maxBytes) {
        isOver = true;
        onTooLarge(headerBytes + length);
      }
      bodyLeft = length;
      headerBytes = length = 0;
    }
  };
}
