import * as fs from "node:fs";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAsker } from "../../../../host/mqtt/asks/asker.ts";
import type { LedgerEntry } from "../../../../host/mqtt/outbox/ledger.ts";
import { openLedgerFile } from "../../../../host/mqtt/outbox/ledger-file.ts";
import { readLedgerFile, scanLedgerFile } from "../../../../host/mqtt/outbox/ledger-reading.ts";
import { type LedgerFs, roomPath } from "../../../../host/mqtt/outbox/ledger-room.ts";
import { openOutbox } from "../../../../host/mqtt/outbox/outbox.ts";
import type { AskEnd } from "../../../../host/mqtt/wire/ask.ts";
import { freePort } from "../../../support/broker.ts";
import { failingMedium } from "../../../support/failing-medium.ts";
import { query } from "../../../support/query.ts";
import { cli } from "../../cli/fake-io.ts";

const id = (n: number) => n.toString(16).padStart(32, "0");
const entry = (n: number, state: string): LedgerEntry => ({ id: id(n), node: "wrist", state, wallMillis: 1000 + n });
/** Ids of the ledger's lines that are ends, in order. */
const endsOf = (path: string) =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.includes('"id"') && !line.includes('"pending"'))
    .map((line) => (JSON.parse(line) as LedgerEntry).id);

/** node:fs on a disk where a ledger cannot grow while `isFull`; what lies in place can be written. */
function fullDisk() {
  const state = { isFull: false };
  const writeSync = ((...args: Parameters<typeof fs.writeSync>) => {
    if (state.isFull && (args as unknown[])[4] === undefined) throw new Error("ENOSPC: no space left on device, write");
    return fs.writeSync(...args);
  }) as typeof fs.writeSync;
  return { state, fs: { ...fs, writeSync } as LedgerFs };
}

