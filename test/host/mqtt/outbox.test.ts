import * as fs from "node:fs";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MqttError } from "../../../host/core/errors.ts";
import { memoryOutbox, type Outbox, type OutboxEntry, openOutbox } from "../../../host/mqtt/outbox.ts";
import { type LogFs, recoverLog } from "../../../host/mqtt/outbox-log.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dormouse-outbox-"));
  path = join(folder, "outbox.log");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const idOf = (n: number) => n.toString(16).padStart(32, "0");
const entry = (n: number, bytes = 5): OutboxEntry => ({ id: idOf(n), askedWallMillis: 1000 + n, payload: new Uint8Array(bytes).fill(n) });
const ids = (outbox: Outbox) => [...outbox.pending.keys()].map((id) => Number.parseInt(id, 16));

/** node:fs, but writing stops after `room` bytes like a full disk, in the middle of a record. */
function fullDisk(): LogFs & { room: number } {
  const disk = {
    ...fs,
    room: Number.POSITIVE_INFINITY,
    writeSync: ((fd: number, bytes: Uint8Array, offset: number, length: number, position: number) => {
      if (disk.room <= 0) throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
      const written = fs.writeSync(fd, bytes, offset, Math.min(length, disk.room), position);
      disk.room -= written;
      return written;
    }) as typeof fs.writeSync,
  };
  return disk;
}

/** The suite of both kinds. */
for (const [kind, open] of [
  ["in memory", (limits: object) => memoryOutbox(limits)],
  ["in a file", (limits: object) => openOutbox({ path, fsync: "none", ...limits })],
] as const) {
  describe(`an outbox ${kind}`, () => {
    it("keeps asks in order until they end", () => {
      const outbox = open({});
      for (let n = 1; n <= 3; n++) expect(outbox.add(entry(n))).toEqual({ ok: true, evicted: [] });
      outbox.end(idOf(2), "answered", 1);
      outbox.end(idOf(9), "answered", 1); // never asked: nothing happens
      expect(ids(outbox)).toEqual([1, 3]);
      expect(outbox.bytes).toBe(10);
      expect(outbox.ended).toEqual(new Map([[idOf(2), "answered"]]));
      outbox.close();
    });

    it("evicts the oldest when it is full, by entries and by bytes, and says which", () => {
      const outbox = open({ maxEntries: 3, maxBytes: 100 });
      for (let n = 1; n <= 3; n++) outbox.add(entry(n, 20));
      expect(outbox.add(entry(4, 20))).toEqual({ ok: true, evicted: [idOf(1)] });
      expect(outbox.add(entry(5, 90))).toEqual({ ok: true, evicted: [idOf(2), idOf(3), idOf(4)] });
      expect(outbox.add(entry(6, 101))).toMatchObject({ ok: false, evicted: [] });
      expect(ids(outbox)).toEqual([5]);
      expect(outbox.ended.get(idOf(3))).toBe("evicted");
      outbox.close();
    });
  });
}

