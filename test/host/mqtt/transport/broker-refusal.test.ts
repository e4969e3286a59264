import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createAsker } from "../../../../host/mqtt/asks/asker.ts";
import { startBroker } from "../../../../host/mqtt/transport/broker.ts";
import { readLoss } from "../../../../host/mqtt/transport/broker-refusal.ts";
import { hasMosquitto, mosquittoBroker } from "../../../support/broker.ts";
import { requireAll } from "../../../support/require.ts";
import { until } from "../../../support/until.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A broker of a few bytes: `onConnect` and `onSubscribe` answer the first byte of a packet. */
async function byteBroker(onConnect: (socket: Socket) => void, onSubscribe?: (socket: Socket, id: Buffer) => void): Promise<string> {
  const server: Server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      if (chunk[0] === 0x10) onConnect(socket);
      if (chunk[0] === 0x82) onSubscribe?.(socket, chunk.subarray(2, 4));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  return `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function startNode(url: string, node = "twin") {
  const anomalies: { code: string; message: string }[] = [];
  const links: string[] = [];
  const asker = createAsker({
    ...{ broker: { url }, site: "lab", node, backoff: { firstMillis: 1, maxMillis: 5 } },
    events: {
      onOutcome: () => {},
      onAnomaly: ({ code, message }) => anomalies.push({ code, message }),
      onLinkState: (state, detail) => links.push(`${state} ${detail ?? ""}`),
    },
  });
  closers.push(() => asker.close());
  const waitsSeconds = () => links.filter((link) => link.startsWith("offline")).map((link) => Number(/in (\d+) ms/.exec(link)![1]) / 1000);
  return { asker, anomalies, links, waitsSeconds };
}

describe("why a connection ends", () => {
  it("reason string and server reference → are shown as plain text, bounded", () => {
    const properties = { reasonString: "maintenance\u001b[31m until noon", serverReference: "b2.example:8883" };
    const moved = readLoss({ cmd: "disconnect", reasonCode: 0x9d, properties } as Parameters<typeof readLoss>[0], "wrist")!;
    expect(moved).toMatchObject({ isLasting: true });
    expect(moved.why).toContain("maintenance\\u001b[31m until noon");
    expect(moved.why).toContain('another server: "b2.example:8883"');
    const long = { reasonString: "x".repeat(60_000) };
    expect(readLoss({ cmd: "connack", sessionPresent: false, reasonCode: 0x87, properties: long }, "wrist")!.why.length).toBeLessThan(400);
    expect(readLoss({ cmd: "connack", sessionPresent: false, reasonCode: 0 }, "wrist")).toBeUndefined();
    expect(readLoss({ cmd: "pingresp" }, "wrist")).toBeUndefined();
  });

  it("a refused CONNECT with a server reference → the link's detail names it", async () => {
    const reference = Buffer.from("b2.example");
    const properties = Buffer.concat([Buffer.from([0x1c, 0, reference.length]), reference]);
    const connack = Buffer.concat([Buffer.from([0x20, 3 + properties.length, 0, 0x9c, properties.length]), properties]);
    const { links } = startNode(await byteBroker((socket) => socket.end(connack)));
    await until(() => links.some((link) => link.includes('another server: "b2.example"')), "the server is named");
  });

  it.each([
    ["CONNACK 0x01, as MQTT 3.1.1 has it", (socket: Socket) => socket.end(Buffer.from([0x20, 2, 0, 1]))],
    ["CONNACK 0x84", (socket: Socket) => socket.end(Buffer.from([0x20, 3, 0, 0x84, 0]))],
    ["a close on every CONNECT", (socket: Socket) => socket.end()],
  ])("%s → the broker is named as one of MQTT 3.1.1 alone, once", async (_, onConnect) => {
    const { anomalies, links } = startNode(await byteBroker(onConnect));
    await until(() => anomalies.length > 0, "the broker is named");
    expect(anomalies).toMatchObject([{ code: "BROKER_TOO_OLD" }]);
    await until(() => links.some((link) => link.startsWith("offline") && link.includes("3.1.1")), "the link says so");
  });
});

describe("two nodes of one name", () => {
  it.each([
    ["the embedded broker", async () => startBroker({ port: 0 })],
    ["mosquitto (needs mosquitto)", async () => (hasMosquitto() || requireAll ? mosquittoBroker() : undefined)],
  ])("on %s → the one that was thrown out says so once, counts it and waits long", async (_, open) => {
    const broker = await open();
    if (broker === undefined) return;
    closers.push(() => broker.close());
    const first = startNode(broker.url);
    await until(() => first.asker.linkState === "online", "the first is online");
    const second = startNode(broker.url);
    const all = [first, second];
    await until(() => all.some(({ anomalies }) => anomalies.length > 0), "one is told"); // mosquitto 2.0.11 gives no reason: after three times
    const told = all.find(({ anomalies }) => anomalies.length > 0)!;
    const other = all.find((one) => one !== told)!;
    await until(() => other.asker.linkState === "online" && told.asker.linkState === "offline", "the other one is left alone");
    expect(told.anomalies).toEqual([{ code: "NAME_TAKEN", message: expect.stringContaining("another client uses the name twin") }]);
    expect(told.asker.stats()).toMatchObject({ takeovers: 1 });
    expect(told.waitsSeconds().at(-1)).toBeGreaterThanOrEqual(60);
    expect(other.anomalies).toEqual([]);
  });

  it("a broker that closes without a reason, again and again soon after connecting → another client is the likely cause", async () => {
    const url = await byteBroker(
      (socket) => socket.write(Buffer.from([0x20, 3, 1, 0, 0])), // session present
      (socket, id) => socket.end(Buffer.from([0x90, 4, id[0]!, id[1]!, 0, 1])),
    );
    const { asker, anomalies, waitsSeconds } = startNode(url);
    await until(() => anomalies.length > 0, "it is told");
    expect(anomalies).toMatchObject([{ code: "NAME_TAKEN" }]);
    await until(() => waitsSeconds().length === 3, "it waits");
    expect(waitsSeconds().at(-1)).toBeGreaterThanOrEqual(60);
    expect(asker.stats().takeovers).toBe(1);
  });
});
