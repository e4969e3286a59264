import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../../host/core/system/clock.ts";
import { createAsker } from "../../../../host/mqtt/asks/asker.ts";
import { openOutbox } from "../../../../host/mqtt/outbox/outbox.ts";
import { systemRandom } from "../../../../host/mqtt/transport/backoff.ts";
import { startBroker } from "../../../../host/mqtt/transport/broker.ts";
import { type Connect, createConnection } from "../../../../host/mqtt/transport/connection.ts";
import { freePort } from "../../../support/broker.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { query } from "../../../support/query.ts";
import { until } from "../../../support/until.ts";

const backoff = { firstMillis: 20, maxMillis: 100 };

describe("an alarm", () => {
  it("outlives its process and is told before everything else, once the broker is there", async () => {
    const folder = mkdtempSync(join(tmpdir(), "dormouse-alarm-"));
    const path = join(folder, "outbox.log");
    const port = await freePort();
    const options = { broker: { url: `mqtt://127.0.0.1:${port}` }, site: "lab", node: "wrist", backoff, events: { onOutcome: () => {} } };
    const first = createAsker({ ...options, outbox: openOutbox({ path, fsync: "none" }) });
    const early = first.alarm("fall", { label: "fall" });
    expect(first.stats().alarms).toEqual({ raised: 1, delivered: 0, undelivered: 0, pending: 1 });
    await first.close();

    const broker = await startBroker({ port });
    const heard: { readonly topic: string; readonly id: string }[] = [];
    const listener = createConnection({
      ...{ broker: options.broker, clientId: "listener", clock: systemClock, random: systemRandom, backoff, keepAliveSeconds: 60 },
      ...{ cleanStart: true, sessionExpirySeconds: 0, receiveMaximum: 100, onState: () => {} },
      filters: () => ["dormouse/v1/lab/wrist/ask/+", "dormouse/v1/lab/wrist/event/+"],
      onMessage: ({ topic, correlationData }) => heard.push({ topic, id: Buffer.from(correlationData ?? []).toString("hex") }),
    });
    listener.open();
    await until(() => listener.state === "online", "the listener is online");
    const second = createAsker({ ...options, outbox: openOutbox({ path, fsync: "none" }) });
    for (let n = 0; n < 20; n++) second.ask(query(n));
    second.event("fall", { label: "walking" });
    const late = second.alarm("fall", { label: "fall" });
    await until(() => second.stats().alarms.pending === 0 && heard.length >= 4, "both alarms are told");
    expect(heard.slice(0, 2)).toEqual([early, late].map((id) => ({ topic: "dormouse/v1/lab/wrist/event/fall", id })));
    expect(second.stats().alarms).toEqual({ raised: 2, delivered: 2, undelivered: 0, pending: 0 });
    for (const thing of [second, listener, broker]) await thing.close();
    const third = openOutbox({ path });
    expect([...third.pending.values()].filter(({ kind }) => kind === "alarm")).toEqual([]);
    third.close();
    rmSync(folder, { recursive: true });
  });
});

describe("an alarm that comes late", () => {
  it("waits in the log while its asker closes, and is given up after that: no other file is written", async () => {
    const folder = mkdtempSync(join(tmpdir(), "dormouse-late-"));
    const clock = new ManualClock();
    const anomalies: string[] = [];
    const leave: (() => void)[] = [];
    const connect: Connect = () => ({
      ...{ state: "offline", open: () => {}, flush: async () => {}, publish: async () => ({ ok: false, reason: "offline" }) },
      ...{ close: () => new Promise((resolve) => leave.push(resolve)), effort: () => ({ radioMillis: 0, breakerOpens: 0, takeovers: 0 }) },
    });
    const open = (name: string) =>
      createAsker({
        ...{ broker: { url: "mqtt://127.0.0.1" }, site: "lab", node: name, clock, connect },
        outbox: openOutbox({ path: join(folder, name), fsync: "none" }),
        events: { onOutcome: () => {}, onAnomaly: (error) => anomalies.push(error.code) },
      });
    const first = open("first");
    const closed = first.close();
    const kept = first.alarm("fall", { label: "fall" });
    while (leave.length === 0) await Promise.resolve(); // close takes its steps one after the other
    leave[0]!();
    await closed;
    expect(clock.timers).toBe(0);

    const second = open("second"); // the system gives it the descriptor that the first one had
    second.ask(query(1));
    const before = readFileSync(join(folder, "second"));
    first.alarm("fall", { label: "fall" });
    expect(readFileSync(join(folder, "second"))).toEqual(before);
    expect(anomalies).toEqual(["ALARM_REFUSED"]);
    expect(first.stats().alarms).toEqual({ raised: 2, delivered: 0, undelivered: 1, pending: 1 });
    const log = openOutbox({ path: join(folder, "first") });
    expect([...log.pending.keys()]).toEqual([kept]);
    log.close();
    const over = second.close();
    while (leave.length === 1) await Promise.resolve();
    leave[1]!();
    await over;
    rmSync(folder, { recursive: true });
  });
});
