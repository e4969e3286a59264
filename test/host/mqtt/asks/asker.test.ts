import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startWorker } from "../../../../host/cloud/worker.ts";
import { MqttError } from "../../../../host/core/system/errors.ts";
import { type AskerOptions, createAsker } from "../../../../host/mqtt/asks/asker.ts";
import { MAX_QUEUED_EVENTS } from "../../../../host/mqtt/asks/event-publisher.ts";
import { compareLedgers } from "../../../../host/mqtt/outbox/ledger.ts";
import { openLedgerFile } from "../../../../host/mqtt/outbox/ledger-file.ts";
import { readLedgerFile } from "../../../../host/mqtt/outbox/ledger-reading.ts";
import { createSteadyClock } from "../../../../host/mqtt/outbox/log-time.ts";
import { memoryOutbox, openOutbox } from "../../../../host/mqtt/outbox/outbox.ts";
import { startBroker } from "../../../../host/mqtt/transport/broker.ts";
import type { Connect } from "../../../../host/mqtt/transport/connection.ts";
import type { AskOutcome } from "../../../../host/mqtt/wire/ask.ts";
import { encodePayload } from "../../../../host/mqtt/wire/payloads.ts";
import { freePort } from "../../../support/broker.ts";
import { echoProvider } from "../../../support/echo-provider.ts";
import { failingMedium } from "../../../support/failing-medium.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { query } from "../../../support/query.ts";
import { until } from "../../../support/until.ts";

const waitOf = (link: string) => Number(link.match(/next try in (\d+) ms/)?.[1]);
const backoff = { firstMillis: 20, maxMillis: 100 };

