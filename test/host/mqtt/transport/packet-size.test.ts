import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../../host/core/system/clock.ts";
import { systemRandom } from "../../../../host/mqtt/transport/backoff.ts";
import { type Connection, createConnection } from "../../../../host/mqtt/transport/connection.ts";
import { publishBytes, watchPacketLengths } from "../../../../host/mqtt/transport/packet-size.ts";
import type { PublishOptions } from "../../../../host/mqtt/transport/publish.ts";
import { until } from "../../../support/until.ts";
import { packet, type RawServer, rawServer } from "./raw-client.ts";

describe("the sizes of packets", () => {
  let server: RawServer;
  let connection: Connection | undefined;
  afterEach(async () => {
    await connection?.close();
    server.close();
  });

  async function online(properties: readonly number[]): Promise<string[]> {
    server = await rawServer(properties);
    const states: string[] = [];
    connection = createConnection({
      ...{ broker: { url: server.url }, clientId: "c", clock: systemClock, random: systemRandom, keepAliveSeconds: 60 },
      ...{ backoff: { firstMillis: 60_000, maxMillis: 60_000 }, cleanStart: true, sessionExpirySeconds: 0, receiveMaximum: 10 },
      filters: () => ["f"],
      onMessage: () => {},
      onState: (state, detail) => states.push(`${state} ${detail ?? ""}`),
    });
    connection.open();
    await until(() => connection?.state === "online", "the connection is online");
    return states;
  }

  const maximumPacketSize = (bytes: number) => [0x27, 0, 0, bytes >> 8, bytes & 255];
  const topic = "dormouse/v1/häuser/ü-1/ask/activity";
  const variants: PublishOptions[] = [
    {},
    { qos: 0 },
    { correlationData: Buffer.alloc(16), responseTopic: "dormouse/v1/häuser/ü-1/answer", messageExpirySeconds: 5 },
    { userProperties: { traceparent: "00-ä", b: "" } },
  ];

  it.each([400, 160])("the broker takes %i B → a packet of just so many bytes is sent, one byte more is refused", async (limit) => {
    await online(maximumPacketSize(limit));
    for (const options of variants) {
      const rest = publishBytes(topic, 0, { ...options, qos: options.qos ?? 1 }, { topicAliasMaximum: 0 });
      const room = limit - rest - (limit > 128 && rest <= 129 ? 1 : 0); // the length field grows with the payload
      server.packets.splice(0);
      expect(await connection!.publish(topic, Buffer.alloc(room), options)).toEqual({ ok: true });
      await until(() => server.packets.length === 1, "the packet arrives");
      expect(server.packets[0]).toHaveLength(limit);
      expect(await connection!.publish(topic, Buffer.alloc(room + 1), options)).toMatchObject({ ok: false, isTooLarge: true });
    }
  });

  it("the broker takes topic aliases → what is sent is never longer than what was counted", async () => {
    await online([0x22, 0, 5]);
    for (const options of variants) {
      server.packets.splice(0);
      await connection!.publish(topic, Buffer.alloc(50), options);
      await until(() => server.packets.length === 1, "the packet arrives");
      expect(server.packets[0]!.length).toBeLessThanOrEqual(
        publishBytes(topic, 50, { ...options, qos: options.qos ?? 1 }, { topicAliasMaximum: 5 }),
      );
    }
  });

  it("the broker announces a packet above our Maximum Packet Size → 0x95 and the end, its body is not collected", async () => {
    const states = await online([]);
    const socket = server.socket()!;
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write(Buffer.of(0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1));
    await closed;
    expect(server.packets.at(-1)).toEqual(Buffer.of(0xe0, 2, 0x95, 0));
    await until(() => states.some((state) => /^offline .*268435460 B/.test(state)), "the reason is told");
  });

  it("cut anywhere, a stream of packets is measured packet by packet", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(400), { minLength: 1 }),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 2, max: 300 }),
        (sizes, step, limit) => {
          const packets = sizes.map((size) => packet(0x30, Buffer.alloc(size, 0xff)));
          const told: number[] = [];
          const watch = watchPacketLengths(limit, (bytes) => told.push(bytes));
          const stream = Buffer.concat(packets);
          for (let at = 0; at < stream.length; at += step) watch(stream.subarray(at, at + step));
          expect(told).toEqual(
            packets
              .map(({ length }) => length)
              .filter((length) => length > limit)
              .slice(0, 1),
          );
        },
      ),
    );
    const endless: number[] = [];
    watchPacketLengths(1e9, (bytes) => endless.push(bytes))(Buffer.alloc(10, 0xff));
    expect(endless).toHaveLength(1);
  });
});
