import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startWorker } from "../../../../host/cloud/worker.ts";
import { createAsker } from "../../../../host/mqtt/asks/asker.ts";
import { createSteadyClock } from "../../../../host/mqtt/outbox/log-time.ts";
import { memoryOutbox, openOutbox } from "../../../../host/mqtt/outbox/outbox.ts";
import { startBroker } from "../../../../host/mqtt/transport/broker.ts";
import type { Connect, Connection } from "../../../../host/mqtt/transport/connection.ts";
import type { AskOutcome } from "../../../../host/mqtt/wire/ask.ts";
import { decodePayload } from "../../../../host/mqtt/wire/payloads.ts";
import { echoProvider } from "../../../support/echo-provider.ts";
import { failingMedium } from "../../../support/failing-medium.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { query } from "../../../support/query.ts";
import { until } from "../../../support/until.ts";

const backoff = { firstMillis: 20, maxMillis: 100 };

/** A connection that is online at once, and publishes as told. */
const connectOnline =
  (publish: Connection["publish"]): Connect =>
  ({ onState }) => ({
    state: "online",
    open: () => onState("online"),
    publish,
    flush: async () => {},
    close: async () => {},
    effort: () => ({ radioMillis: 0, breakerOpens: 0, takeovers: 0 }),
  });

describe("what an asker sends", () => {
  it("the outbox's bytes at first, whatever the caller does with its patches; a repeat says how much time is left", async () => {
    const clock = new ManualClock();
    const outbox = memoryOutbox({}, createSteadyClock(clock));
    const sent: Uint8Array[] = [];
    const connect = connectOnline(async (topic, payload) => {
      if (topic.includes("/ask/")) sent.push(payload);
      return { ok: true };
    });
    const edge = createAsker({
      ...{ broker: { url: "mqtt://127.0.0.1" }, site: "lab", node: "wrist", connect, clock, outbox },
      events: { onOutcome: () => {} },
    });
    const asked = query(7, { deadlineMillis: 20_000 });
    const patches = [...asked.patches];
    const id = edge.ask(asked);
    asked.patches.fill(0); // the ring that it came from goes on
    clock.advance(5000);
    expect(sent[0]).toBe(outbox.pending.get(id)!.payload);
    const read = sent.map((bytes) => decodePayload(["ask"], bytes)).map((decoded) => (decoded.ok ? decoded.value : undefined)!);
    expect(read.map((ask) => [...ask.patches])).toEqual([patches, patches]);
    expect(read[0]!.deadlineMillis).toBe(20_000);
    expect(read[1]!.deadlineMillis).toBeGreaterThanOrEqual(15_000);
    expect(read[1]!.deadlineMillis).toBeLessThan(20_000);
    await edge.close();
  });
});

describe("what an asker refuses itself", () => {
  it("asks that the broker's packets cannot carry: at once, not at their deadline", async () => {
    const outcomes: AskOutcome[] = [];
    const connect = connectOnline(async (topic) =>
      topic.includes("/ask/") ? { ok: false, reason: "65536 B at most", isTooLarge: true } : { ok: true },
    );
    const edge = createAsker({
      ...{ broker: { url: "mqtt://127.0.0.1" }, site: "lab", node: "wrist", connect },
      events: { onOutcome: (outcome) => outcomes.push(outcome) },
    });
    edge.ask(query());
    await until(() => outcomes.length === 1, "it ended");
    expect(outcomes[0]).toMatchObject({ state: "refused", reason: expect.stringContaining("too large") });
    await edge.close();
  });

  it("answers whose end the disk does not take: not acted on, asked again, answered once it does", async () => {
    const folder = mkdtempSync(join(tmpdir(), "dormouse-eio-"));
    const { state: disk, medium } = failingMedium();
    const broker = await startBroker({ port: 0 });
    const worker = startWorker({ broker: { url: broker.url }, provider: echoProvider(), backoff });
    await worker.ready(5000);
    const outcomes: AskOutcome[] = [];
    const edge = createAsker({
      ...{ broker: { url: broker.url }, site: "lab", node: "wrist", backoff, retry: { firstMillis: 50, maxMillis: 50 } },
      outbox: openOutbox({ path: join(folder, "outbox.log"), fsync: "none", fs: medium }),
      events: { onOutcome: (outcome) => outcomes.push(outcome) },
    });
    edge.ask(query(1));
    disk.isBroken = true;
    await until(() => edge.stats().unrecorded >= 2, "answers come in vain");
    expect(outcomes).toEqual([]);
    disk.isBroken = false;
    await until(() => outcomes.length === 1, "it is acted on");
    expect(edge.counts()).toMatchObject({ asked: 1, answered: 1, pending: 0 });
    for (const thing of [edge, worker, broker]) await thing.close();
    rmSync(folder, { recursive: true });
  });
});
