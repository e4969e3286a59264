// Apart from the send window: public declarations refer to these, and must not reach mqtt.js's own, which need the DOM.

/** Order of sending when the window is full: alarms, presence, asks and answers, then everything else. */
export const PRIORITIES = ["alarm", "state", "ask", "telemetry"] as const;
export type Priority = (typeof PRIORITIES)[number];

export interface PublishOptions {
  readonly qos?: 0 | 1; // default 1
  readonly retain?: boolean;
  readonly priority?: Priority; // default ask
  readonly correlationData?: Uint8Array;
  readonly responseTopic?: string;
  readonly messageExpirySeconds?: number;
  /** Default: of CBOR or JSON, by the payload. */
  readonly contentType?: string;
  readonly userProperties?: Readonly<Record<string, string>>;
}

/**
 * What became of a message: acknowledged by the broker (which is not an answer), or why not. `hasNoReceiver`: nobody subscribes to its
 * topic, no absent session either, and this broker says so. `isTooLarge`: this broker will never take it.
 */
export type PublishResult =
  | { readonly ok: true; readonly hasNoReceiver?: true }
  | { readonly ok: false; readonly reason: string; readonly isTooLarge?: true };
