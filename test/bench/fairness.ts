import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadAgent, openAgentModel } from "../../host/agent/registry.ts";
import { syntheticContexts } from "../../host/cloud/synthetic-contexts.ts";
import { systemClock } from "../../host/core/system/clock.ts";
import { packageRoot } from "../../host/core/system/package-root.ts";
import { systemRandom } from "../../host/mqtt/transport/backoff.ts";
import type { BrokerOptions } from "../../host/mqtt/transport/broker-url.ts";
import { createConnection } from "../../host/mqtt/transport/connection.ts";
import { encodePayload } from "../../host/mqtt/wire/payloads.ts";
import { buildTopics } from "../../host/mqtt/wire/topics.ts";
import { readIdentity } from "../../host/security/identity.ts";
import { rawClient, subscribePacket } from "../host/mqtt/transport/raw-client.ts";
import { hasMosquitto, mosquittoBroker } from "../support/broker.ts";
import { openTlsSite } from "../support/tls-site.ts";
import { type Device, openFleet } from "./fleet.ts";

// npm run bench -- fairness: what one peer costs the others, with a real worker and its real teacher. Latencies are of the others' asks.

const OTHERS = 4;
const ASK_EVERY_MILLIS = 250; // by one of them in turn
const FLOOD = { asksPerSecond: 400, deadlineMillis: 1200 };
const SECONDS = 20; // of each phase
const STOPPED_SECONDS = 60;

const wait = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));

interface Latencies {
  readonly asks: number;
  readonly answered: number;
  readonly p50Millis: number;
  readonly p95Millis: number;
  readonly maxMillis: number;
}

/** A worker process, and nodes that ask it. */
interface Testbed {
  ask(seconds: number): Promise<Latencies>;
  end(): Promise<void>;
}

type Opened = Awaited<ReturnType<typeof openAgent>>;

async function openAgent() {
  const agent = await loadAgent("activity", packageRoot());
  const model = await openAgentModel(agent);
  return { model, contexts: syntheticContexts(model, agent.syntheticPath!, 16) };
}

