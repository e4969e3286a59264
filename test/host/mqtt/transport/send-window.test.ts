import type { IClientPublishOptions, MqttClient } from "mqtt";
import { describe, expect, it } from "vitest";
import { createAskWindow } from "../../../../host/mqtt/asks/ask-window.ts";
import { isLastingRefusal, readOffer } from "../../../../host/mqtt/transport/broker-offer.ts";
import { createSendWindow } from "../../../../host/mqtt/transport/send-window.ts";
import { ManualClock } from "../../../support/manual-clock.ts";

/** A broker's CONNACK and the acknowledgements that the test gives. */
function windowWith(properties: Record<string, unknown> = {}) {
  const sent: { readonly topic: string; readonly options: IClientPublishOptions; readonly acknowledge: () => void }[] = [];
  const client = {
    publish(topic: string, _payload: Buffer, options: IClientPublishOptions, done: (error?: Error) => void) {
      sent.push({ topic, options, acknowledge: () => done() });
    },
    on() {},
  } as unknown as MqttClient;
  const clock = new ManualClock();
  let stalls = 0;
  const offer = readOffer({ cmd: "connack", sessionPresent: false, properties } as unknown as Parameters<typeof readOffer>[0]);
  const window = createSendWindow({ client, offer, clock, ackTimeoutMillis: 20_000, onStalled: () => stalls++ });
  return { window, sent, clock, stalls: () => stalls };
}

const payload = new Uint8Array(10);

describe("the send window", () => {
  it("keeps to the broker's receive maximum, and sends alarms first, telemetry last", async () => {
    const { window, sent } = windowWith({ receiveMaximum: 2 });
    const results = (["telemetry", "ask", "telemetry", "ask", "state", "alarm"] as const).map((priority, n) =>
      window.publish(`${priority}-${n}`, payload, { priority }),
    );
    expect(sent.map(({ topic }) => topic)).toEqual(["telemetry-0", "ask-1"]);
    for (let n = 0; n < 6; n++) sent[n]!.acknowledge();
    expect(sent.map(({ topic }) => topic)).toEqual(["telemetry-0", "ask-1", "alarm-5", "state-4", "ask-3", "telemetry-2"]);
    expect(await Promise.all(results)).toEqual(results.map(() => ({ ok: true })));
  });

  it("tells at once what the broker's maximum packet size will never take", async () => {
    const { window, sent } = windowWith({ maximumPacketSize: 300 });
    expect(await window.publish("t", new Uint8Array(290), {})).toMatchObject({ ok: false, isTooLarge: true });
    void window.publish("t", payload, {});
    expect(sent).toHaveLength(1);
  });

  it("asks no retaining and no QoS 1 of a broker that has neither", () => {
    const { window, sent } = windowWith({ retainAvailable: false, maximumQoS: 0 });
    void window.publish("t", payload, { retain: true, qos: 1 });
    expect(sent[0]!.options).toMatchObject({ retain: false, qos: 0 });
  });

  it("finds a connection half open when nothing is acknowledged for long, and only then", () => {
    const { window, sent, clock, stalls } = windowWith();
    clock.advance(100_000); // nothing under way: silence is all right
    void window.publish("a", payload, {});
    clock.advance(15_000);
    void window.publish("b", payload, {});
    sent[0]!.acknowledge();
    clock.advance(19_999);
    expect(stalls()).toBe(0);
    clock.advance(1);
    expect(stalls()).toBe(1);
  });

  it("takes a bounded number of messages, and fails all when the connection goes", async () => {
    const { window, sent } = windowWith({ receiveMaximum: 1 });
    const results = Array.from({ length: 1030 }, () => window.publish("t", payload, {}));
    window.fail("gone");
    const reasons = (await Promise.all(results)).map((result) => (result.ok ? "" : result.reason));
    expect(reasons.filter((reason) => reason === "gone")).toHaveLength(1025);
    expect(reasons.filter((reason) => reason.includes("waiting already"))).toHaveLength(5);
    expect(sent).toHaveLength(1);
    expect(await window.publish("t", payload, {})).toEqual({ ok: false, reason: "gone" });
  });
});

describe("a CONNACK", () => {
  it("has the standard's defaults for what it leaves out", () => {
    expect(readOffer({ cmd: "connack", sessionPresent: true, properties: {} } as unknown as Parameters<typeof readOffer>[0])).toEqual({
      ...{ sessionPresent: true, hasSharedSubscriptions: true, receiveMaximum: 65_535, maximumPacketBytes: Number.POSITIVE_INFINITY },
      ...{ maximumQos: 1, canRetain: true, topicAliasMaximum: 0, sessionExpirySeconds: undefined },
    });
  });

  it("refuses for good only where trying again cannot help", () => {
    expect([0x84, 0x86, 0x87, 0x8a].map(isLastingRefusal)).toEqual([true, true, true, true]);
    expect([0x88, 0x89, 0x97, 0x9f, "ECONNREFUSED", undefined].map(isLastingRefusal)).toEqual([false, false, false, false, false, false]);
  });
});

describe("the ask window", () => {
  it("grows with answers, halves once a round, and goes on probing when nobody answers", () => {
    const window = createAskWindow(32);
    expect(window.size).toBe(8);
    for (let n = 0; n < 40; n++) window.answered();
    expect(window.size).toBe(32);
    for (let n = 0; n < 10; n++) window.setBack(100 - n, 200); // ten of one round
    expect(window.size).toBe(16);
    window.setBack(150, 300); // sent before the cut
    expect(window.size).toBe(16);
    window.setBack(250, 300);
    expect(window.size).toBe(8);
    for (let n = 0; n < 8; n++) window.answered(); // now by one a round
    expect(window.size).toBe(8);
    window.answered();
    expect(window.size).toBe(9);
    for (let round = 4; round < 20; round++) window.setBack(round * 100, round * 100 + 50);
    expect(window.size).toBe(4);
    expect(createAskWindow(1).size).toBe(1);
  });
});
