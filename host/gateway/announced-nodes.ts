import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Clock } from "../core/system/clock.ts";
import { writeWhole } from "../core/system/private-file.ts";
import { retainedTopics } from "../mqtt/home-assistant/discovery.ts";
import type { BrokerOptions } from "../mqtt/transport/broker-url.ts";
import type { Connect } from "../mqtt/transport/connection.ts";
import { isName } from "../mqtt/wire/topics.ts";
import { visitBroker } from "./visit-broker.ts";

/** Nodes that Home Assistant was told of, in the state folder. */
const FILE = "announced.json";
const MAX_NODES = 10_000;
const fileSchema = z
  .array(
    z
      .strictObject({ site: z.string(), node: z.string(), agent: z.string(), prefix: z.string() })
      .refine((one) => Object.values(one).every((text) => text.split("/").every(isName))),
  )
  .max(MAX_NODES);
/** How long the broker may take to be told. */
const FORGET_MILLIS = 10_000;

export type AnnouncedNode = z.output<typeof fileSchema>[number];

/** Remembers which nodes Home Assistant was told of, so that one that leaves the configuration can be taken back. */
export interface AnnouncedNodes {
  add(node: AnnouncedNode): void;
  /** Takes back all but those that `isKept`: an empty retained message for each topic. False: the broker did not take it, it is tried at the next start. */
  forget(isKept: (node: AnnouncedNode) => boolean, broker: BrokerOptions, connect: Connect, clock: Clock): Promise<boolean>;
}

export function openAnnouncedNodes(stateFolder: string): AnnouncedNodes {
  const path = join(stateFolder, FILE);
  let nodes = read(path);
  const write = () => writeWhole(path, `${JSON.stringify(nodes)}\n`, { isPrivate: true });
  const isSame = (a: AnnouncedNode, b: AnnouncedNode) => JSON.stringify(a) === JSON.stringify(b);
  return {
    add({ site, node, agent, prefix }) {
      const one = { site, node, agent, prefix };
      if (nodes.length >= MAX_NODES || nodes.some((known) => isSame(known, one))) return;
      nodes = [...nodes, one];
      write();
    },
    async forget(isKept, broker, connect, clock) {
      const gone = nodes.filter((node) => !isKept(node));
      if (gone.length === 0) return true;
      const isDone = await clearTopics(gone.flatMap(retainedTopics), broker, connect, clock);
      if (isDone) {
        nodes = nodes.filter(isKept);
        write();
      }
      return isDone;
    },
  };
}

function clearTopics(topics: readonly string[], broker: BrokerOptions, connect: Connect, clock: Clock): Promise<boolean> {
  return visitBroker({
    ...{ role: "gateway", broker, connect, clock, limitMillis: FORGET_MILLIS },
    onState(state, _detail, connection, leave) {
      if (state !== "online") return;
      const clearing = topics.map((topic) => connection.publish(topic, new Uint8Array(), { retain: true, contentType: "text/plain" }));
      void Promise.all(clearing).then((results) => results.every(({ ok }) => ok) && leave());
    },
  });
}

function read(path: string): AnnouncedNode[] {
  if (!existsSync(path)) return [];
  try {
    return fileSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return []; // not as it was written: nothing is taken back
  }
}