async function openTestbed(opened: Opened, nodes: number, broker: BrokerOptions, cloud: readonly string[]): Promise<Testbed> {
  const [worker] = await startDormouse(["cloud", ...cloud], /answering/);
  const folder = mkdtempSync(join(tmpdir(), "dormouse-fairness-"));
  const outcomes: { readonly latencyMillis: number; readonly state: string }[] = [];
  const devices = await openFleet({
    ...{ ...opened, broker, devices: nodes, agent: "activity", deadlineMillis: 10_000, nodePrefix: "other-" },
    ...{ folder, fsync: "none", clock: systemClock, onOutcome: (_: Device, outcome) => outcomes.push(outcome) },
  });
  async function ask(seconds: number): Promise<Latencies> {
    outcomes.splice(0);
    for (let n = 0; n < (seconds * 1000) / ASK_EVERY_MILLIS; n++) {
      devices[n % devices.length]!.ask();
      await wait(ASK_EVERY_MILLIS);
    }
    await Promise.all(devices.map(({ asker }) => asker.drain(15_000)));
    const millis = outcomes.flatMap(({ state, latencyMillis }) => (state === "answered" ? [Math.round(latencyMillis)] : []));
    millis.sort((a, b) => a - b);
    const at = (share: number) => millis[Math.min(millis.length - 1, Math.floor(share * millis.length))] ?? Number.NaN;
    return { asks: outcomes.length, answered: millis.length, p50Millis: at(0.5), p95Millis: at(0.95), maxMillis: at(1) };
  }
  await ask(3); // warm
  return {
    ask,
    async end() {
      for (const { asker } of devices) await asker.close();
      await endDormouse(worker);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Starts a `dormouse` process and waits until its output matches `isUp`. */
async function startDormouse(args: readonly string[], isUp: RegExp): Promise<[ChildProcess, RegExpExecArray]> {
  const child = spawn(process.execPath, [join(packageRoot(), "dist/dormouse.js"), ...args], { stdio: ["ignore", "pipe", "ignore"] });
  const found = await new Promise<RegExpExecArray>((resolve, reject) => {
    let text = "";
    child.stdout!.on("data", (chunk: Buffer) => {
      text += chunk;
      const match = isUp.exec(text);
      if (match) resolve(match);
    });
    child.once("exit", () => reject(new Error(`dormouse ${args[0]} ended before it was up`)));
  });
  return [child, found];
}

async function endDormouse(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await gone;
}

/** The embedded broker in a process of its own. */
async function embeddedBroker(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const [child, found] = await startDormouse(["broker", "--port", "0"], /mqtt:\/\/127\.0\.0\.1:\d+/);
  return { url: found[0], close: () => endDormouse(child) };
}

/** One connection that publishes `perSecond` messages until it is stopped. */
async function publisher(url: string, perSecond: number, publish: (connection: ReturnType<typeof createConnection>) => void) {
  let isOnline = () => {};
  const online = new Promise<void>((resolve) => (isOnline = resolve));
  const connection = createConnection({
    ...{ broker: { url }, clientId: "publisher", clock: systemClock, random: systemRandom, keepAliveSeconds: 60 },
    ...{ backoff: { firstMillis: 500, maxMillis: 500 }, cleanStart: true, sessionExpirySeconds: 0, receiveMaximum: 64 },
    filters: () => [buildTopics("bench", "flooder").answer],
    onMessage: () => {},
    onState: (state) => state === "online" && isOnline(),
  });
  connection.open();
  await online;
  const startedAt = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    for (const due = ((performance.now() - startedAt) / 1000) * perSecond; sent < due; sent++) publish(connection);
  }, 10);
  return () => {
    clearInterval(timer);
    return connection.close();
  };
}

async function flooded(opened: Opened, isEmbedded: boolean) {
  const broker = await (isEmbedded ? embeddedBroker() : mosquittoBroker());
  const testbed = await openTestbed(opened, OTHERS, { url: broker.url }, ["--broker", broker.url]);
  const alone = await testbed.ask(SECONDS);
  const { model, contexts } = opened;
  const { answer, ask } = buildTopics("bench", "flooder");
  const payload = encodePayload({
    ...{ v: 1, kind: "ask", node: "flooder", agent: "activity", wallMillis: 0, tick: 0, imageHash: "", labels: [...model.manifest.labels] },
    patches: new Uint8Array(contexts[0]!.buffer, contexts[0]!.byteOffset, contexts[0]!.byteLength),
    ...{ patchBytes: model.image.channels * model.image.patchFrames, windowPatches: model.image.windowPatches },
    ...{ local: { label: 0, confidenceQ15: 0, exit: 0 }, deadlineMillis: FLOOD.deadlineMillis },
  });
  const stop = await publisher(broker.url, FLOOD.asksPerSecond, (connection) => {
    void connection.publish(ask("activity"), payload, {
      correlationData: systemRandom(16),
      responseTopic: answer,
      messageExpirySeconds: 2,
    });
  });
  await wait(2000);
  const beside = await testbed.ask(SECONDS);
  await stop();
  await testbed.end();
  await broker.close();
  return { alone, beside };
}

async function besideRogue(opened: Opened) {
  const site = await openTlsSite("bench");
  const [node, rogue, cloud] = [
    await site.identity("node", "other-000000"),
    await site.identity("node", "rogue"),
    await site.identity("cloud", "worker"),
  ];
  const broker = { url: site.devicesUrl, ...readIdentity(node).tls };
  const testbed = await openTestbed(opened, 1, broker, ["--identity", cloud, "--broker", site.cloudUrl]);
  const alone = await testbed.ask(SECONDS);
  const peer = await site.connect(rogue, "rogue", { clean: true });
  for (const filter of ["$share/cloud/dormouse/v1/+/+/ask/+", "$share/cloud/#"]) await peer.subscribe(filter);
  const beside = await testbed.ask(SECONDS);
  await testbed.end();
  await site.close();
  return { alone, beside };
}

async function besideStopped(opened: Opened) {
  const broker = await embeddedBroker();
  const testbed = await openTestbed(opened, OTHERS, { url: broker.url }, ["--broker", broker.url]);
  const stop = await publisher(broker.url, 100, (connection) => void connection.publish("x", Buffer.alloc(10_000)));
  const alone = await testbed.ask(SECONDS);
  const stopped = await rawClient(Number(new URL(broker.url).port), "stopped");
  stopped.write(subscribePacket("#"));
  await new Promise((resolve) => stopped.once("data", resolve));
  stopped.pause();
  const beside = await testbed.ask(STOPPED_SECONDS);
  stopped.destroy();
  await stop();
  await testbed.end();
  await broker.close();
  return { alone, beside };
}

/** Prints a line per scene. Scenes with mosquitto are left out where it is not installed. */
export async function benchFairness(scenes: readonly string[]): Promise<void> {
  const opened = await openAgent();
  const all: Record<string, () => Promise<{ alone: Latencies; beside: Latencies }>> = {
    "one node floods, embedded broker": () => flooded(opened, true),
    ...(hasMosquitto()
      ? { "one node floods, mosquitto": () => flooded(opened, false), "a device joins shared groups, mosquitto": () => besideRogue(opened) }
      : {}),
    "a subscriber stops reading, embedded broker": () => besideStopped(opened),
  };
  for (const [scene, play] of Object.entries(all)) {
    if (scenes.length > 0 && !scenes.some((word) => scene.includes(word))) continue;
    const { alone, beside } = await play();
    console.log(`${scene}: median ${alone.p50Millis} -> ${beside.p50Millis} ms (x ${(beside.p50Millis / alone.p50Millis).toFixed(2)})`);
    console.log(`  ${JSON.stringify({ alone, beside })}`);
  }
}
