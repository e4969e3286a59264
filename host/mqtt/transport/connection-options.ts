import type { Clock } from "../../core/system/clock.ts";
import type { LinkState } from "../wire/ask.ts";
import type { Backoff, RandomBytes } from "./backoff.ts";
import type { BreakerOptions } from "./breaker.ts";
import type { BrokerOffer } from "./broker-offer.ts";
import type { BrokerOptions } from "./broker-url.ts";

export interface ConnectionOptions {
  readonly broker: BrokerOptions;
  readonly clientId: string;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly backoff: Backoff;
  readonly breaker?: BreakerOptions | undefined;
  /** Radio time in any hour that may bring nothing; left out: unbounded. */
  readonly radioMillisAnHour?: number | undefined;
  readonly keepAliveSeconds: number;
  /** Without any acknowledgement for so long the connection is given up, default 20000. */
  readonly ackTimeoutMillis?: number | undefined;
  readonly cleanStart: boolean;
  readonly sessionExpirySeconds: number;
  /** QoS 1 messages that the broker may have under way to us. */
  readonly receiveMaximum: number;
  /** Whether topics are shortened to a number towards the broker, default true. For who publishes to many topics it costs more than it saves. */
  readonly hasTopicAliases?: boolean | undefined;
  readonly will?: () => {
    readonly topic: string;
    readonly payload: Uint8Array;
    readonly delaySeconds: number;
    readonly contentType?: string;
  };
  /** Subscribed, at QoS 1, before the link counts as online. Told what the broker offers. */
  readonly filters: (offer: BrokerOffer) => readonly string[];
  readonly onMessage: (message: IncomingMessage) => void;
  /** `retryMillis`: until the next try, while offline. */
  readonly onState: (state: LinkState, detail?: string, retryMillis?: number) => void;
  /** What a person has to mend: a name that another client uses, a broker that is too old, a certificate that ends. */
  readonly onAnomaly?: (code: string, message: string) => void;
}

export interface IncomingMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
  readonly correlationData?: Uint8Array;
  readonly responseTopic?: string;
  readonly contentType?: string;
  readonly messageExpirySeconds?: number;
  readonly userProperties?: Readonly<Record<string, string | string[]>>;
}
