import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { forgetLedger } from "../../../../host/mqtt/outbox/forget-ledger.ts";
import { openOutbox } from "../../../../host/mqtt/outbox/outbox.ts";

const root = mkdtempSync(join(tmpdir(), "forget-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("forgetting", () => {
  it("an outbox → its asks and ends are in the file no more, an alarm is", () => {
    const path = join(root, "a.outbox");
    const id = (digit: number) => String(digit).repeat(32);
    const outbox = openOutbox({ path, fsync: "none" });
    outbox.add({ kind: "ask", id: id(1), payload: Buffer.from("a question") });
    outbox.add({ kind: "ask", id: id(2), payload: Buffer.from("an old question") });
    outbox.add({ kind: "alarm", id: id(3), payload: Buffer.from("a fall") });
    outbox.end(id(2), "answered");
    expect(outbox.forget()).toEqual({ ok: true });
    expect([...outbox.pending.keys()]).toEqual([id(3)]);
    outbox.close();
    const written = readFileSync(path, "latin1");
    expect(written).not.toContain("question");
    expect(written).toContain("a fall");
    const again = openOutbox({ path, fsync: "none" });
    expect([again.pending.size, again.ended.size]).toEqual([1, 0]);
    again.close();
  });

  it("a ledger → lines from then on are gone, older ones and ones that cannot be read stay", () => {
    const path = join(root, "ledger.jsonl");
    const line = (wallMillis: number) => JSON.stringify({ id: "x", wallMillis });
    writeFileSync(path, `${line(1)}\nno JSON\n${line(5)}\n${line(6)}\n`);
    expect(forgetLedger(path, 5)).toBe(2);
    expect(readFileSync(path, "utf8")).toBe(`${line(1)}\nno JSON\n`);
    expect(forgetLedger(path, 5)).toBe(0);
    expect(forgetLedger(join(root, "nowhere"), 0)).toBe(0);
    expect(() => forgetLedger(root, 0)).toThrow(/Remove it by hand/);
  });
});
