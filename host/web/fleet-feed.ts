import type { Clock } from "../core/system/clock.ts";
import type { FleetFrame, FleetHello, FleetRow } from "./messages.ts";

/** More nodes than this are not shown: a page that lists them all would help nobody. */
const MOST_NODES = 2000;
/** Pages get what has changed once in this time. */
const FRAME_MILLIS = 250;

/** The nodes of a site: whoever watches them says what is known, and pages get what has changed. */
export interface FleetFeed {
  /** What is now known of a node. Returns false if there is no room for another node. */
  set(row: FleetRow): boolean;
  remove(node: string): void;
  hello(): FleetHello;
  onFrame(send: (frame: FleetFrame) => void): void;
  close(): void;
}

export function createFleetFeed(clock: Clock, labels: readonly string[]): FleetFeed {
  const rows = new Map<string, FleetRow>();
  const told = new Map<string, FleetRow>(); // what the pages know
  const changed = new Set<string>();
  let send: (frame: FleetFrame) => void = () => {};
  let cancel: (() => void) | undefined;

  function flush(): void {
    cancel = undefined;
    const gone: string[] = [];
    const fresh: FleetFrame["rows"][number][] = [];
    for (const node of changed) {
      const row = rows.get(node);
      if (row === undefined) {
        gone.push(node);
        told.delete(node);
        continue;
      }
      const before = told.get(node);
      const cells = Object.entries(row).filter(([key, value]) => before?.[key as keyof FleetRow] !== value);
      told.set(node, row);
      if (cells.length > 0) fresh.push({ ...(Object.fromEntries(cells) as Partial<FleetRow>), node });
    }
    changed.clear();
    if (fresh.length + gone.length > 0) send({ rows: fresh, gone });
  }

  function touch(node: string): void {
    changed.add(node);
    cancel ??= clock.after(FRAME_MILLIS, flush);
  }

  return {
    set(row) {
      if (!rows.has(row.node) && rows.size >= MOST_NODES) return false;
      rows.set(row.node, row);
      touch(row.node);
      return true;
    },
    remove(node) {
      if (rows.delete(node)) touch(node);
    },
    hello: () => ({ labels, rows: [...rows.values()] }),
    onFrame(run) {
      send = run;
    },
    close() {
      cancel?.();
    },
  };
}
