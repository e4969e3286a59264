import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../../host/core/system/clock.ts";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { runGateway } from "../../../host/gateway/gateway.ts";
import { checkGateway } from "../../../host/gateway/gateway-check.ts";
import { readGatewayConfig } from "../../../host/gateway/gateway-config.ts";
import { createServiceManager } from "../../../host/gateway/service-manager.ts";
import { type Connection, createConnection } from "../../../host/mqtt/transport/connection.ts";
import { hasMosquitto, mosquittoBroker, type TestBroker } from "../../support/broker.ts";
import { activity } from "../../support/device.ts";
import { type Discovered, readDiscovery, readState } from "../../support/home-assistant.ts";
import { type LinkDevice, openLinkDevice } from "../../support/link-device.ts";
import { until } from "../../support/until.ts";

/** Product time passes so many times faster: polls, jitter and reports need not be waited for. */
const PACE = 4;
const clock: Clock = {
  now: () => PACE * systemClock.now(),
  wall: () => systemClock.wall(),
  after: (millis, run) => systemClock.after(millis / PACE, run),
};

interface Heard {
  readonly topic: string;
  readonly text: string;
  readonly isRetained: boolean;
}

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** mosquitto with a user for the gateway and one for Home Assistant, as the walk in the README makes it. */
async function passwordBroker(): Promise<TestBroker> {
  const folder = mkdtempSync(join(tmpdir(), "dormouse-ha-broker-"));
  opened.push(() => rmSync(folder, { recursive: true, force: true }));
  const passwords = join(folder, "passwords");
  for (const [i, user] of ["gateway", "homeassistant"].entries())
    expect(spawnSync("mosquitto_passwd", [...(i === 0 ? ["-c"] : []), "-b", passwords, user, `${user}-secret`]).status).toBe(0);
  chmodSync(folder, 0o755); // started by root, mosquitto becomes another user before it reads them
  chmodSync(passwords, 0o644);
  const broker = await mosquittoBroker([`password_file ${passwords}`, "allow_anonymous false"]);
  opened.push(() => broker.close());
  return broker;
}

/** Home Assistant's side of the broker: every message that it gets. */
function listen(broker: TestBroker): { readonly heard: Heard[]; readonly connection: Connection } {
  const heard: Heard[] = [];
  const connection = createConnection({
    broker: { url: broker.url, username: "homeassistant", password: "homeassistant-secret" },
    clientId: `ha-${Math.round(systemClock.now() * 1000)}`,
    clock: systemClock,
    random: (count) => new Uint8Array(count),
    backoff: { firstMillis: 200, maxMillis: 1000 },
    keepAliveSeconds: 60,
    cleanStart: true,
    sessionExpirySeconds: 0,
    receiveMaximum: 256,
    filters: () => ["homeassistant/#", "dormouse/v1/+/+/#"],
    onMessage: ({ topic, payload, retain }) => heard.push({ topic, text: Buffer.from(payload).toString(), isRetained: retain }),
    onState: () => {},
  });
  connection.open();
  opened.push(() => connection.close());
  return { heard, connection };
}