describe("an outbox file", () => {
  /** A log of `count` asks, every third answered. */
  function written(count: number): Uint8Array {
    const outbox = openOutbox({ path, fsync: "none" });
    for (let n = 1; n <= count; n++) {
      outbox.add(entry(n));
      if (n % 3 === 0) outbox.end(idOf(n - 1), "answered", 5);
    }
    outbox.close();
    return Uint8Array.from(readFileSync(path));
  }

  it("goes on where the process before it was killed", () => {
    written(7);
    const outbox = openOutbox({ path });
    expect(ids(outbox)).toEqual([1, 3, 4, 6, 7]);
    expect([...outbox.ended.values()]).toEqual(["answered", "answered"]);
    expect([...outbox.pending.get(idOf(4))!.payload]).toEqual([4, 4, 4, 4, 4]);
    expect(outbox.recovery).toEqual({ records: 9, validBytes: outbox.fileBytes, droppedBytes: 0 });
    outbox.close();
  });

  it("cut at every byte, keeps the longest valid prefix and can be written again", () => {
    const whole = written(20);
    const boundaries = new Set<number>();
    for (let cut = 0; cut <= whole.length; cut++) {
      const recovered = recoverLog(whole.subarray(0, cut));
      boundaries.add(recovered.validBytes);
      expect(recovered.validBytes).toBeLessThanOrEqual(cut);
      expect(recovered.reason === undefined).toBe(recovered.validBytes === cut);
      writeFileSync(path, whole.subarray(0, cut));
      const outbox = openOutbox({ path, fsync: "none" });
      expect(outbox.recovery).toMatchObject({ records: recovered.bodies.length, droppedBytes: cut - recovered.validBytes });
      if (cut % 16 === 0) {
        outbox.add(entry(99));
        outbox.close();
        const again = openOutbox({ path, fsync: "none" });
        expect(ids(again).at(-1)).toBe(99);
        expect(again.recovery).toMatchObject({ records: recovered.bodies.length + 1, droppedBytes: 0 });
        again.close();
      } else outbox.close();
    }
    expect(boundaries.size).toBe(20 + 6 + 2); // every record, the bare header, nothing
  });

  it("with any byte flipped, keeps all before the record that is hurt", () => {
    const whole = written(20);
    const ends = [8];
    for (const body of recoverLog(whole).bodies) ends.push(ends.at(-1)! + 8 + body.length);
    for (let at = 0; at < whole.length; at++) {
      const flipped = Uint8Array.from(whole);
      flipped[at]! ^= 0xff;
      const before = at < 8 ? 0 : ends.filter((end) => end <= at).length - 1;
      expect(recoverLog(flipped).bodies.length, `byte ${at}`).toBe(before);
    }
  });

  it("reads any bytes as a log", () => {
    const whole = written(8);
    const hurt = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 5 }).map((flips) => {
      const bytes = Uint8Array.from(whole);
      for (const [at, value] of flips) bytes[at] = value;
      return bytes;
    });
    const headed = fc.uint8Array({ maxLength: 200 }).map((rest) => Uint8Array.from([...whole.subarray(0, 8), ...rest]));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), hurt, headed), (bytes) => {
        const { validBytes, bodies } = recoverLog(bytes);
        expect(validBytes).toBeLessThanOrEqual(bytes.length);
        expect(recoverLog(bytes.subarray(0, validBytes))).toEqual({ bodies, validBytes });
      }),
      { numRuns: 3000 },
    );
    for (const bytes of fc.sample(hurt, 100)) {
      writeFileSync(path, bytes);
      openOutbox({ path, fsync: "none" }).close();
    }
  });

  it("sets a file aside that is no outbox, rather than write over it", () => {
    writeFileSync(path, "dear diary, today");
    const outbox = openOutbox({ path });
    expect(outbox.recovery).toMatchObject({ records: 0, setAside: `${path}.bad` });
    expect(readFileSync(`${path}.bad`, "utf8")).toBe("dear diary, today");
    outbox.close();
  });

  it("compacts, stays within its bound and forgets nothing that is pending", () => {
    const outbox = openOutbox({ path, fsync: "none", maxBytes: 50_000 });
    outbox.add(entry(1, 100));
    for (let n = 2; n < 3000; n++) {
      outbox.add(entry(n, 200));
      outbox.end(idOf(n), "answered", 1);
      expect(outbox.fileBytes).toBeLessThanOrEqual(2 * 50_000 + 65_536);
    }
    outbox.close();
    const again = openOutbox({ path });
    expect(ids(again)).toEqual([1]);
    expect(again.ended.size).toBe(256);
    again.close();
    expect(fs.existsSync(`${path}.tmp`)).toBe(false);
  });

  it("takes a full disk as a value, cuts off the torn record and works again when there is room", () => {
    const disk = fullDisk();
    const outbox = openOutbox({ path, fs: disk, fsync: "none" });
    outbox.add(entry(1));
    disk.room = 10; // in the middle of the next record
    expect(outbox.add(entry(2))).toMatchObject({ ok: false, reason: expect.stringContaining("ENOSPC") });
    expect(ids(outbox)).toEqual([1]);
    expect(outbox.end(idOf(1), "expired", 1)).toMatchObject({ ok: false });
    expect(openOutboxCopy().recovery).toMatchObject({ records: 1 });
    disk.room = Number.POSITIVE_INFINITY;
    expect(outbox.add(entry(3))).toMatchObject({ ok: true });
    outbox.close();
    const again = openOutbox({ path });
    expect(ids(again)).toEqual([1, 3]); // the end that could not be written is asked again: answered twice, acted on by its id
    expect(again.recovery).toMatchObject({ droppedBytes: 0 });
    again.close();
  });

  it("says how to mend a folder that is not there", () => {
    expect(() => openOutbox({ path: join(folder, "no", "such", "outbox.log") })).toThrow(MqttError);
    expect(() => memoryOutbox({ maxEntries: 0 })).toThrow(MqttError);
  });

  function openOutboxCopy(): Outbox {
    const copy = join(folder, "copy.log");
    fs.copyFileSync(path, copy);
    const outbox = openOutbox({ path: copy });
    outbox.close();
    return outbox;
  }
});
