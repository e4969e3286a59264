import { join } from "node:path";
import { connectAsync } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LoopStep } from "../../../host/agent/loop-types.ts";
import { loadAgent, openAgentModel } from "../../../host/agent/registry.ts";
import { runAgent } from "../../../host/agent/run-agent.ts";
import { openSensor } from "../../../host/agent/sensors/open-sensor.ts";
import { openTeacher } from "../../../host/cloud/open-teacher.ts";
import type { Provider } from "../../../host/cloud/provider.ts";
import { startWorker } from "../../../host/cloud/worker.ts";
import type { Clock } from "../../../host/core/system/clock.ts";
import { openDiary } from "../../../host/diary/diary.ts";
import { createDiaryReader } from "../../../host/diary/diary-reader.ts";
import { type BrokerServer, startBroker } from "../../../host/mqtt/transport/broker.ts";
import { decodePayload } from "../../../host/mqtt/wire/payloads.ts";
import { buildTopics } from "../../../host/mqtt/wire/topics.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { until } from "../../support/until.ts";
import { tempFolder } from "../cli/temp-agent.ts";

const SECONDS = 76; // a fall, and a quick lie-down that the device alone takes for one
const SENSOR = "synthetic:26";

const folder = tempFolder();
const agent = await loadAgent("fall");
const model = await openAgentModel(agent);
let broker: BrokerServer;

beforeAll(async () => {
  broker = await startBroker({ port: 0 });
});
afterAll(async () => {
  await broker.close();
  folder.remove();
});

/** Time stands still; what is due at once runs in its turn. */
function stillClock(): Clock {
  const clock = new ManualClock();
  return {
    now: () => clock.now(),
    wall: () => clock.wall(),
    after(millis, run) {
      if (millis > 0) return clock.after(millis, run);
      const turn = setImmediate(run);
      return () => clearImmediate(turn);
    },
  };
}

/** Runs the wearer's minutes unpaced, each ask answered before the next frame, on a clock that stands still. */
async function run(node: string, provider?: Provider) {
  const clock = stillClock();
  const steps: LoopStep[] = [];
  const told: Readonly<Record<string, unknown>>[] = []; // events at another client of the broker
  const watcher = await connectAsync(broker.url, { protocolVersion: 5 });
  watcher.on("message", (_, payload) => {
    const read = decodePayload(["event"], payload);
    if (read.ok && read.value.kind === "event") told.push({ ...read.value.data, isAlarm: read.value.isAlarm ?? false });
  });
  await watcher.subscribeAsync(buildTopics("home", node).event("fall"), { qos: 1 });
  const worker = provider && startWorker({ broker: { url: broker.url }, provider });
  await worker?.ready(5000);
  let online = () => {};
  const isOnline = new Promise<void>((resolve) => {
    online = resolve;
  });
  const sensor = openSensor(SENSOR, agent);
  async function* frames() {
    if (provider) await isOnline;
    yield* sensor;
  }
  const diary = openDiary({ folder: join(folder.path, node), agent: "fall", alarm: "fall", clock });
  const running = runAgent({
    definition: agent.definition,
    model,
    clock,
    sensor: { ...sensor, [Symbol.asyncIterator]: frames },
    pace: { speed: Number.POSITIVE_INFINITY, seconds: SECONDS },
    diary,
    observers: {
      step(step) {
        steps.push(step);
        if (step.kind === "link" && step.state === "online") online();
      },
    },
    ...(provider && { asker: { broker: { url: broker.url }, site: "home", node } }),
  });
  await running.ended;
  const events = steps.flatMap((step) => (step.kind === "event" ? [step] : []));
  if (provider) await until(() => told.length >= events.length, "every event has been told");
  const { alarms } = createDiaryReader(join(folder.path, node)).read(clock.wall() + SECONDS * 1000);
  await running.close();
  await worker?.close();
  await watcher.endAsync();
  diary.close();
  const ends = steps.flatMap((step) =>
    step.kind === "suspicion" && step.state !== "waiting" && step.state !== "asked" ? [step.state] : [],
  );
  return { events, told, ends, alarms, counters: running.loop.counters() };
}

const changes = (events: readonly Extract<LoopStep, { kind: "event" }>[]) => events.map(({ kind: _, ...change }) => change);

describe("a wearer who falls, over a real broker", () => {
  it("is told of once, the cloud having confirmed, on MQTT and in the diary", async () => {
    const { told, ends, alarms, counters } = await run("answered", await openTeacher(agent));
    const raised = told.filter(({ isAlarm }) => isAlarm);
    expect(raised).toMatchObject([{ label: "fall", before: "daily", source: "cloud" }]);
    expect(ends.filter((end) => end === "dismissed").length).toBeGreaterThan(0);
    expect(counters).toMatchObject({ answered: counters.asked, suspicions: { raised: ends.length, expired: 0 } });
    expect(alarms).toHaveLength(raised.length);
  });

  it("has the events of the device alone, one by one, if every ask is refused", async () => {
    const alone = await run("alone");
    const refusing: Provider = {
      name: "refusing",
      answer: async (batch) => batch.map(() => ({ ok: false, reason: "labels", detail: "this teacher knows others" })),
    };
    const { events, told, ends, counters } = await run("refused", refusing);
    expect(changes(events)).toEqual(changes(alone.events));
    expect(alone.events.filter(({ label }) => label === "fall").length).toBeGreaterThan(1);
    expect(told.map(({ tick }) => tick)).toEqual(alone.events.map(({ tick }) => tick));
    expect(ends.every((end) => end === "expired")).toBe(true);
    expect(counters).toMatchObject({ refused: ends.length, asked: ends.length });
  });
});
