import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { startWorker } from "../../../../host/cloud/worker.ts";
import { createAsker } from "../../../../host/mqtt/asks/asker.ts";
import { compareLedgers } from "../../../../host/mqtt/outbox/ledger.ts";
import { startBroker } from "../../../../host/mqtt/transport/broker.ts";
import { echoProvider } from "../../../support/echo-provider.ts";
import { query } from "../../../support/query.ts";

const backoff = { firstMillis: 20, maxMillis: 100 };

describe("a burst over the embedded broker", () => {
  it("is answered whole, a window at a time", async () => {
    const broker = await startBroker({ port: 0 });
    const worker = startWorker({ broker: { url: broker.url }, provider: echoProvider(), backoff });
    await worker.ready(5000);
    let answered = 0;
    const edge = createAsker({
      broker: { url: broker.url },
      site: "lab",
      node: "burst",
      backoff,
      events: { onOutcome: ({ state }) => (answered += Number(state === "answered")) },
    });
    for (let n = 0; n < 500; n++) edge.ask(query(n, { deadlineMillis: 30_000 }));
    expect(await edge.drain(20_000)).toBe(true);
    expect(answered).toBe(500);
    expect(compareLedgers(edge.ledger(), worker.ledger())).toMatchObject({ asked: 500, answered: 500, lost: 0 });
    for (const thing of [edge, worker, broker]) await thing.close();
  });

  it("closes though somebody has connected and said nothing", async () => {
    const broker = await startBroker({ port: 0 });
    const silent = connect(broker.port, "127.0.0.1");
    const ended = new Promise((resolve) => silent.once("close", resolve));
    await new Promise((resolve) => silent.once("connect", resolve));
    await broker.close();
    await ended;
  });

  it("says what to do when its port is taken", async () => {
    const broker = await startBroker({ port: 0 });
    await expect(startBroker({ port: broker.port })).rejects.toMatchObject({ code: "BROKER_PORT_TAKEN" });
    await broker.close();
  });
});
