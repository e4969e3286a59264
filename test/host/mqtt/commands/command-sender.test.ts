import { generateKeyPairSync } from "node:crypto";
import { expect, it } from "vitest";
import { systemClock } from "../../../../host/core/clock.ts";
import { systemRandom } from "../../../../host/mqtt/backoff.ts";
import { startBroker } from "../../../../host/mqtt/broker.ts";
import { sendCommand } from "../../../../host/mqtt/commands/command-sender.ts";
import { createConnection } from "../../../../host/mqtt/connection.ts";
import { encodePayload } from "../../../../host/mqtt/payloads.ts";
import { topicsOf } from "../../../../host/mqtt/topics.ts";
import { until } from "../../../support/until.ts";

it("believes a node's first word about a command: one that comes twice is obeyed, then refused", async () => {
  const broker = await startBroker({ port: 0 });
  const topics = topicsOf("lab", "wrist");
  const tell = (command: object) =>
    node.publish(topics.telemetry, encodePayload({ v: 1, kind: "telemetry", node: "wrist", wallMillis: 1, data: { command } }));
  const node = createConnection({
    ...{ broker: { url: broker.url }, clientId: "wrist", clock: systemClock, random: systemRandom, keepAliveSeconds: 60 },
    ...{ backoff: { firstMillis: 20, maxMillis: 100 }, cleanStart: true, sessionExpirySeconds: 0, receiveMaximum: 16 },
    ...{ filters: () => [topics.commands], onState: () => {} },
    onMessage() {
      void tell({ counter: 5, result: "obeyed" });
      void tell({ counter: 5, result: "refused", refusal: "replayed" });
    },
  });
  node.open();
  await until(() => node.state === "online", "the node is online");
  const { privateKey } = generateKeyPairSync("ed25519");
  const sent = await sendCommand({
    ...{ broker: { url: broker.url }, key: privateKey, waitMillis: 5000, expirySeconds: 60 },
    command: { site: "lab", node: "wrist", verb: "reboot", counter: 5, payload: {} },
  });
  expect(sent).toEqual({ sent: true, result: "obeyed" });
  for (const thing of [node, broker]) await thing.close();
});
