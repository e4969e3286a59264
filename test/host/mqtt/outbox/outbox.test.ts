import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MqttError } from "../../../../host/core/system/errors.ts";
import { packageRoot } from "../../../../host/core/system/package-root.ts";
import { NAMELESS_BOOT, systemSteadyClock } from "../../../../host/mqtt/outbox/log-time.ts";
import { memoryOutbox, type Outbox, openOutbox } from "../../../../host/mqtt/outbox/outbox.ts";
import { lockOutbox } from "../../../../host/mqtt/outbox/outbox-lock.ts";
import type { LogFs } from "../../../../host/mqtt/outbox/outbox-log.ts";
import { recoverLog } from "../../../../host/mqtt/outbox/recover-log.ts";
import { failingMedium } from "../../../support/failing-medium.ts";
import { outboxEntry as entry, outboxId as idOf } from "../../../support/outbox-entry.ts";
import { until } from "../../../support/until.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dormouse-outbox-"));
  path = join(folder, "outbox.log");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ids = (outbox: Outbox) => [...outbox.pending.keys()].map((id) => Number.parseInt(id, 16));

/** node:fs on a disk with `room` bytes left: what lies within a file has its place already, growing takes more, in part if need be. */
function fullDisk(): LogFs & { room: number } {
  const disk = {
    ...fs,
    room: Number.POSITIVE_INFINITY,
    writeSync: ((fd: number, bytes: Uint8Array, offset: number, length: number, position: number) => {
      const size = fs.fstatSync(fd).size;
      const fits = Math.min(length, size - position + disk.room);
      if (fits <= 0) throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
      const written = fs.writeSync(fd, bytes, offset, fits, position);
      disk.room -= Math.max(0, position + written - size);
      return written;
    }) as typeof fs.writeSync,
    ftruncateSync: ((fd: number, length: number) => {
      disk.room += Math.max(0, fs.fstatSync(fd).size - length);
      fs.ftruncateSync(fd, length);
    }) as typeof fs.ftruncateSync,
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
      outbox.end(idOf(2), "answered");
      outbox.end(idOf(9), "answered"); // never asked: nothing happens
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
      expect(outbox.add(entry(6, 101))).toMatchObject({ ok: false, why: "size" });
      expect(ids(outbox)).toEqual([5]);
      expect(outbox.ended.get(idOf(3))).toBe("evicted");
      outbox.close();
    });

    it("evicts asks for alarms, never alarms for asks, and alarms for alarms last", () => {
      const outbox = open({ maxEntries: 3 });
      outbox.add(entry(1, 5, "alarm"));
      for (let n = 2; n <= 3; n++) outbox.add(entry(n));
      expect(outbox.add(entry(4, 5, "alarm"))).toEqual({ ok: true, evicted: [idOf(2)] });
      expect(outbox.add(entry(5))).toEqual({ ok: true, evicted: [idOf(3)] });
      expect(outbox.add(entry(6, 5, "alarm"))).toEqual({ ok: true, evicted: [idOf(5)] });
      expect(outbox.add(entry(7))).toMatchObject({ ok: false, why: "alarms" });
      expect(outbox.add(entry(8, 5, "alarm"))).toEqual({ ok: true, evicted: [idOf(1)] });
      expect(outbox.ended.get(idOf(1))).toBe("undelivered");
      expect(ids(outbox)).toEqual([4, 6, 8]);
      outbox.close();
    });
  });
}

