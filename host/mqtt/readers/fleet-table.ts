import type { Payload } from "../wire/payloads.ts";
import type { ReadableMessage } from "./readable-message.ts";

/** Reports that may be missed before a node is late. */
const LATE_REPORTS = 3;
/** A node that woke up so much later than it said is late. */
const LATE_WAKE_MILLIS = 60_000;
/** More nodes than this are counted alone. */
const MAX_NODES = 10_000;

/** What is known of a node. What is unknown is left out. */
export interface FleetNode extends Omit<Payload<"state">, "v" | "kind" | "wallMillis" | "state" | "reportSeconds"> {
  readonly site: string;
  readonly node: string;
  /** late: it should have said something; gone: the broker says so, or it said goodbye. */
  readonly state: "awake" | "asleep" | "late" | "gone";
  /** Wall time of its last word. */
  readonly lastWallMillis: number;
}

/** The nodes and workers of a site, from what they have retained. */
export interface FleetTable {
  /** Takes a message. Any order, any number of times. */
  take(message: ReadableMessage): void;
  /** By site and name. */
  nodes(wallMillis: number): readonly FleetNode[];
  workers(): readonly { readonly site: string; readonly worker: string; readonly firmware?: string | undefined }[];
  /** Nodes beyond the limit, and messages that could not be read. */
  readonly left: { readonly nodes: number; readonly unreadable: number };
}

interface Known {
  readonly site: string;
  readonly node: string;
  state?: Payload<"state">;
  availability?: string;
  label?: string;
}

export function createFleetTable(): FleetTable {
  const known = new Map<string, Known>();
  const workers = new Map<string, { site: string; worker: string; firmware?: string | undefined }>();
  const left = { nodes: 0, unreadable: 0 };

  return {
    take({ site, node, kind, value, of }) {
      const key = `${site}/${node}`;
      if (kind === "unreadable") left.unreadable++;
      else if (kind === "worker") {
        if (value === null) workers.delete(`${key}/${of}`);
        else workers.set(`${key}/${of}`, { site, worker: of!, firmware: (value as Payload<"state">).firmware });
      } else if (kind === "state" || kind === "availability" || kind === "label") {
        if (!known.has(key) && known.size >= MAX_NODES) {
          left.nodes++;
          return;
        }
        const one = known.get(key) ?? { site, node };
        known.set(key, one);
        if (value === null) {
          delete one[kind];
          if (kind === "state") known.delete(key);
        } else if (kind === "state") one.state = value as Payload<"state">;
        else one[kind] = value as string;
      }
    },
    nodes(wallMillis) {
      return [...known.values()]
        .flatMap(({ site, node, state, availability, label }): FleetNode[] => {
          if (state === undefined) return [];
          const { v: _, kind: __, wallMillis: last, state: ___, reportSeconds: ____, ...about } = state;
          return [
            {
              ...about,
              site,
              node,
              state: stateAt(state, availability, wallMillis),
              lastWallMillis: last,
              ...(label !== undefined && { label }),
            },
          ];
        })
        .sort((a, b) => a.site.localeCompare(b.site) || a.node.localeCompare(b.node, "en", { numeric: true }));
    },
    workers: () => [...workers.values()].sort((a, b) => a.worker.localeCompare(b.worker)),
    left,
  };
}

function stateAt(state: Payload<"state">, availability: string | undefined, wallMillis: number): FleetNode["state"] {
  if (state.state === "offline" || availability === "offline") return "gone";
  if (state.state === "asleep") return wallMillis > (state.untilWallMillis ?? 0) + LATE_WAKE_MILLIS ? "late" : "asleep";
  const { reportSeconds } = state;
  if (reportSeconds === undefined) return "awake"; // it says nothing between two connections
  return wallMillis - state.wallMillis > 1000 * LATE_REPORTS * reportSeconds ? "late" : "awake";
}
