import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../host/core/system/clock.ts";
import { createAsker } from "../../../host/mqtt/asks/asker.ts";
import type { Asker } from "../../../host/mqtt/asks/asker-types.ts";
import { createFleetTable } from "../../../host/mqtt/readers/fleet-table.ts";
import { readMessage } from "../../../host/mqtt/readers/readable-message.ts";
import { encodePayload, type Payload } from "../../../host/mqtt/wire/payloads.ts";
import { buildTopics, workerTopic } from "../../../host/mqtt/wire/topics.ts";
import { aedesBroker, type TestBroker } from "../../support/broker.ts";
import { until } from "../../support/until.ts";
import { cli } from "./fake-io.ts";

const state = (over: Partial<Payload<"state">>): Uint8Array =>
  encodePayload({ v: 1, kind: "state", node: "wrist", wallMillis: 1_000_000, state: "awake", ...over }, "json");

describe("the table of a fleet", () => {
  const topics = buildTopics("home", "wrist");
  const of = (...messages: readonly (readonly [topic: string, payload: Uint8Array | string])[]) => {
    const fleet = createFleetTable();
    for (const [topic, payload] of messages) fleet.take(readMessage({ topic, payload: Buffer.from(payload), retain: true })!);
    return fleet;
  };

  it.each([
    ["awake", state({ reportSeconds: 60 }), 1_100_000, "awake"],
    ["awake, and three reports are missing", state({ reportSeconds: 60 }), 1_180_001, "late"],
    ["awake, and it says nothing in between", state({}), 9_000_000, "awake"],
    ["asleep", state({ state: "asleep", untilWallMillis: 2_000_000 }), 1_500_000, "asleep"],
    ["asleep beyond its time", state({ state: "asleep", untilWallMillis: 2_000_000 }), 2_060_001, "late"],
    ["offline", state({ state: "offline" }), 1_000_000, "gone"],
  ])("%s", (_, payload, wallMillis, expected) => {
    expect(of([topics.state, payload]).nodes(wallMillis)).toMatchObject([{ site: "home", node: "wrist", state: expected }]);
  });

  it("the broker says that a node is lost → it is gone, whatever its state says; its label is the last plain word", () => {
    const nodes = of([topics.availability, "offline"], [topics.label("activity"), "sitting"], [topics.state, state({ label: "walking" })]);
    expect(nodes.nodes(1_000_000)).toMatchObject([{ state: "gone", label: "sitting" }]);
  });

  it("a node that is taken back leaves no row, and a worker that ends leaves none", () => {
    const worker = workerTopic("home", "cloud-1");
    const there = of([topics.state, state({})], [worker, state({ node: "cloud-1", firmware: "dormouse-edge 1" })]);
    expect(there.workers()).toEqual([{ site: "home", worker: "cloud-1", firmware: "dormouse-edge 1" }]);
    const gone = of([topics.state, state({})], [worker, state({})], [topics.state, ""], [worker, ""]);
    expect([gone.nodes(0), gone.workers()]).toEqual([[], []]);
  });

  it("any bytes on any topic of a node are read or counted (property)", () => {
    const kinds = ["state", "availability", "label/a", "update", "event/a", "telemetry", "worker/w", "ask/a", "nonsense"];
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.uint8Array({ maxLength: 64 }), fc.boolean(), (kind, bytes, isJson) => {
        const payload = isJson ? Buffer.concat([Buffer.from("{"), bytes]) : bytes;
        const read = readMessage({ topic: `dormouse/v1/home/wrist/${kind}`, payload, retain: true });
        if (read !== undefined) createFleetTable().take(read);
      }),
    );
  });
});

describe("dormouse fleet and watch", () => {
  let broker: TestBroker;
  const askers: Asker[] = [];
  beforeAll(async () => {
    broker = await aedesBroker();
    for (const [node, payload] of [
      ["wrist-1", "json"],
      ["wrist-2", "cbor"],
    ] as const)
      askers.push(
        createAsker({
          ...{ broker: { url: broker.url }, site: "home", node, clock: systemClock, payload, isStateLive: true },
          presence: { firmware: "dormouse-edge 1", model: "ab".repeat(32), batteryPercent: 80, reportSeconds: 60 },
          events: { onOutcome: () => undefined },
        }),
      );
    await until(() => askers.every(({ linkState }) => linkState === "online"), "both nodes are online");
  });
  afterAll(async () => {
    for (const asker of askers) await asker.close();
    await broker.close();
  });

  it("list nodes from retained state alone, JSON and CBOR, and print all as JSON lines", async () => {
    askers[0]!.event("activity", { label: "walking" });
    askers[0]!.report({ label: "walking" });
    const listed = await cli(["fleet", "--broker", broker.url, "--json"]);
    expect(listed.code).toBe(0);
    const common = { site: "home", state: "awake", firmware: "dormouse-edge 1", batteryPercent: 80 };
    expect(JSON.parse(listed.stdout)).toMatchObject({
      nodes: [
        { ...common, node: "wrist-1", label: "walking" },
        { ...common, node: "wrist-2" },
      ],
      workers: [],
    });
    const text = await cli(["fleet", "--broker", broker.url]);
    expect(text.stdout).toMatch(/home\/wrist-1 +awake +walking +80 %/);
    const watched = await cli(["watch", "--broker", broker.url, "--seconds", "0.5"]);
    const lines = watched.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { kind: string; node: string; value: unknown });
    expect(lines).toContainEqual(expect.objectContaining({ kind: "label", node: "wrist-1", value: "walking", isRetained: true }));
    expect(lines).toContainEqual(expect.objectContaining({ kind: "availability", node: "wrist-1", value: "online" }));
    expect(lines.filter(({ kind, node }) => kind === "state" && node === "wrist-2")).toHaveLength(1);
  });

  it("a broker that is not there → one sentence", async () => {
    const { code, stdout } = await cli(["fleet", "--broker", "mqtt://127.0.0.1:1", "--timeout-seconds", "0.2", "--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "BROKER_UNREACHABLE" } });
  });
});
