import * as nodeFs from "node:fs";
import { appendFileSync, chmodSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkLedgers } from "../../../../host/cli/common/ledger-option.ts";
import { MqttError } from "../../../../host/core/system/errors.ts";
import { compareLedgers, createLedger } from "../../../../host/mqtt/outbox/ledger.ts";
import { openLedgerFile } from "../../../../host/mqtt/outbox/ledger-file.ts";
import { readLedgerFile } from "../../../../host/mqtt/outbox/ledger-reading.ts";
import type { AskState } from "../../../../host/mqtt/wire/ask.ts";

const id = (n: number) => n.toString(16).padStart(32, "0");

describe("ledgers", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "dormouse-ledger-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it.skipIf(process.platform === "win32")("is its owner's alone, also one of an earlier version; a device keeps its mode", () => {
    const path = join(folder, "ledger.jsonl");
    openLedgerFile(path).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    chmodSync(path, 0o644);
    openLedgerFile(path).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const { mode } = statSync("/dev/null");
    openLedgerFile("/dev/null").close();
    expect(statSync("/dev/null").mode).toBe(mode);
  });

  it("counts as lost what is in no state at the asking end, from either side", () => {
    const edge = new Map([
      [id(1), "answered"],
      [id(2), "expired"],
      [id(3), "pending"],
      [id(4), "mislaid"],
    ]);
    const cloud = new Map([
      [id(1), "answered"],
      [id(2), "received"],
      [id(5), "answered"],
    ]);
    expect(compareLedgers(edge, cloud)).toEqual({
      ...{ asked: 4, answered: 1, expired: 1, pending: 1, refused: 0, evicted: 0, lost: 2, lostIds: [id(4), id(5)] },
      ...{ unknownAtEdge: 1, neverAtCloud: 2 },
    });
  });

  it("forgets the oldest ended ids beyond its bound, never a pending one", () => {
    const ledger = createLedger<AskState>({ entries: 3, isOpen: (state) => state === "pending", wall: () => 0 });
    ledger.set(id(1), "n", "pending");
    for (let n = 2; n <= 10; n++) {
      ledger.set(id(n), "n", "pending");
      ledger.set(id(n), "n", "answered");
    }
    expect([...ledger.map.keys()]).toEqual([id(1), id(9), id(10)]);
    expect(ledger.forgotten).toBe(7);
  });

  it("survives its process as lines, a torn last one left out", () => {
    const path = join(folder, "edge.jsonl");
    const sink = openLedgerFile(path);
    const ledger = createLedger<AskState>({ entries: 1, isOpen: () => false, wall: () => 42, sink });
    for (let n = 1; n <= 5; n++) ledger.set(id(n), n % 2 ? "odd" : "even", "pending");
    ledger.set(id(5), "odd", "answered");
    sink.close();
    appendFileSync(path, `{"id":"${id(6)}","node":"odd","sta`);
    expect(readLedgerFile(path)).toEqual(new Map([1, 2, 3, 4, 5].map((n) => [id(n), n === 5 ? "answered" : "pending"])));
    expect([...readLedgerFile(path, { node: "odd" }).keys()]).toEqual([id(1), id(3), id(5)]);
    appendFileSync(path, '\nnull\n{"id":"x","state":"answered"}\n{"id":5,"state":1}\n');
    expect(readLedgerFile(path).size).toBe(5);
  });

  it("a disk that takes no line → told once an outage, and what the file lacks is known when it is closed", () => {
    let hasRoom = false;
    const fs = {
      ...nodeFs,
      writeSync: ((descriptor: number, bytes: Uint8Array) => {
        if (!hasRoom) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
        return nodeFs.writeSync(descriptor, bytes);
      }) as typeof nodeFs.writeSync,
    };
    const told: string[] = [];
    const sink = openLedgerFile(join(folder, "full.jsonl"), { fs, onTrouble: (reason) => told.push(reason) });
    const line = (n: number) => sink.append({ id: id(n), node: "n", state: "pending", wallMillis: 1 });
    for (let n = 1; n <= 3; n++) line(n);
    expect([told.length, told[0], sink.waiting]).toEqual([1, expect.stringContaining("ENOSPC"), 3]);
    hasRoom = true;
    line(4);
    expect(sink.waiting).toBe(0);
    hasRoom = false;
    line(5);
    sink.close();
    expect([told.length, sink.failed, sink.waiting]).toEqual([2, 1, 0]);
    expect(() => checkLedgers([sink], (text) => told.push(text))).toThrow(expect.objectContaining({ exitCode: 1 }));
    expect(told.at(-1)).toContain("lacks 1 line");
  });

  it("writes whole lines after a torn one", () => {
    const path = join(folder, "edge.jsonl");
    appendFileSync(path, `{"id":"${id(1)}","node":"n","sta`);
    const sink = openLedgerFile(path);
    sink.append({ id: id(2), node: "n", state: "pending", wallMillis: 1 });
    sink.close();
    expect([...readLedgerFile(path)]).toEqual([[id(2), "pending"]]);
    expect(sink.failed).toBe(0);
  });

  it.skipIf(process.platform === "win32")("a device or a pipe as ledger → nothing is read back, and no room is made beside it", () => {
    const path = join(folder, "ledger");
    symlinkSync("/dev/null", path);
    const device = openLedgerFile(path, { node: "n" });
    device.append({ id: id(1), node: "n", state: "pending", wallMillis: 1 });
    device.close();
    expect([nodeFs.readdirSync(folder), device.failed, device.waiting]).toEqual([["ledger"], 0, 0]);

    const pipe = join(folder, "pipe"); // stands for one: opened for reading, a true one would hold the test up
    appendFileSync(pipe, `${JSON.stringify({ id: id(1), node: "n", state: "pending", wallMillis: 1 })}\n`);
    const fs = { ...nodeFs, fstatSync: () => Object.assign(statSync(pipe), { isFile: () => false }) };
    const sink = openLedgerFile(pipe, { node: "n", fs: fs as unknown as typeof nodeFs });
    expect(sink.earlier!("n", () => true)).toEqual(new Map());
    sink.close();
    expect(nodeFs.readdirSync(folder)).toEqual(["ledger", "pipe"]);
  });

  it("says how to mend a path that cannot be written", () => {
    expect(() => openLedgerFile(join(folder, "no", "edge.jsonl"))).toThrow(MqttError);
  });
});
