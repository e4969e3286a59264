import type { Readable } from "node:stream";
import mqtt, { type MqttClient } from "mqtt";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type BrokerServer, startBroker } from "../../../../host/mqtt/transport/broker.ts";
import { boundBrokerMemory, type MessageStore } from "../../../../host/mqtt/transport/broker-memory.ts";
import { MAX_PACKET_BYTES } from "../../../../host/mqtt/wire/payloads.ts";
import { until } from "../../../support/until.ts";
import { connectPacket, publishPacket, rawClient, subscribePacket, untilClosed } from "./raw-client.ts";

describe("one peer of the embedded broker", () => {
  let broker: BrokerServer;
  let anomalies: string[];
  let clients: MqttClient[];
  beforeEach(async () => {
    anomalies = [];
    clients = [];
    broker = await startBroker({ port: 0, onAnomaly: ({ code }) => anomalies.push(code) });
  });
  afterEach(async () => {
    for (const client of clients) client.end(true);
    await broker.close();
  });

  async function open(clientId?: string): Promise<MqttClient> {
    const client = mqtt.connect(broker.url, { protocolVersion: 5, reconnectPeriod: 0, ...(clientId === undefined ? {} : { clientId }) });
    clients.push(client);
    await new Promise((resolve, reject) => client.once("connect", resolve).once("error", reject));
    return client;
  }

  it("that stops reading is cut off → all publishes are acknowledged, all others hear them, new clients connect", async () => {
    const stopped = await rawClient(broker.port, "stopped");
    stopped.write(subscribePacket("#"));
    await new Promise((resolve) => stopped.once("data", resolve));
    stopped.pause();
    const listener = await open();
    let heard = 0;
    listener.on("message", () => heard++);
    await listener.subscribeAsync("#");
    const publisher = await open();
    const payload = Buffer.alloc(30_000);
    for (let sent = 0; sent < 800; sent += 20) {
      await Promise.all(Array.from({ length: 20 }, () => publisher.publishAsync("x", payload, { qos: 1 })));
      await until(() => heard >= sent + 20, "the listener hears what was acknowledged");
    }
    await open();
    expect(heard).toBe(800);
    expect(broker.clients()).toBe(3); // listener, publisher and the new one
    expect(new Set(anomalies)).toEqual(new Set(["BROKER_SLOW_CLIENT"]));
    stopped.destroy();
  });

  it("that stops reading → the broker's close does not wait for it", async () => {
    const stopped = await rawClient(broker.port, "stopped");
    stopped.write(subscribePacket("#"));
    await new Promise((resolve) => stopped.once("data", resolve));
    stopped.pause();
    const publisher = await open();
    for (let sent = 0; sent < 300; sent++) await publisher.publishAsync("x", Buffer.alloc(30_000), { qos: 1 }); // 9 MB: above what the kernel takes
    const startedAt = performance.now();
    await broker.close();
    expect(performance.now() - startedAt).toBeLessThan(10_000); // aedes alone: 60 s
    stopped.destroy();
  });

  it("that sends text which is no MQTT text → its connection ends with 0x81, nobody else hears it", async () => {
    const listener = await open();
    const heard: string[] = [];
    listener.on("message", (topic) => heard.push(topic));
    await listener.subscribeAsync("#");
    const flawed = [Buffer.from("a\0"), Buffer.of(0x61, 0xc0, 0xaf), Buffer.of(0xed, 0xa0, 0x80), Buffer.of(0xf0, 0x9f, 0x98)];
    for (const topic of flawed) {
      for (const bytes of [publishPacket(topic), subscribePacket(topic)]) {
        const peer = await rawClient(broker.port, "flawed");
        const rest = untilClosed(peer);
        peer.write(bytes);
        expect((await rest).toString("hex")).toMatch(/^e0..81/);
      }
      const peer = await rawClient(broker.port, "whole");
      const unknown = untilClosed(peer);
      peer.end(connectPacket(topic)); // a second CONNECT, and one with a flawed client id
      await unknown;
    }
    await listener.publishAsync("after", "x", { qos: 1 });
    await until(() => heard.includes("after"), "the listener hears what is sound");
    expect(heard).toEqual(["after"]);
  });

  it("that connects with a client id, or a will, which is no MQTT text → it is not let in", async () => {
    const peer = await rawClient(broker.port, "whole");
    peer.destroy();
    const { connect } = await import("node:net");
    const flawed = connect(broker.port, "127.0.0.1");
    flawed.on("error", () => {});
    const rest = untilClosed(flawed);
    flawed.write(connectPacket(Buffer.from("a\0b")));
    expect((await rest).length).toBe(0);
  });

  it("that sends more than the Maximum Packet Size → 0x95, before the rest has come", async () => {
    const peer = await rawClient(broker.port, "huge");
    const rest = untilClosed(peer);
    peer.write(Buffer.of(0x30, 0xff, 0xff, 0xff, 0x7f));
    peer.write(Buffer.alloc(1000));
    expect((await rest).toString("hex")).toMatch(/^e0..95/);
    expect(anomalies).toEqual(["BROKER_PACKET_TOO_LARGE"]);
    expect(MAX_PACKET_BYTES).toBeLessThan(0x7fff_ffff);
  });

  it("that is away → its session still gets what waits for it", async () => {
    const peer = await rawClient(broker.port, "sleeper", false);
    peer.write(subscribePacket("to/sleeper", 1));
    await new Promise((resolve) => peer.once("data", resolve));
    peer.destroy();
    await until(() => broker.clients() === 0, "the sleeper is away");
    const publisher = await open();
    for (let n = 0; n < 50; n++) await publisher.publishAsync("to/sleeper", `m${n};`, { qos: 1 });
    const again = await rawClient(broker.port, "sleeper", false);
    let text = "";
    again.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    await until(() => text.includes("m49;"), "the last message comes");
    expect([...text.matchAll(/m\d+;/g)].length).toBeGreaterThanOrEqual(49); // the first may have come with the CONNACK
    again.destroy();
  });
});

