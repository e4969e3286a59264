import { expect, it } from "vitest";
import { startWorker } from "../../../../host/cloud/worker.ts";
import { createAsker } from "../../../../host/mqtt/asks/asker.ts";
import { compareLedgers } from "../../../../host/mqtt/outbox/ledger.ts";
import { hasMosquitto, mosquittoBroker } from "../../../support/broker.ts";
import { echoProvider } from "../../../support/echo-provider.ts";
import { query } from "../../../support/query.ts";
import { requireAll } from "../../../support/require.ts";

const ASKS = 5000;

it.skipIf(!hasMosquitto() && !requireAll)(
  "answers every one of 5,000 asks at once from one device, through mosquitto's default queue of 1,000 (needs mosquitto)",
  async () => {
    const broker = await mosquittoBroker();
    const worker = startWorker({ broker: { url: broker.url }, provider: echoProvider() });
    await worker.ready(10_000);
    const acted = new Set<string>();
    let wrong = 0;
    const edge = createAsker({
      broker: { url: broker.url },
      ...{ site: "lab", node: "burst" },
      events: {
        onOutcome({ id, tick, answer }) {
          if (acted.has(id) || answer?.label !== tick % 3) wrong++;
          acted.add(id);
        },
      },
    });
    const begin = performance.now();
    for (let n = 0; n < ASKS; n++) edge.ask(query(n, { deadlineMillis: 30_000 }));
    expect(await edge.drain(32_000)).toBe(true);
    const millis = performance.now() - begin;
    expect(edge.counts()).toMatchObject({ asked: ASKS, answered: ASKS, expired: 0, refused: 0, evicted: 0, pending: 0 });
    expect([acted.size, wrong]).toEqual([ASKS, 0]);
    expect(compareLedgers(edge.ledger(), worker.ledger())).toMatchObject({ asked: ASKS, answered: ASKS, lost: 0, neverAtCloud: 0 });
    if (process.env.DORMOUSE_CHAOS === "full") {
      console.log(JSON.stringify({ asks: ASKS, asksPerSecond: Math.round((ASKS / millis) * 1000), ...edge.stats() }));
    }
    for (const thing of [edge, worker, broker]) await thing.close();
  },
);
