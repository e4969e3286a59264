import { expect, it } from "vitest";
import { createEventPublisher } from "../../../../host/mqtt/asks/event-publisher.ts";
import type { Connection } from "../../../../host/mqtt/transport/connection.ts";
import type { PublishResult } from "../../../../host/mqtt/transport/publish.ts";
import { decodePayload } from "../../../../host/mqtt/wire/payloads.ts";
import { buildTopics } from "../../../../host/mqtt/wire/topics.ts";

/** A connection that acknowledges when it is told to. */
function rig() {
  const sent: number[] = [];
  const acks: ((result: PublishResult) => void)[] = [];
  const anomalies: string[] = [];
  const connection = {
    state: "online",
    publish(_topic: string, payload: Uint8Array) {
      const decoded = decodePayload(["event"], payload);
      if (decoded.ok) sent.push(decoded.value.data.n as number);
      return new Promise<PublishResult>((resolve) => acks.push(resolve));
    },
  };
  const publisher = createEventPublisher({
    ...{ node: "wrist", topics: buildTopics("lab", "wrist"), wall: () => 0, format: "cbor" as const },
    connection: connection as unknown as Connection,
    onAnomaly: ({ code }) => anomalies.push(code),
  });
  return { publisher, connection, sent, acks, anomalies };
}

it("sends events in order without waiting for acknowledgements, each once", async () => {
  const { publisher, sent, acks } = rig();
  for (const n of [1, 2, 3]) publisher.event("activity", { n });
  publisher.flush();
  expect(sent).toEqual([1, 2, 3]);
  for (const ack of acks) ack({ ok: true });
  await Promise.resolve();
  publisher.flush();
  expect(sent).toEqual([1, 2, 3]);
});

it("sends again, in order, what was under way when the link went down; what the broker refuses is dropped", async () => {
  const { publisher, connection, sent, acks, anomalies } = rig();
  for (const n of [1, 2, 3]) publisher.event("activity", { n });
  acks[0]!({ ok: true });
  acks[1]!({ ok: false, reason: "quota" });
  await Promise.resolve();
  expect([publisher.droppedEvents, anomalies]).toEqual([1, ["EVENT_REFUSED"]]);
  connection.state = "offline";
  acks[2]!({ ok: false, reason: "offline" });
  publisher.event("activity", { n: 4 });
  await Promise.resolve();
  connection.state = "online";
  publisher.flush();
  expect(sent).toEqual([1, 2, 3, 3, 4]);
});