describe("the embedded broker's memory", () => {
  const limits = { sessionMessages: 3, sessionBytes: 100, totalBytes: 150, retainedTopics: 2, retainedBytes: 60, unreleased: 2 };
  let counter = 0;
  const message = (payload: string, more: object = {}) => ({
    ...{ topic: "t", payload: Buffer.from(payload), qos: 1, brokerId: "b", brokerCounter: ++counter },
    ...more,
  });

  function bounded() {
    const kept = new Map<string, string>();
    const dropped: string[] = [];
    const store = {
      storeRetained: async (one: { topic: string; payload: Buffer }) => void kept.set(one.topic, one.payload.toString()),
      cleanSubscriptions: async () => {},
    } as unknown as MessageStore;
    let now = 0;
    boundBrokerMemory(
      store,
      limits,
      () => now,
      (what, owner) => dropped.push(`${what} ${owner}`),
    );
    const waiting = async (id: string) => {
      const texts: string[] = [];
      for await (const one of store.outgoingStream({ id }) as Readable) texts.push(String(one.payload));
      return texts;
    };
    return { store, kept, dropped, waiting, at: (millis: number) => (now = millis) };
  }

  it("keeps so many messages and bytes per session and in all; what is acknowledged or expired makes room", async () => {
    const { store, dropped, waiting, at } = bounded();
    for (const text of ["1", "2", "3", "4"]) await store.outgoingEnqueue({ clientId: "a" }, message(text));
    expect(await waiting("a")).toEqual(["1", "2", "3"]);
    const [first] = await store.outgoingStream({ id: "a" }).toArray();
    await store.outgoingUpdate({ id: "a" }, { ...first, messageId: 7 });
    await store.outgoingClearMessageId({ id: "a" }, { ...first, messageId: 7 });
    await store.outgoingEnqueueCombi([{ clientId: "a" }], message("5", { messageExpiry: 10 }));
    expect(await waiting("a")).toEqual(["2", "3", "5"]);
    at(10);
    await store.outgoingEnqueue({ clientId: "a" }, message("6"));
    expect(await waiting("a")).toEqual(["2", "3", "6"]);
    await store.outgoingEnqueue({ clientId: "big" }, message("x".repeat(100)));
    await store.outgoingEnqueue({ clientId: "b" }, message("y".repeat(98)));
    await store.outgoingEnqueue({ clientId: "c" }, message("z".repeat(98)));
    expect([await waiting("big"), await waiting("c")]).toEqual([[], []]);
    expect(dropped).toEqual(["queued a", "queued big", "queued c"]);
    for (const one of await store.outgoingStream({ id: "b" }).toArray()) await store.outgoingClearMessageId({ id: "b" }, one);
    await store.outgoingEnqueue({ clientId: "c" }, message("z".repeat(98)));
    expect(await waiting("c")).toHaveLength(1);
  });

  it("retains so many topics and bytes: a known topic still changes, a cleared one makes room", async () => {
    const { store, kept, dropped } = bounded();
    for (const topic of ["a", "b", "c"]) await store.storeRetained(message("1", { topic }));
    await store.storeRetained(message("2", { topic: "b" }));
    await store.storeRetained(message("x".repeat(80), { topic: "b" }));
    expect([...kept]).toEqual([
      ["a", "1"],
      ["b", "2"],
    ]);
    expect(dropped).toEqual(["retained c", "retained b"]);
    await store.storeRetained(message("", { topic: "a" }));
    await store.storeRetained(message("1", { topic: "c" }));
    expect(kept.get("c")).toBe("1");
  });

  it("holds at most the Receive Maximum of a client's unreleased QoS 2 messages, until its session ends", async () => {
    const { store } = bounded();
    const id = { id: "a" };
    for (const messageId of [1, 2]) await store.incomingStorePacket(id, message("x", { messageId }));
    await expect(store.incomingStorePacket(id, message("x", { messageId: 3 }))).rejects.toThrow();
    await store.incomingDelPacket(id, message("x", { messageId: 1 }));
    await store.incomingStorePacket(id, message("x", { messageId: 3 }));
    await store.cleanSubscriptions(id);
    await expect(store.incomingGetPacket(id, message("x", { messageId: 3 }))).rejects.toThrow();
  });
});
