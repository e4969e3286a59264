import type { Clock } from "../../core/system/clock.ts";
import type { Companion, Publish } from "../asks/companion.ts";
import type { Presence } from "../asks/presence.ts";
import { type RandomBytes, systemRandom } from "../transport/backoff.ts";
import { buildTopics } from "../wire/topics.ts";
import { type Component, type DiscoveredNode, discoveryPayload, discoveryTopic, type UpdateState } from "./discovery.ts";

/** After Home Assistant's start each device waits up to so long, so that not all come at once. */
const JITTER_MILLIS = 5000;
/** Longest discovery payload of a former run that is looked at. */
const MAX_FORMER_BYTES = 65_536;
const RETAINED = { retain: true, priority: "state", contentType: "application/json" } as const;

/** Tells Home Assistant about a node: discovery at every connection and at Home Assistant's birth, components that came or went, updates. */
export function createHomeAssistant(options: {
  readonly about: DiscoveredNode;
  readonly clock: Clock;
  readonly random?: RandomBytes;
  /** Which image the device runs and which there is; undefined while unknown. */
  readonly update?: () => UpdateState | undefined;
}): Companion {
  const { about, clock, random = systemRandom } = options;
  const topic = discoveryTopic(about);
  const birth = `${about.prefix}/status`;
  let presence: Presence = {};
  let told = ""; // the last payload
  let toldUpdate = "";
  let cancel = () => {};
  let gone: Readonly<Record<string, Component>> = {}; // components of a former run that are to be taken back

  const publishJson = (to: string, text: string, publish: Publish) => void publish(to, Buffer.from(text), RETAINED);
  const announce = (publish: Publish, isForced: boolean) => {
    const text = JSON.stringify(discoveryPayload(about, presence));
    if (isForced || text !== told) publishJson(topic, text, publish);
    told = text;
    const update = about.hasUpdate ? options.update?.() : undefined;
    if (update === undefined) return;
    const updateText = JSON.stringify(update);
    if (isForced || updateText !== toldUpdate) publishJson(buildTopics(about.site, about.node).update, updateText, publish);
    toldUpdate = updateText;
  };

  /** A component that goes is named once more with its platform alone; the next payload is without it. */
  const takeBack = (publish: Publish) => {
    const now = discoveryPayload(about, presence);
    const left = gone;
    if (Object.keys(left).length > 0)
      void publish(topic, Buffer.from(JSON.stringify({ ...now, cmps: { ...now.cmps, ...left } })), RETAINED).then(({ ok }) => {
        if (ok && gone === left) gone = {}; // else the link was not up: at the next connection
      });
    announce(publish, true);
  };

  return {
    filters: [birth, topic],
    online: (publish) => takeBack(publish),
    receive(message, publish) {
      if (message.topic === birth) {
        if (Buffer.from(message.payload).toString() !== "online" || message.retain) return true;
        cancel();
        cancel = clock.after((JITTER_MILLIS * random(1)[0]!) / 256, () => announce(publish, true));
        return true;
      }
      if (message.topic !== topic) return false;
      const former = goneComponents(message.payload, discoveryPayload(about, presence).cmps);
      if (former === undefined) return true;
      gone = former;
      takeBack(publish);
      return true;
    },
    report(news, publish) {
      presence = { ...presence, ...news };
      announce(publish, false);
    },
    close: () => cancel(),
  };
}

/** Components of a retained payload that are no more, with their platforms; undefined: none, or no payload of ours. */
function goneComponents(payload: Uint8Array, now: Readonly<Record<string, Component>>): Record<string, Component> | undefined {
  if (payload.length === 0 || payload.length > MAX_FORMER_BYTES) return undefined;
  let former: { readonly cmps?: Readonly<Record<string, { readonly p?: unknown; readonly unique_id?: unknown }>> };
  try {
    former = JSON.parse(Buffer.from(payload).toString("utf8"));
  } catch {
    return undefined;
  }
  if (typeof former?.cmps !== "object" || former.cmps === null) return undefined;
  const gone = Object.entries(former.cmps).flatMap(([key, component]) =>
    Object.hasOwn(now, key) || typeof component?.p !== "string" || component.unique_id === undefined
      ? []
      : [[key, { p: component.p }] as const],
  );
  return gone.length === 0 ? undefined : Object.fromEntries(gone);
}