describe("an outbox file", () => {
  /** A log of `count` asks, every third answered; what lies behind the records is not part of it. */
  function written(count: number): Uint8Array {
    const outbox = openOutbox({ path, fsync: "none" });
    for (let n = 1; n <= count; n++) {
      outbox.add(entry(n));
      if (n % 3 === 0) outbox.end(idOf(n - 1), "answered");
    }
    const { fileBytes } = outbox;
    const whole = Uint8Array.from(readFileSync(path));
    outbox.close();
    expect(whole.subarray(fileBytes).every((byte) => byte === 0)).toBe(true);
    return whole.subarray(0, fileBytes);
  }

  it("goes on where the process before it was killed", () => {
    writeFileSync(path, written(7));
    const outbox = openOutbox({ path });
    expect(ids(outbox)).toEqual([1, 3, 4, 6, 7]);
    expect([...outbox.ended.values()]).toEqual(["answered", "answered"]);
    expect([...outbox.pending.get(idOf(4))!.payload]).toEqual([4, 4, 4, 4, 4]);
    expect(outbox.recovery).toMatchObject({ records: 10, droppedBytes: 0 }); // an epoch, seven asks, two ends
    outbox.close();
  });

  it("cut at every byte of 200 records, keeps the longest valid prefix and can be written again", () => {
    const whole = written(150);
    const boundaries = new Set<number>();
    for (let cut = 0; cut <= whole.length; cut++) {
      const recovered = recoverLog(whole.subarray(0, cut));
      boundaries.add(recovered.validBytes);
      expect(recovered.validBytes).toBeLessThanOrEqual(cut);
      expect(recovered.reason === undefined).toBe(recovered.validBytes === cut);
      if (cut % 23 !== 0 && recovered.validBytes !== cut) continue;
      writeFileSync(path, whole.subarray(0, cut));
      const outbox = openOutbox({ path, fsync: "none" });
      expect(outbox.recovery).toMatchObject({
        records: recovered.bodies.length,
        droppedBytes: recovered.usedBytes - recovered.validBytes,
      });
      outbox.add(entry(999));
      outbox.close();
      const again = openOutbox({ path, fsync: "none" });
      expect(ids(again).at(-1)).toBe(999);
      expect(again.recovery).toMatchObject({ droppedBytes: 0 });
      again.close();
    }
    expect(boundaries.size).toBe(1 + 150 + 50 + 2); // the epoch, every record, the bare header, nothing
  });

  it("with any byte flipped, keeps all before the record that is hurt, and says what it dropped", () => {
    const whole = written(150);
    const ends = [8];
    for (const body of recoverLog(whole).bodies) ends.push(ends.at(-1)! + 8 + body.length);
    let ends8 = 0;
    for (let at = 0; at < whole.length; at++) {
      while (ends8 < ends.length && ends[ends8]! <= at) ends8++;
      const flipped = Uint8Array.from(whole);
      flipped[at]! ^= 0xff;
      const recovered = recoverLog(flipped);
      expect(recovered.bodies.length, `byte ${at}`).toBe(at < 8 ? 0 : ends8 - 1);
      expect(recovered.reason, `byte ${at}`).toBeTypeOf("string");
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
        const { validBytes, usedBytes, bodies } = recoverLog(bytes);
        expect(validBytes).toBeLessThanOrEqual(usedBytes);
        expect(usedBytes).toBeLessThanOrEqual(bytes.length);
        expect(recoverLog(bytes.subarray(0, validBytes))).toEqual({ bodies, validBytes, usedBytes: validBytes });
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

  it.skipIf(process.platform === "win32")(
    "holds what a wearer did → its file is its owner's alone, new, compacted, set aside, or of an earlier version",
    () => {
      const modeOf = (file: string) => fs.statSync(file).mode & 0o777;
      openOutbox({ path }).close();
      expect(modeOf(path)).toBe(0o600);
      const compacted = openOutbox({ path, fsync: "none", maxBytes: 50_000 });
      for (let n = 1; n < 2000; n++) {
        compacted.add(entry(n, 200));
        compacted.end(idOf(n), "answered");
      }
      expect(compacted.fileBytes).toBeLessThan(2000 * 200);
      compacted.close();
      expect(modeOf(path)).toBe(0o600);
      fs.chmodSync(path, 0o644);
      openOutbox({ path }).close();
      expect(modeOf(path)).toBe(0o600);
      writeFileSync(path, "dear diary, today");
      fs.chmodSync(path, 0o644);
      openOutbox({ path }).close();
      expect([modeOf(path), modeOf(`${path}.bad`)]).toEqual([0o600, 0o600]);
    },
  );

  it("syncs the folder of a new log, and of one whose place a foreign file had, so that its name outlives a power cut", () => {
    const names = new Map<number, string>();
    const synced: string[] = [];
    const medium: LogFs = {
      ...fs,
      openSync: ((name: string, flags: string) => {
        const descriptor = fs.openSync(name, flags);
        names.set(descriptor, name);
        return descriptor;
      }) as typeof fs.openSync,
      fdatasyncSync(descriptor) {
        fs.fdatasyncSync(descriptor);
        synced.push(names.get(descriptor)!);
      },
    };
    openOutbox({ path, fs: medium }).close();
    expect(synced.splice(0)).toEqual([path, folder]);
    openOutbox({ path, fs: medium }).close();
    expect(synced.splice(0)).toEqual([path]);
    writeFileSync(path, "dear diary, today");
    openOutbox({ path, fs: medium }).close();
    expect(synced).toEqual([path, folder]);
  });

  it("compacts, stays within its bound and forgets nothing that is pending", () => {
    const outbox = openOutbox({ path, fsync: "none", maxBytes: 50_000 });
    outbox.add(entry(1, 100));
    for (let n = 2; n < 3000; n++) {
      outbox.add(entry(n, 200));
      outbox.end(idOf(n), "answered");
      expect(fs.statSync(path).size).toBeLessThanOrEqual(2 * 50_000 + 65_536 + 8192 * 42);
    }
    outbox.close();
    const again = openOutbox({ path });
    expect(ids(again)).toEqual([1]);
    expect(again.ended.size).toBe(256);
    again.close();
    expect(fs.existsSync(`${path}.tmp`)).toBe(false);
  });

  it("takes a full disk as a value, has room to end what it holds, and works again when there is room", () => {
    const disk = fullDisk();
    const outbox = openOutbox({ path, fs: disk, fsync: "none" });
    for (let n = 1; n <= 400; n++) outbox.add(entry(n, 100));
    disk.room = 50;
    let refused = 0;
    for (let n = 401; n <= 900; n++) refused += Number(!outbox.add(entry(n, 100)).ok);
    expect(refused).toBeGreaterThan(300); // what was taken ahead takes a few
    const kept = ids(outbox);
    for (const n of kept.slice(0, -1)) expect(outbox.end(idOf(n), "answered")).toEqual({ ok: true });
    expect(recoverLog(readFileSync(path)).reason).toBeUndefined();
    disk.room = Number.POSITIVE_INFINITY;
    expect(outbox.add(entry(999))).toMatchObject({ ok: true });
    outbox.close();
    const again = openOutbox({ path });
    expect(ids(again)).toEqual([kept.at(-1), 999]);
    expect(again.recovery).toMatchObject({ droppedBytes: 0 });
    again.close();
  });

  it("opens on a full disk, and ends there what it finds", () => {
    const outbox = openOutbox({ path, fsync: "none" });
    for (let n = 1; n <= 50; n++) outbox.add(entry(n, 300));
    outbox.close();
    const disk = fullDisk();
    disk.room = 0;
    const full = openOutbox({ path, fs: disk, fsync: "none" });
    for (const n of ids(full)) expect(full.end(idOf(n), "expired")).toEqual({ ok: true });
    full.close();
    const again = openOutbox({ path });
    expect(again.pending.size).toBe(0);
    again.close();
  });

  it("keeps an entry whose end the medium did not take", () => {
    const { state: disk, medium } = failingMedium();
    const outbox = openOutbox({ path, fs: medium, fsync: "none" });
    outbox.add(entry(1));
    disk.isBroken = true;
    expect(outbox.end(idOf(1), "answered")).toMatchObject({ ok: false, reason: expect.stringContaining("EIO") });
    expect(ids(outbox)).toEqual([1]);
    disk.isBroken = false;
    expect(outbox.end(idOf(1), "answered")).toEqual({ ok: true });
    outbox.close();
  });

  it("writes nothing once it is closed, though its descriptor may be another file's by then", () => {
    const outbox = openOutbox({ path, fsync: "none" });
    outbox.add(entry(1));
    outbox.close();
    const other = join(folder, "other");
    const descriptor = fs.openSync(other, "w+");
    expect(outbox.add(entry(2))).toMatchObject({ ok: false, why: "disk", reason: expect.stringContaining("closed") });
    expect(outbox.end(idOf(1), "answered")).toMatchObject({ ok: false, reason: expect.stringContaining("closed") });
    outbox.beat();
    outbox.close();
    expect(fs.fstatSync(descriptor).size).toBe(0);
    fs.closeSync(descriptor);
  });

  it("belongs to one process: a second is told who has it, and the dead hold nothing", () => {
    const outbox = openOutbox({ path });
    expect(() => openOutbox({ path })).toThrow(expect.objectContaining({ code: "OUTBOX_LOCKED" }) as Error);
    expect(() => openOutbox({ path })).toThrow(`in use by process ${process.pid}`);
    outbox.close();
    openOutbox({ path }).close();
    const locks = () => fs.readdirSync(folder).filter((name) => name.includes(".lock."));
    expect(locks()).toHaveLength(1);

    for (const dead of [`999999999:1:${"0".repeat(32)}`, `${process.pid}:1:${systemSteadyClock.boot}`, "", "nonsense"]) {
      const [lock] = locks();
      fs.unlinkSync(join(folder, lock!));
      if (dead !== "") fs.symlinkSync(dead, join(folder, lock!));
      else writeFileSync(join(folder, lock!), ""); // not a link at all
      openOutbox({ path }).close();
      expect(locks()).toHaveLength(1);
    }
  });

  it("is not taken from a living process because the start of the machine has no name", () => {
    const lock = lockOutbox(path, NAMELESS_BOOT);
    expect(fs.readdirSync(folder).map((name) => fs.readlinkSync(join(folder, name)))).toEqual([
      expect.stringMatching(`^${process.pid}:.*:${NAMELESS_BOOT}$`),
    ]);
    for (const boot of [NAMELESS_BOOT, "ab".repeat(16)]) {
      expect(() => lockOutbox(path, boot)).toThrow(expect.objectContaining({ code: "OUTBOX_LOCKED" }) as Error);
    }
    lock.release();
    const named = lockOutbox(path, "ab".repeat(16));
    expect(() => lockOutbox(path, NAMELESS_BOOT)).toThrow(expect.objectContaining({ code: "OUTBOX_LOCKED" }) as Error);
    expect(lockOutbox(path, "cd".repeat(16))).toBeDefined(); // the machine has started since
    named.release();
  });

  it("gives the lock to one of many processes that want it at once", async () => {
    const script = join(folder, "contend.mjs");
    await build({
      stdin: {
        contents: `import { lockOutbox } from "./outbox-lock.ts";
          process.stdin.once("data", () => {
            try { lockOutbox(process.argv[2]); console.log("got"); } catch { console.log("locked"); }
          });
          process.stdin.once("end", () => process.exit());
          console.log("ready");`,
        resolveDir: join(packageRoot(), "host/mqtt/outbox"),
        loader: "ts",
      },
      ...{ bundle: true, platform: "node", format: "esm", outfile: script, logLevel: "silent" },
    });
    for (const before of [undefined, "999999999:1:x"]) {
      if (before !== undefined) fs.symlinkSync(before, `${path}.lock.${1000}`);
      const said: string[][] = [];
      const children = Array.from({ length: 6 }, (_, n) => {
        const child = spawn(process.execPath, [script, path], { stdio: ["pipe", "pipe", "inherit"] });
        said[n] = [];
        child.stdout.on("data", (chunk: Buffer) => said[n]!.push(...chunk.toString().trim().split("\n")));
        return child;
      });
      await until(() => said.every((lines) => lines.length === 1), "all are ready");
      for (const child of children) child.stdin.write("go\n");
      await until(() => said.every((lines) => lines.length === 2), "all have tried");
      expect(said.filter((lines) => lines[1] === "got")).toHaveLength(1);
      for (const child of children) child.stdin.end();
      await Promise.all(children.map((child) => new Promise((resolve) => child.once("exit", resolve))));
    }
  });

  it("says how to mend a folder that is not there", () => {
    expect(() => openOutbox({ path: join(folder, "no", "such", "outbox.log") })).toThrow(MqttError);
    expect(() => memoryOutbox({ maxEntries: 0 })).toThrow(MqttError);
  });
});
