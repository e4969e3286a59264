import { describe, expect, it } from "vitest";
import { startWorker } from "../../../../host/cloud/worker.ts";
import { systemClock } from "../../../../host/core/system/clock.ts";
import { createAsker } from "../../../../host/mqtt/asks/asker.ts";
import { statePayload } from "../../../../host/mqtt/asks/presence.ts";
import { memoryOutbox } from "../../../../host/mqtt/outbox/outbox.ts";
import { type BrokerServer, startBroker } from "../../../../host/mqtt/transport/broker.ts";
import type { ConnectionOptions } from "../../../../host/mqtt/transport/connection-options.ts";
import { decodePayload, encodePayload } from "../../../../host/mqtt/wire/payloads.ts";
import { query } from "../../../support/query.ts";
import { until } from "../../../support/until.ts";

/** A clock that says 1969. */
const early = { ...systemClock, wall: () => -18_662_400_000 };

describe("a wall clock before 1970", () => {
  it("payloads carry 0: not set", () => {
    const decoded = decodePayload(["state"], statePayload("wrist", early.wall(), "awake"));
    expect(decoded).toMatchObject({ ok: true, value: { wallMillis: 0, state: "awake" } });
    expect(() => encodePayload({ v: 1, kind: "telemetry", node: "wrist", wallMillis: Number.NaN, data: {} })).toThrow();
  });

  it("asks are answered, and node and worker close", async () => {
    const broker: BrokerServer = await startBroker({ port: 0 });
    const worker = startWorker({
      ...{ broker: { url: broker.url }, clock: early },
      provider: { name: "echo", answer: async (batch) => batch.map(() => ({ ok: true, label: 1, confidence: 0.9, model: "echo" })) },
    });
    await worker.ready(10_000);
    const edge = createAsker({
      ...{ broker: { url: broker.url }, site: "lab", node: "wrist", clock: early },
      events: { onOutcome: () => {} },
    });
    edge.ask(query());
    expect(await edge.drain(10_000)).toBe(true);
    expect(edge.counts()).toMatchObject({ answered: 1, pending: 0 });
    await edge.close();
    await worker.close();
    await until(() => broker.clients() === 0, "both have left");
    await broker.close();
  });
});

describe("a close in which something fails", () => {
  it("a connection that cannot close → outbox and ledger are closed still, and the error is thrown", async () => {
    const closed: string[] = [];
    const outbox = memoryOutbox();
    const edge = createAsker({
      ...{ broker: { url: "mqtt://127.0.0.1:1" }, site: "lab", node: "wrist", events: { onOutcome: () => {} } },
      outbox: { ...outbox, close: () => closed.push("outbox") },
      ledgerSink: { append: () => {}, close: () => closed.push("ledger") },
      connect: (_: ConnectionOptions) => ({
        ...{
          state: "offline" as const,
          open: () => {},
          flush: async () => {},
          effort: () => ({ radioMillis: 0, breakerOpens: 0, takeovers: 0 }),
        },
        publish: async () => ({ ok: false as const, reason: "offline" }),
        close: () => Promise.reject(new Error("the socket is stuck")),
      }),
    });
    await expect(edge.close()).rejects.toThrow("the socket is stuck");
    expect(closed).toEqual(["outbox", "ledger"]);
  });
});
