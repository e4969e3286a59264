/** The fields of a CONNACK that are read, under mqtt.js's names. */
interface Connack {
  readonly sessionPresent: boolean;
  readonly properties?: {
    readonly sharedSubscriptionAvailable?: boolean;
    readonly receiveMaximum?: number;
    readonly maximumPacketSize?: number;
    readonly maximumQoS?: number;
    readonly retainAvailable?: boolean;
    readonly topicAliasMaximum?: number;
    readonly sessionExpiryInterval?: number;
  };
}

/** The CONNACK properties that the connection acts on. */
export interface BrokerOffer {
  readonly sessionPresent: boolean;
  readonly hasSharedSubscriptions: boolean; // absent means available [MQTT-3.2.2.3.13]
  readonly receiveMaximum: number;
  readonly maximumPacketBytes: number;
  readonly maximumQos: 0 | 1;
  readonly canRetain: boolean;
  readonly topicAliasMaximum: number;
  /** Shorter than asked for: messages that come later than this are lost to a sleeper. */
  readonly sessionExpirySeconds: number | undefined;
}

/** Reads a CONNACK; what a broker leaves out has the standard's default. */
export function readOffer(connack: Connack): BrokerOffer {
  const { properties = {} } = connack;
  return {
    sessionPresent: connack.sessionPresent,
    hasSharedSubscriptions: properties.sharedSubscriptionAvailable !== false,
    receiveMaximum: properties.receiveMaximum ?? 65_535,
    maximumPacketBytes: properties.maximumPacketSize ?? Number.POSITIVE_INFINITY,
    maximumQos: properties.maximumQoS === 0 ? 0 : 1,
    canRetain: properties.retainAvailable !== false,
    topicAliasMaximum: properties.topicAliasMaximum ?? 0,
    sessionExpirySeconds: properties.sessionExpiryInterval,
  };
}

/** CONNACK and DISCONNECT codes that the next try will meet again: it can wait for a person. */
const LASTING_CODES: ReadonlySet<number> = new Set([0x84, 0x85, 0x86, 0x87, 0x8a, 0x8c, 0x9d]);

/** Whether the broker refused for a reason that trying again does not mend: credentials, authorisation, client id, version, a ban, a server that has moved. */
export function isLastingRefusal(reasonCode: unknown): boolean {
  return typeof reasonCode === "number" && LASTING_CODES.has(reasonCode);
}
