import type { IncomingMessage } from "../transport/connection-options.ts";
import type { PublishOptions, PublishResult } from "../transport/publish.ts";
import type { Presence } from "./presence.ts";

/** Publishes on a node's connection. */
export type Publish = (topic: string, payload: Uint8Array, options?: PublishOptions) => Promise<PublishResult>;

/** Speaks a further convention on a node's connection, e.g. Home Assistant's. */
export interface Companion {
  /** Topics that it needs, beside the node's own. */
  readonly filters: readonly string[];
  /** The link is up, and the node's state has been said. */
  online(publish: Publish): void;
  /** Takes a message; false if it is not for it. */
  receive(message: IncomingMessage, publish: Publish): boolean;
  /** What is known of the node has changed. */
  report(presence: Presence, publish: Publish): void;
  close(): void;
}
