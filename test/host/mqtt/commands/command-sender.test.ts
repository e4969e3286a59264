import { generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../../host/core/system/clock.ts";
import { statePayload } from "../../../../host/mqtt/asks/presence.ts";
import type { Command } from "../../../../host/mqtt/commands/command.ts";
import { sendCommand } from "../../../../host/mqtt/commands/command-sender.ts";
import { systemRandom } from "../../../../host/mqtt/transport/backoff.ts";
import { type BrokerServer, startBroker } from "../../../../host/mqtt/transport/broker.ts";
import { type Connection, createConnection } from "../../../../host/mqtt/transport/connection.ts";
import { encodePayload } from "../../../../host/mqtt/wire/payloads.ts";
import { buildTopics } from "../../../../host/mqtt/wire/topics.ts";
import { hasMosquitto, mosquittoBroker } from "../../../support/broker.ts";
import { requireAll } from "../../../support/require.ts";
import { until } from "../../../support/until.ts";

const { privateKey } = generateKeyPairSync("ed25519");
const topics = buildTopics("lab", "wrist");
let broker: Pick<BrokerServer, "url" | "close">;
let node: Connection;
beforeEach(async () => {
  broker = await startBroker({ port: 0 });
});
afterEach(async () => {
  await node?.close();
  await broker.close();
});

/** A node that does `onCommand` for each command that it gets. */
async function startNode(onCommand: () => void = () => {}, filters: readonly string[] = [topics.commands]): Promise<void> {
  node = createConnection({
    ...{ broker: { url: broker.url }, clientId: "wrist", clock: systemClock, random: systemRandom, keepAliveSeconds: 60 },
    ...{ backoff: { firstMillis: 20, maxMillis: 100 }, cleanStart: true, sessionExpirySeconds: 0, receiveMaximum: 16 },
    ...{ filters: () => filters, onState: () => {}, onMessage: onCommand },
  });
  node.open();
  await until(() => node.state === "online", "the node is online");
}

const tell = (command: object) =>
  void node.publish(topics.telemetry, encodePayload({ v: 1, kind: "telemetry", node: "wrist", wallMillis: 1, data: { command } }));
const be = (state: "awake" | "asleep" | "offline", untilWallMillis?: number) =>
  node.publish(topics.state, statePayload("wrist", 1, state, {}, untilWallMillis), { retain: true });
const send = (verb: Command["verb"], waitMillis: number) =>
  sendCommand({
    ...{ broker: { url: broker.url }, key: privateKey, waitMillis, expirySeconds: 60 },
    command: { site: "lab", node: "wrist", verb, counter: 5, payload: {} },
  });

describe("a sent command", () => {
  it("a command that comes twice and is obeyed, then refused → the first report counts", async () => {
    await startNode(() => {
      tell({ verb: "snapshot", counter: 5, result: "obeyed", effect: { bytes: 12 } });
      tell({ verb: "snapshot", counter: 5, result: "refused", refusal: "replayed" });
    });
    expect(await send("snapshot", 30_000)).toEqual({ sent: true, result: "obeyed", effect: { bytes: 12 } });
  });

  it("a reboot is obeyed when the node is back, and not at its word", async () => {
    await startNode(async () => {
      tell({ verb: "reboot", counter: 5, result: "obeyed" });
      await be("offline");
      await be("awake");
    });
    await be("awake"); // what it was before
    expect(await send("reboot", 30_000)).toEqual({ sent: true, result: "obeyed", effect: {}, isBack: true });
  });

  it("a node that begins a reboot and stays away → not back", async () => {
    await startNode(() => tell({ verb: "reboot", counter: 5, result: "obeyed" }));
    await be("awake");
    expect(await send("reboot", 400)).toEqual({ sent: true, result: "obeyed", effect: {}, isBack: false });
  });

  it("no retained state → no state; awake and silent → awake", async () => {
    await startNode();
    expect(await send("reboot", 400)).toEqual({ sent: true, result: "none", state: undefined, hasNoReceiver: false });
    await be("awake");
    expect(await send("reboot", 400)).toMatchObject({ sent: true, result: "none", state: { state: "awake" } });
  });

  it("a node that sleeps longer than the wait is not waited for", async () => {
    await startNode();
    const untilWallMillis = Date.now() + 3_600_000;
    await be("asleep", untilWallMillis);
    expect(await send("reboot", 600_000)).toMatchObject({ sent: true, result: "none", state: { state: "asleep", untilWallMillis } });
  });

  it.skipIf(!hasMosquitto() && !requireAll)("mosquitto says that nobody subscribes → not waited for (needs mosquitto)", async () => {
    const own = broker;
    broker = await mosquittoBroker();
    await startNode(() => {}, ["dormouse/v1/lab/wrist/answer"]);
    await be("awake");
    expect(await send("reboot", 600_000)).toMatchObject({ result: "none", state: { state: "awake" }, hasNoReceiver: true });
    await own.close();
  });
});
