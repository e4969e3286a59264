import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openNodeConfig } from "../../../../host/agent/node-config.ts";
import { packageRoot } from "../../../../host/core/system/package-root.ts";
import { scanLedgerFile } from "../../../../host/mqtt/outbox/ledger-reading.ts";
import { openOutbox } from "../../../../host/mqtt/outbox/outbox.ts";

// What a node of version 0.1.0 left behind when it was killed with five asks open: golden files that every later version reads.
const GOLDEN = join(packageRoot(), "test", "golden", "0.1");

it("reads a node's configuration, ledger and outbox of version 0.1.0, and keeps its open asks", () => {
  const folder = mkdtempSync(join(tmpdir(), "dormouse-fielded-"));
  try {
    cpSync(GOLDEN, folder, { recursive: true });
    const { node } = JSON.parse(readFileSync(join(folder, "node.json"), "utf8")) as { node: string };
    expect(openNodeConfig({ path: join(folder, "node.json") })).toMatchObject({ isNew: false, config: { node, site: "home" } });
    const { states, unreadable } = scanLedgerFile(join(folder, "ledger.jsonl"));
    expect([...states.values()]).toEqual(Array(5).fill("pending"));
    expect(unreadable).toBe(0);
    const outbox = openOutbox({ path: join(folder, `${node}.outbox`), fsync: "none" });
    const open = [...outbox.pending.keys(), ...outbox.ended.keys()]; // aged, but in it
    expect(open.sort()).toEqual([...states.keys()].sort());
    outbox.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