let folder: string;
let ledger: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dormouse-reconcile-"));
  ledger = join(folder, "edge.jsonl");
  path = join(folder, "outbox.log");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("ledger and outbox at a start", () => {
  let url: string;
  beforeEach(async () => {
    url = `mqtt://127.0.0.1:${await freePort()}`;
  });

  function start(medium: Parameters<typeof openOutbox>[0]["fs"] = undefined) {
    const anomalies: string[] = [];
    const asker = createAsker({
      ...{ broker: { url }, site: "lab", node: "wrist", ledgerSink: openLedgerFile(ledger, { node: "wrist" }) },
      outbox: openOutbox({ path, fsync: "none", ...(medium && { fs: medium }) }),
      events: { onOutcome: () => {}, onAnomaly: ({ code }) => anomalies.push(code) },
    });
    return { asker, anomalies };
  }
  const endInOutbox = (ids: readonly string[], how: AskEnd) => {
    const outbox = openOutbox({ path, fsync: "none" });
    for (const one of ids) outbox.end(one, how);
    outbox.close();
  };

  it("an end that the outbox remembers → is in the ledger once, however many starts follow", async () => {
    const first = start();
    const asked = Array.from({ length: 5 }, (_, n) => first.asker.ask(query(n)));
    await first.asker.close();
    endInOutbox(asked.slice(0, 3), "answered"); // the process died before the ledger had their ends
    for (let restarts = 0; restarts < 3; restarts++) {
      const { asker } = start();
      expect(asker.counts()).toMatchObject({ pending: 2 });
      expect(asker.ledger().get(asked[0]!)).toBe("answered");
      await asker.close();
    }
    expect(endsOf(ledger)).toEqual(asked.slice(0, 3));
    expect(readFileSync(ledger, "utf8").split("\n")).toHaveLength(5 + 3 + 1); // no line twice
  });

  it("an ask that neither ledger nor outbox has an end of → is evicted, and inspect counts it", async () => {
    writeFileSync(ledger, [1, 2, 3].map((n) => `${JSON.stringify(entry(n, n === 3 ? "answered" : "pending"))}\n`).join(""));
    const { asker, anomalies } = start();
    expect(asker.counts()).toMatchObject({ asked: 2, evicted: 2, pending: 0 });
    expect(asker.stats().evictions).toMatchObject({ notDurable: 2 });
    expect(anomalies).toEqual(["ASKS_NOT_DURABLE"]);
    await asker.close();
    expect(endsOf(ledger)).toEqual([id(3), id(1), id(2)]);
    writeFileSync(join(folder, "cloud.jsonl"), "");
    const { stdout } = await cli(["inspect", ledger, join(folder, "cloud.jsonl"), "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ asked: 3, answered: 1, evicted: 2, pending: 0, notDurable: 2, unrecorded: 0, lost: 0 });
  });

  it("an end that the ledger has and the outbox has not → holds in the outbox too, and the ask is not asked again", async () => {
    const first = start();
    const [one, two] = [first.asker.ask(query(1)), first.asker.ask(query(2))];
    await first.asker.close();
    fs.appendFileSync(ledger, `${JSON.stringify({ id: one, node: "wrist", state: "expired", wallMillis: 5 })}\n`);
    const { asker } = start();
    expect(asker.counts()).toMatchObject({ asked: 1, pending: 1 });
    expect(asker.ledger().get(one)).toBe("expired");
    await asker.close();
    const outbox = openOutbox({ path, fsync: "none" });
    expect([...outbox.pending.keys()]).toEqual([two]);
    outbox.close();
    expect(endsOf(ledger)).toEqual([one]);
  });

  it("an ask that the disk refused → is marked in the ledger while it is pending, and evicted when its process closes", async () => {
    const { state: disk, medium } = failingMedium();
    const { asker } = start(medium);
    disk.isBroken = true;
    const asked = asker.ask(query());
    expect(scanLedgerFile(ledger)).toMatchObject({ states: new Map([[asked, "pending"]]), notDurable: 1 });
    await asker.close();
    expect(scanLedgerFile(ledger)).toMatchObject({ states: new Map([[asked, "evicted"]]), notDurable: 1 });
  });

  it("another node's lines in the same ledger → stay as they are", async () => {
    writeFileSync(ledger, `${JSON.stringify({ ...entry(1, "pending"), node: "ankle" })}\n`);
    const { asker } = start();
    expect(asker.counts()).toMatchObject({ asked: 0, evicted: 0 });
    await asker.close();
    expect(readLedgerFile(ledger)).toEqual(new Map([[id(1), "pending"]]));
  });
});

describe("a ledger on a full disk", () => {
  it("lines that wait when the process is killed → are in the ledger after the next start, once", () => {
    const disk = fullDisk();
    const killed = openLedgerFile(ledger, { node: "wrist", fs: disk.fs });
    killed.append(entry(1, "pending"));
    disk.state.isFull = true;
    killed.append(entry(1, "answered"));
    for (let n = 2; n <= 5; n++) killed.append(entry(n, "pending"));
    killed.append(entry(2, "expired"));
    expect(killed.waiting).toBe(6);
    const all = new Map([1, 2, 3, 4, 5].map((n) => [id(n), n === 1 ? "answered" : n === 2 ? "expired" : "pending"]));
    expect(scanLedgerFile(ledger).states).toEqual(all); // inspect looks into the room, too
    openLedgerFile(ledger, { node: "wrist", fs: disk.fs }).append(entry(6, "pending")); // no room yet, and killed again
    for (let restarts = 0; restarts < 2; restarts++) openLedgerFile(ledger, { node: "wrist" }).close();
    expect(readLedgerFile(ledger)).toEqual(new Map([...all, [id(6), "pending"]]));
    expect(readFileSync(ledger, "utf8").trim().split("\n")).toHaveLength(7); // id 2's ask and end are one line
    expect(endsOf(ledger)).toEqual([id(1), id(2)]);
  });

  it("a disk with room again → frees the slots, and the next full disk has them all", () => {
    const disk = fullDisk();
    const file = openLedgerFile(ledger, { node: "wrist", fs: disk.fs });
    for (let n = 0; n < 3000; n++) {
      disk.state.isFull = n % 500 !== 499;
      file.append(entry(n, "pending"));
      file.append(entry(n, "answered"));
    }
    file.close();
    expect(scanLedgerFile(ledger)).toMatchObject({ entries: 6000, unrecorded: 0 });
    expect(new Set(readFileSync(roomPath(ledger, "wrist")).subarray(32))).toEqual(new Set([0]));
  });

  it("more asks than slots, then a kill → inspect counts as lost those that it cannot name", async () => {
    const disk = fullDisk();
    const killed = openLedgerFile(ledger, { node: "wrist", fs: disk.fs });
    disk.state.isFull = true;
    for (let n = 1; n <= 1030; n++) killed.append(entry(n, "pending"));
    writeFileSync(join(folder, "cloud.jsonl"), "");
    const compare = async () => JSON.parse((await cli(["inspect", ledger, join(folder, "cloud.jsonl"), "--json"])).stdout) as object;
    expect(await compare()).toMatchObject({ asked: 1030, pending: 1023, unrecorded: 7, lost: 7 });
    for (let restarts = 0; restarts < 2; restarts++) openLedgerFile(ledger, { node: "wrist" }).close();
    expect(await compare()).toMatchObject({ asked: 1030, pending: 1023, unrecorded: 7, lost: 7, unreadable: { node: 0, cloud: 0 } });
  });

  it("no room for the room → the ledger does without", () => {
    const disk = fullDisk();
    const refusing = { ...disk.fs, writeSync: (() => assertFull()) as unknown as typeof fs.writeSync };
    const file = openLedgerFile(ledger, { node: "wrist", fs: refusing });
    file.append(entry(1, "pending"));
    expect(file.waiting).toBe(1);
    file.close();
    expect(file.failed).toBe(1);
    expect(fs.existsSync(roomPath(ledger, "wrist"))).toBe(false);
  });

  it("any bytes in the room → are read as free slots, or as lines", () => {
    openLedgerFile(ledger, { node: "wrist" }).close();
    const room = readFileSync(roomPath(ledger, "wrist"));
    for (const fill of [0xff, 0x01]) {
      writeFileSync(roomPath(ledger, "wrist"), Buffer.alloc(room.length, fill));
      expect(scanLedgerFile(ledger)).toMatchObject({ entries: 0, unrecorded: 0 });
      openLedgerFile(ledger, { node: "wrist" }).close();
    }
    writeFileSync(roomPath(ledger, "wrist"), "short");
    openLedgerFile(ledger, { node: "wrist" }).close();
    expect(readFileSync(ledger, "utf8")).toBe("");
  });
});

function assertFull(): never {
  throw new Error("ENOSPC: no space left on device, write");
}