describe("an asker without a broker", () => {
  let url: string;
  let clock: ManualClock;
  let outcomes: AskOutcome[];
  let anomalies: string[];
  let links: string[];
  let cleanups: (() => Promise<void>)[];

  beforeEach(async () => {
    url = `mqtt://127.0.0.1:${await freePort()}`; // nobody listens there
    clock = new ManualClock();
    [outcomes, anomalies, links, cleanups] = [[], [], [], []];
  });
  afterEach(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  function asker(options: Partial<AskerOptions> = {}) {
    const made = createAsker({
      broker: { url },
      site: "lab",
      node: "wrist",
      clock,
      events: {
        onOutcome: (outcome) => outcomes.push(outcome),
        onAnomaly: (error) => anomalies.push(error.code),
        onLinkState: (state, detail) => links.push(`${state} ${detail ?? ""}`),
      },
      ...options,
    });
    cleanups.push(() => made.close());
    return made;
  }

  it("keeps trying with a growing, bounded delay, and says why", async () => {
    asker();
    for (let tries = 1; tries <= 8; tries++) {
      await until(() => links.filter((link) => link.startsWith("offline")).length === tries, `try ${tries} failed`);
      clock.advance(waitOf(links.at(-1)!) + 1);
    }
    const waits = links.filter((link) => link.includes("ECONNREFUSED")).map(waitOf);
    expect(waits).toHaveLength(8);
    for (const [n, wait] of waits.entries()) {
      const full = Math.min(30_000, 500 * 2 ** n);
      expect(wait).toBeLessThanOrEqual(full);
    }
    expect(Math.max(...waits)).toBeGreaterThan(500);
  });

  it("ends each ask at its deadline", () => {
    const edge = asker();
    const ids = [10_000, 20_000, 30_000].map((deadlineMillis, n) => edge.ask(query(n, { deadlineMillis })));
    clock.advance(9999);
    expect(edge.counts()).toMatchObject({ asked: 3, pending: 3, expired: 0 });
    clock.advance(10_001);
    expect(outcomes.map(({ id, state, latencyMillis }) => [id, state, latencyMillis])).toEqual([
      [ids[0], "expired", 10_000],
      [ids[1], "expired", 20_000],
    ]);
    expect(edge.ledger().get(ids[2]!)).toBe("pending");
    expect(edge.stats().sends).toBe(0);
  });

  it("evicts the oldest of too many, and what memory cannot carry over a close", async () => {
    const edge = asker({ outbox: memoryOutbox({ maxEntries: 2 }, createSteadyClock(clock)) });
    for (let n = 0; n < 5; n++) edge.ask(query(n));
    expect(outcomes.map(({ tick, state }) => [tick, state])).toEqual([0, 1, 2].map((tick) => [tick, "evicted"]));
    await edge.close();
    expect(edge.counts()).toMatchObject({ asked: 5, evicted: 5, pending: 0 });
    edge.ask(query(9));
    expect(outcomes.at(-1)).toMatchObject({ tick: 9, state: "refused", reason: expect.stringContaining("closed") });
    expect(edge.counts()).toMatchObject({ asked: 6, refused: 1 });
  });

  it("refuses an ask that no worker could read, without sending it", () => {
    const edge = asker();
    edge.ask(query(0, { patches: new Int8Array(25) }));
    edge.ask(query(1, { patches: new Int8Array(200_000) }));
    expect(outcomes).toMatchObject([{ state: "refused" }, { state: "refused" }]);
    expect(edge.counts()).toMatchObject({ asked: 2, refused: 2, pending: 0 });
    expect(() => edge.ask(query(2, { agent: "a/b" }))).toThrow(MqttError);
  });

  it("keeps a bounded number of events, newest first to stay, and never throws for what they hold", () => {
    const edge = asker();
    for (let n = 0; n < MAX_QUEUED_EVENTS + 7; n++) edge.event("activity", { n });
    expect(edge.stats().droppedEvents).toBe(7);
    edge.event("activity", { text: "x".repeat(10_000) });
    edge.event("a/b", {});
    edge.event("activity", { at: new Date() });
    expect(edge.stats().droppedEvents).toBe(10);
    edge.telemetry({ n: 1 });
    expect(edge.stats().droppedTelemetry).toBe(1);
    expect(anomalies.filter((code) => code === "PAYLOAD_INVALID")).toHaveLength(3);
  });

  it("does not wait for ever to drain", async () => {
    const edge = asker();
    edge.ask(query());
    const drained = edge.drain(500);
    clock.advance(500);
    expect(await drained).toBe(false);
  });

  it("says at once which names and URLs can never work", () => {
    expect(() => asker({ node: "a/b" })).toThrow(/node "a\/b" cannot stand in a topic/);
    for (const bad of ["", "nonsense", "http://host", "mqtt://"]) expect(() => asker({ broker: { url: bad } })).toThrow(MqttError);
    expect(() => asker({ broker: { url: "amqp://user:secret@host" } })).toThrow(expect.not.stringContaining("secret") as unknown as Error);
  });

  it("notices a random source that repeats", () => {
    const edge = asker({ random: (count) => new Uint8Array(count) });
    edge.ask(query());
    expect(() => edge.ask(query())).toThrow(MqttError);
  });
});

describe("an asker with a durable outbox", () => {
  let folder: string;
  let path: string;
  const closers: (() => unknown)[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "dormouse-asker-"));
    path = join(folder, "outbox.log");
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("asks on after a restart what was pending, for the time that was left", async () => {
    const deadUrl = `mqtt://127.0.0.1:${await freePort()}`;
    const ledger = join(folder, "edge.jsonl");
    const before = new ManualClock();
    const first = createAsker({
      ...{ broker: { url: deadUrl }, site: "lab", node: "wrist", clock: before, ledgerSink: openLedgerFile(ledger) },
      ...{ outbox: openOutbox({ path, fsync: "none", time: createSteadyClock(before) }), events: { onOutcome: () => {} } },
    });
    const short = first.ask(query(1, { deadlineMillis: 3000 }));
    const long = first.ask(query(2, { deadlineMillis: 60_000 }));
    before.advance(1000);
    await first.close();
    expect(first.counts()).toMatchObject({ pending: 2 });

    const after = new ManualClock(before.wall() + 5000); // five seconds later by the wall clock; the monotonic one starts anew
    const outcomes: AskOutcome[] = [];
    const second = createAsker({
      ...{ broker: { url: deadUrl }, site: "lab", node: "wrist", clock: after, ledgerSink: openLedgerFile(ledger) },
      ...{
        outbox: openOutbox({ path, fsync: "none", time: createSteadyClock(after) }),
        events: { onOutcome: (outcome: AskOutcome) => outcomes.push(outcome) },
      },
    });
    closers.push(() => second.close());
    expect(second.counts()).toMatchObject({ asked: 2, pending: 2 });
    after.advance(0);
    expect(outcomes).toMatchObject([{ id: short, state: "expired", tick: 1, latencyMillis: 3000 }]);
    after.advance(53_999);
    expect(second.ledger().get(long)).toBe("pending");
    after.advance(1);
    expect(outcomes[1]).toMatchObject({ id: long, state: "expired", latencyMillis: 60_000 });
    expect(compareLedgers(readLedgerFile(ledger), new Map())).toMatchObject({ asked: 2, expired: 2, lost: 0 });
  });

  it("neither expires early nor lives for ever when the wall clock jumps", async () => {
    const deadUrl = `mqtt://127.0.0.1:${await freePort()}`;
    const clock = new ManualClock();
    const options = { broker: { url: deadUrl }, site: "lab", node: "wrist", events: { onOutcome: () => {} } };
    const first = createAsker({ ...options, clock, outbox: openOutbox({ path, fsync: "none", time: createSteadyClock(clock) }) });
    first.ask(query(1, { deadlineMillis: 10_000 }));
    clock.jumpWall(86_400_000);
    clock.advance(4000);
    expect(first.counts().pending).toBe(1);
    await first.close();
    const earlier = new ManualClock(0); // a device without a clock battery, back in 1970: it keeps the age that it had
    const second = createAsker({
      ...options,
      clock: earlier,
      outbox: openOutbox({ path, fsync: "none", time: createSteadyClock(earlier) }),
    });
    closers.push(() => second.close());
    earlier.advance(5999);
    expect(second.counts().pending).toBe(1);
    earlier.advance(1);
    expect(second.counts()).toMatchObject({ pending: 0, expired: 1 });
  });

  it("counts the time for which the machine slept", async () => {
    const clock = new ManualClock();
    let sleptMillis = 0;
    const time = { boot: "0".repeat(32), steady: () => clock.now() + sleptMillis, wall: () => clock.wall() };
    const edge = createAsker({
      ...{ broker: { url: `mqtt://127.0.0.1:${await freePort()}` }, site: "lab", node: "wrist", events: { onOutcome: () => {} }, clock },
      outbox: openOutbox({ path, fsync: "none", time }),
    });
    closers.push(() => edge.close());
    edge.ask(query(1, { deadlineMillis: 300_000 }));
    edge.ask(query(2, { deadlineMillis: 600_000 }));
    sleptMillis = 400_000; // timers and performance.now() stood still
    clock.advance(30_000);
    expect(edge.counts()).toMatchObject({ expired: 1, pending: 1 });
  });

  it("neither sends nor takes an answer for an ask whose time went by while the machine slept, nor ages one that came after", () => {
    const clock = new ManualClock();
    let sleptMillis = 0;
    const time = { boot: "0".repeat(32), steady: () => clock.now() + sleptMillis, wall: () => clock.wall() };
    let link: Parameters<Connect>[0];
    let isOnline = false;
    const sent: string[] = [];
    const connect: Connect = (options) => {
      link = options;
      return {
        get state() {
          return isOnline ? "online" : "offline";
        },
        async publish(topic, _, { correlationData = new Uint8Array() } = {}) {
          if (topic.includes("/ask/")) sent.push(Buffer.from(correlationData).toString("hex"));
          return { ok: true };
        },
        ...{
          open: () => {},
          flush: async () => {},
          close: async () => {},
          effort: () => ({ radioMillis: 0, breakerOpens: 0, takeovers: 0 }),
        },
      };
    };
    const outcomes: AskOutcome[] = [];
    const edge = createAsker({
      ...{ broker: { url: "mqtt://127.0.0.1" }, site: "lab", node: "wrist", clock, connect },
      ...{ outbox: openOutbox({ path, fsync: "none", time }), events: { onOutcome: (outcome) => outcomes.push(outcome) } },
    });
    closers.push(() => edge.close());
    const turn = (on: boolean) => {
      isOnline = on;
      link.onState(on ? "online" : "offline");
    };
    const stale = edge.ask(query(1, { deadlineMillis: 30_000 }));
    sleptMillis = 7_200_000; // the lid was shut for two hours
    turn(true);
    expect(sent).toEqual([]);
    const fresh = edge.ask(query(2, { deadlineMillis: 30_000 }));
    expect(sent).toEqual([fresh]);
    clock.advance(0);
    expect(outcomes).toMatchObject([{ id: stale, state: "expired", latencyMillis: 7_200_000 }]);

    sleptMillis += 7_200_000;
    const { agent } = query();
    const answer = {
      v: 1,
      kind: "answer",
      node: "wrist",
      agent,
      tick: 2,
      wallMillis: 1,
      label: 1,
      confidence: 0.9,
      model: "test",
    } as const;
    const correlationData = Buffer.from(fresh, "hex");
    link!.onMessage({ topic: "dormouse/v1/lab/wrist/answer", payload: encodePayload(answer), retain: false, correlationData });
    expect(outcomes[1]).toMatchObject({ id: fresh, state: "expired" });
    expect(edge.counts()).toMatchObject({ asked: 2, expired: 2, lateAnswers: 1 });
  });

  it("says so when asks that the disk refused at first push out older ones", async () => {
    const clock = new ManualClock();
    const { state: disk, medium } = failingMedium();
    const outcomes: AskOutcome[] = [];
    const outbox = openOutbox({ path, fsync: "none", fs: medium, maxEntries: 4 });
    const edge = createAsker({
      ...{ broker: { url: `mqtt://127.0.0.1:${await freePort()}` }, site: "lab", node: "wrist", clock, outbox },
      events: { onOutcome: (outcome) => outcomes.push(outcome) },
    });
    closers.push(() => edge.close());
    const ask = (n: number) => edge.ask(query(n, { deadlineMillis: 80_000_000 }));
    const ids = [1, 2, 3, 4].map(ask);
    disk.isBroken = true;
    ids.push(...[5, 6, 7].map(ask));
    disk.isBroken = false;
    clock.advance(30_000);
    expect(outcomes.map(({ id, state }) => [id, state])).toEqual(ids.slice(0, 3).map((id) => [id, "evicted"]));
    expect(edge.counts()).toMatchObject({ asked: 7, evicted: 3, pending: 4 });
    expect(edge.stats().evictions.full).toBe(3);
    expect([...outbox.pending.keys()]).toEqual(ids.slice(3));
  });

  it("gets the answer that a process before it asked for, once", async () => {
    const broker = await startBroker({ port: 0 });
    closers.push(() => broker.close());
    const options = { broker: { url: broker.url }, site: "lab", node: "wrist", backoff };
    const first = createAsker({ ...options, outbox: openOutbox({ path, fsync: "none" }), events: { onOutcome: () => {} } });
    const id = first.ask(query(1));
    await until(() => first.stats().sends === 1, "the ask is sent");
    await first.close();
    const provider = echoProvider();
    const worker = startWorker({ broker: { url: broker.url }, provider, backoff });
    closers.push(() => worker.close());
    await worker.ready(5000);
    const outcomes: AskOutcome[] = [];
    const second = createAsker({ ...options, outbox: openOutbox({ path }), events: { onOutcome: (outcome) => outcomes.push(outcome) } });
    closers.push(() => second.close());
    expect(second.stats().recovered).toBe(1);
    expect(await second.drain(5000)).toBe(true);
    expect(outcomes).toMatchObject([{ id, state: "answered", tick: 1 }]);
    expect(compareLedgers(second.ledger(), worker.ledger())).toMatchObject({ answered: 1, lost: 0 });
  });

  it("evicts what it can no longer read, and says so", async () => {
    const outbox = openOutbox({ path, fsync: "none" });
    outbox.add({ kind: "ask", id: "ab".repeat(16), payload: Uint8Array.of(1, 2, 3) });
    outbox.close();
    const anomalies: string[] = [];
    const edge = createAsker({
      ...{ broker: { url: `mqtt://127.0.0.1:${await freePort()}` }, site: "lab", node: "wrist", clock: new ManualClock() },
      ...{ outbox: openOutbox({ path }), events: { onOutcome: () => {}, onAnomaly: (error) => anomalies.push(error.code) } },
    });
    closers.push(() => edge.close());
    expect(edge.counts()).toMatchObject({ asked: 1, evicted: 1, pending: 0 });
    expect(anomalies).toContain("OUTBOX_ENTRY_UNREADABLE");
  });
});
