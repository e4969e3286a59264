import type { Connection } from "../transport/connection.ts";
import type { PayloadFormat } from "../wire/payloads.ts";
import type { NodeTopics } from "../wire/topics.ts";
import { type Presence, statePayload } from "./presence.ts";

type State = "awake" | "asleep" | "offline";

/** The plain words of `availability`. */
const AVAILABILITY: Readonly<Record<State, string>> = { awake: "online", asleep: "asleep", offline: "offline" };
const PLAIN = "text/plain";
/** Labels of so many agents are kept. */
const MAX_LABELS = 16;

/** A retained message. */
export interface RetainedMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** What a node says of itself, retained: `state`; in JSON also `availability` and `label/{agent}` as plain words. */
export interface NodeState {
  /** What the broker publishes when the node is lost. In JSON it is the plain word, since a client has one will. */
  will(): RetainedMessage;
  /** The link is up: says all of it. */
  online(): void;
  /** News about the node; said at once if `isLive` and the link is up, else with the next state. */
  report(presence: Presence): void;
  /** The shown label of an agent. */
  label(agent: string, label: string): void;
  /** The state to leave with; what else there is to say is published before. */
  farewell(state: "asleep" | "offline", untilWallMillis?: number): RetainedMessage;
}

export function createNodeState(options: {
  readonly node: string;
  readonly topics: NodeTopics;
  readonly connection: () => Connection;
  readonly wall: () => number;
  readonly format: PayloadFormat;
  readonly isLive: boolean;
  readonly presence: Presence;
}): NodeState {
  const { node, topics, connection, wall, format, isLive } = options;
  const isReadable = format === "json";
  const labels = new Map<string, string>();
  let presence = options.presence;

  const publish = ({ topic, payload }: RetainedMessage, contentType?: string) =>
    void connection().publish(topic, payload, { retain: true, priority: "state", ...(contentType !== undefined && { contentType }) });
  const state = (is: State, untilWallMillis?: number): RetainedMessage => ({
    topic: topics.state,
    payload: statePayload(node, wall(), is, presence, untilWallMillis, format),
  });
  const availability = (is: State): RetainedMessage => ({ topic: topics.availability, payload: Buffer.from(AVAILABILITY[is]) });
  const sayLabel = (agent: string, label: string) => publish({ topic: topics.label(agent), payload: Buffer.from(label) }, PLAIN);

  return {
    will: () => (isReadable ? availability("offline") : { topic: topics.state, payload: statePayload(node, wall(), "offline") }),
    online() {
      publish(state("awake"));
      if (!isReadable) return;
      publish(availability("awake"), PLAIN);
      for (const [agent, label] of labels) sayLabel(agent, label);
    },
    report(news) {
      presence = { ...presence, ...news };
      if (isLive && connection().state === "online") publish(state("awake"));
    },
    label(agent, label) {
      if (!isReadable || (!labels.has(agent) && labels.size >= MAX_LABELS)) return;
      labels.set(agent, label);
      if (connection().state === "online") sayLabel(agent, label);
    },
    farewell(is, untilWallMillis) {
      if (isReadable && connection().state === "online") publish(availability(is), PLAIN);
      return state(is, untilWallMillis);
    },
  };
}