describe("Home Assistant over mosquitto (needs mosquitto)", () => {
  const setUp = async (context: { skip(reason: string): void }) => {
    if (!hasMosquitto() || spawnSync("mosquitto_passwd", ["--help"]).error !== undefined) context.skip("mosquitto is not installed");
    const folder = mkdtempSync(join(tmpdir(), "dormouse-ha-"));
    opened.push(() => rmSync(folder, { recursive: true, force: true }));
    const broker = await passwordBroker();
    writeFileSync(join(folder, "broker-password"), "gateway-secret\n", { mode: 0o600 });
    const device = await openLinkDevice(activity.imageHash);
    opened.push(() => device.close());
    return { folder, broker, device };
  };
  const wrist = { match: "synthetic:3", node: "wrist-1", agent: "activity", board: "nrf52840-dk" };
  const common = { agentsFolder: join(packageRoot(), "agents"), env: {}, clock };

  function start(folder: string, broker: TestBroker, devices: readonly object[]) {
    const path = join(folder, "gateway.json");
    const of = { url: broker.url, username: "gateway", passwordFile: "broker-password" };
    writeFileSync(path, JSON.stringify({ devices, broker: of, homeAssistant: true, reportSeconds: 2 }), { mode: 0o600 });
    const config = readGatewayConfig(path);
    const said: string[] = [];
    const stop = new AbortController();
    const ended = runGateway({
      ...{ ...common, config, cwd: folder, stateFolder: join(folder, "state"), version: "0.1.0" },
      manager: createServiceManager({}, () => undefined),
      say: (line) => said.push(line),
      signal: stop.signal,
    });
    const end = async () => {
      stop.abort();
      await ended;
    };
    opened.push(end);
    return { said, end, config };
  }

  it("finds every node; each payload keeps its rules; birth, a component that goes and a device that goes", {
    timeout: 120_000,
  }, async (context) => {
    const { folder, broker, device } = await setUp(context);
    const { heard, connection } = listen(broker);
    const bed = { match: `tcp:127.0.0.1:${device.port}`, node: "bed", agent: "activity" };
    const first = start(folder, broker, [wrist, bed]);
    expect(await checkGateway({ ...common, config: first.config, cwd: folder })).not.toContainEqual(
      expect.objectContaining({ result: "failed" }),
    );
    const discoveries = () => heard.filter(({ topic, text }) => topic.startsWith("homeassistant/device/") && text !== "");
    const of = (node: string) => discoveries().filter(({ topic }) => topic.includes(`_home_${node}/`));
    await until(() => of("wrist-1").some(({ text }) => text.includes('"battery"')), "the wrist announces its battery");
    await until(() => device.isPlugged, "the bed is connected");
    await decideUntil(device, () => heard.some(({ topic, text }) => topic === "dormouse/v1/home/bed/label/activity" && text !== ""));
    await until(() => heard.some(({ topic }) => topic === "dormouse/v1/home/wrist-1/event/activity"), "the wrist tells a change");

    const read = new Map<string, Discovered>();
    for (const { topic, text } of discoveries()) read.set(topic, readDiscovery(topic, text, "homeassistant"));
    expect(read.size).toBe(2);
    const components = [...read.values()].flatMap(({ cmps }) => Object.values(cmps));
    expect(new Set(components.map(({ p }) => p))).toEqual(new Set(["sensor", "event", "update"]));
    const seen = new Set<unknown>();
    for (const { topic, text, isRetained } of heard)
      for (const component of components)
        if (component.state_topic === topic && text !== "" && isComplete(component, text)) {
          readState(component, text, isRetained);
          seen.add(component.unique_id);
        }
    const wanted = ["wrist-1_label", "wrist-1_event", "wrist-1_battery", "wrist-1_skin", "wrist-1_level", "bed_label", "bed_update"];
    expect([...seen]).toEqual(expect.arrayContaining(wanted.map((end) => `dormouse_home_${end}`)));
    expect(heard).toContainEqual(expect.objectContaining({ topic: "dormouse/v1/home/bed/availability", text: "online" }));
    const bedState = heard.filter(({ topic }) => topic === "dormouse/v1/home/bed/state").at(-1)!;
    expect(JSON.parse(bedState.text)).toMatchObject({ state: "awake", agent: "activity", firmware: "1.2.3", model: activity.imageHash });

    // Home Assistant starts again: both nodes announce themselves anew.
    const before = discoveries().length;
    await connection.publish("homeassistant/status", Buffer.from("online"), { contentType: "text/plain" });
    await until(() => discoveries().length >= before + 2, "both nodes answer the birth message");

    // Without its board the wrist has no battery: named once more with its platform alone, then not at all.
    await first.end();
    const marked = heard.length;
    const second = start(folder, broker, [{ ...wrist, board: undefined }]);
    const since = (node: string) => heard.slice(marked).filter(({ topic }) => topic.includes(`_home_${node}/`));
    const isGoing = ({ text }: Heard) => text !== "" && JSON.stringify((JSON.parse(text) as Discovered).cmps.battery) === '{"p":"sensor"}';
    await until(() => since("wrist-1").some(isGoing), "the battery is taken back");
    await until(() => !since("wrist-1").at(-1)!.text.includes("battery"), "the next payload is without it");
    for (const { topic, text } of since("wrist-1")) if (text !== "") readDiscovery(topic, text, "homeassistant");

    // The bed has left the configuration: every retained topic of it is taken back.
    await until(() => since("bed").some(({ text }) => text === ""), "the bed is taken back");
    await second.end();
    const late = listen(broker);
    await until(() => late.heard.some(({ topic }) => topic.includes("_home_wrist-1/")), "a late reader gets what is retained");
    expect(late.heard.filter(({ topic }) => topic.includes("bed"))).toEqual([]);
    // The gateway has stopped: no value of it looks fresh.
    const availability = late.heard.filter(({ topic }) => topic.endsWith("/availability"));
    expect(availability).toEqual([{ topic: "dormouse/v1/home/wrist-1/availability", text: "offline", isRetained: true }]);
  });

  it("a prefix with + → refused in a sentence; a prefix of two levels is used", () => {
    const folder = mkdtempSync(join(tmpdir(), "dormouse-ha-prefix-"));
    opened.push(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "gateway.json");
    const write = (homeAssistant: unknown) => {
      writeFileSync(path, JSON.stringify({ devices: [wrist], homeAssistant }));
      return readGatewayConfig(path);
    };
    for (const prefix of ["home+", "a/#", "", "/ha", "$SYS"]) expect(() => write({ prefix })).toThrow(/homeAssistant.*not a topic/s);
    expect(write({ prefix: "site/ha" }).homeAssistant).toBe("site/ha");
    expect(write(true).homeAssistant).toBe("homeassistant");
    expect(write(false).homeAssistant).toBeUndefined();
  });
});

/** A state may lack what is unknown yet. */
function isComplete(component: Readonly<Record<string, unknown>>, text: string): boolean {
  const field = /value_json\.(\w+)/.exec(String(component.value_template ?? ""))?.[1];
  return field === undefined || field in (JSON.parse(text) as object);
}

/** A device that says the same until it is heard: the first decisions come before it is greeted. */
async function decideUntil(device: LinkDevice, isHeard: () => boolean): Promise<void> {
  let ticks = 0;
  let sentAt = Number.NEGATIVE_INFINITY;
  await until(() => {
    if (systemClock.now() - sentAt > 100) {
      sentAt = systemClock.now();
      device.decide(1, { tick: 64 * ++ticks });
      device.telemetry(ticks);
    }
    return isHeard();
  }, "its label is heard");
}
