import { generateKeyPairSync } from "node:crypto";
import { getEventListeners } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { LINK_DEVICE } from "../../../assembly/device/layout.ts";
import { type Clock, systemClock } from "../../../host/core/system/clock.ts";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { findPorts, parseMatch } from "../../../host/gateway/device-match.ts";
import { runGateway } from "../../../host/gateway/gateway.ts";
import { checkGateway } from "../../../host/gateway/gateway-check.ts";
import { readGatewayConfig } from "../../../host/gateway/gateway-config.ts";
import { createServiceManager } from "../../../host/gateway/service-manager.ts";
import { signCommand } from "../../../host/mqtt/commands/command.ts";
import { createFleetTable } from "../../../host/mqtt/readers/fleet-table.ts";
import { type ReadableMessage, readMessage } from "../../../host/mqtt/readers/readable-message.ts";
import { openReader } from "../../../host/mqtt/readers/reader.ts";
import { createConnection } from "../../../host/mqtt/transport/connection.ts";
import { publicCommandKey } from "../../../host/security/command-key.ts";
import { aedesBroker, freePort } from "../../support/broker.ts";
import { activity, wearer } from "../../support/device.ts";
import { openLinkDevice } from "../../support/link-device.ts";
import { until } from "../../support/until.ts";

/** Product time passes so many times faster: a port is looked for again after a second. */
const PACE = 5;
const clock: Clock = {
  now: () => PACE * systemClock.now(),
  wall: () => systemClock.wall(),
  after: (millis, run) => systemClock.after(millis / PACE, run),
};

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dormouse-devices-"));
  opened.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function configOf(folder: string, what: object) {
  const path = join(folder, "gateway.json");
  writeFileSync(path, JSON.stringify(what), { mode: 0o600 });
  return readGatewayConfig(path);
}

const common = { agentsFolder: join(packageRoot(), "agents"), env: {}, clock };

/** A gateway with a broker, and what the broker hears of it. */
async function start(what: { readonly devices: readonly object[] }) {
  const folder = tempFolder();
  const broker = await aedesBroker();
  opened.push(() => broker.close());
  const heard: ReadableMessage[] = [];
  const fleet = createFleetTable();
  const reader = openReader({
    broker: { url: broker.url },
    clock: systemClock,
    onMessage(message) {
      const read = readMessage(message);
      if (read === undefined) return;
      heard.push(read);
      fleet.take(read);
    },
    onState: () => {},
  });
  opened.push(() => reader.close());
  const said: string[] = [];
  const stop = new AbortController();
  const ended = runGateway({
    ...{ ...common, cwd: folder, stateFolder: join(folder, "state"), version: "test" },
    config: configOf(folder, { broker: { url: broker.url }, reportSeconds: 5, ...what }),
    manager: createServiceManager({}, () => undefined),
    say: (line) => said.push(line),
    signal: stop.signal,
  });
  opened.push(async () => {
    stop.abort();
    await ended;
  });
  const stateOf = (node: string) => fleet.nodes(systemClock.wall()).find((one) => one.node === node);
  const isSaid = (part: string | RegExp) =>
    until(() => said.some((line) => (typeof part === "string" ? line.includes(part) : part.test(line))), `it says ${part}`);
  return { broker, heard, said, stateOf, isSaid, signal: stop.signal };
}

async function device(...of: Parameters<typeof openLinkDevice>) {
  const made = await openLinkDevice(...of);
  opened.push(() => made.close());
  return made;
}

describe("a device that decides itself", { timeout: 60_000 }, () => {
  it("is greeted, mirrored and commanded; unplugged it is gone, plugged in again it goes on", async () => {
    const operator = generateKeyPairSync("ed25519").privateKey;
    const wrist = await device(activity.imageHash);
    const match = `tcp:127.0.0.1:${wrist.port}`;
    const { broker, heard, stateOf, isSaid } = await start({
      devices: [{ match, node: "wrist", setPoint: { maxExit: 1 }, commandKey: publicCommandKey(operator) }],
    });
    await isSaid("decides itself: firmware 1.2.3, activity");
    await until(() => wrist.heard.some(({ type }) => type === "set-point"), "the configured set-point goes down the link");
    await until(() => stateOf("wrist") !== undefined, "it is online");
    wrist.decide(2, { tick: 64 });
    wrist.decide(2, { tick: 128 });
    wrist.telemetry(128);
    const label = activity.image.manifest.labels[2]!;
    await until(() => stateOf("wrist")?.label === label, "its label is in its state");
    expect(stateOf("wrist")).toMatchObject({ state: "awake", model: activity.imageHash, firmware: "1.2.3", agent: "activity" });
    expect(heard).toContainEqual(expect.objectContaining({ kind: "event", node: "wrist" }));
    await until(
      () => heard.some(({ kind, value }) => kind === "telemetry" && "linkBad" in (value as { data: object }).data),
      "its counters are told",
    );

    const link = createConnection({
      ...{ broker: { url: broker.url }, clientId: "operator", clock: systemClock, random: (n) => new Uint8Array(n), cleanStart: true },
      ...{ backoff: { firstMillis: 100, maxMillis: 100 }, keepAliveSeconds: 60, sessionExpirySeconds: 0, receiveMaximum: 8 },
      ...{ filters: () => [], onMessage: () => {}, onState: () => {} },
    });
    link.open();
    opened.push(() => link.close());
    await until(() => link.state === "online", "the operator is online");
    const command = (verb: "snapshot" | "set-point", counter: number, payload = {}) =>
      link.publish(
        `dormouse/v1/home/wrist/command/${verb}`,
        signCommand({ site: "home", node: "wrist", verb, counter, payload }, operator),
      );
    const isReported = (counter: number, result: string) =>
      until(
        () =>
          heard.some(({ value }) => {
            const { command: told } = (Object(value) as { data?: { command?: { counter: number; result: string } } }).data ?? {};
            return told?.counter === counter && told.result === result;
          }),
        `command ${counter} is ${result}`,
      );
    await command("snapshot", 5);
    await isReported(5, "obeyed");
    expect(wrist.heard.some(({ type }) => type === "command")).toBe(true);
    wrist.ackStatus = -80;
    await command("set-point", 6);
    await isReported(6, "refused");
    wrist.ackStatus = 0;
    await command("set-point", 7, { hopPatches: 4 });
    await isReported(7, "obeyed");
    await command("set-point", 8, { askIntervalHops: 9 });
    await isReported(8, "obeyed");
    const setPoints = () => wrist.heard.filter(({ type }) => type === "set-point");
    const [ordered, before] = [setPoints().at(-1)!.payload, setPoints().length];

    wrist.unplug();
    await until(() => stateOf("wrist")?.state === "gone", "it is gone");
    await wrist.plug();
    await until(() => stateOf("wrist")?.state === "awake", "it is back");
    await until(() => setPoints().length > before, "its set-point goes down the link again");
    expect(setPoints().length).toBe(before + 1);
    expect(setPoints().at(-1)!.payload).toEqual(ordered); // the last order alone, over the configuration
  });

  it("that comes and goes leaves no listener behind", async () => {
    const wrist = await device(activity.imageHash);
    const { stateOf, signal } = await start({ devices: [{ match: `tcp:127.0.0.1:${wrist.port}`, node: "wrist" }] });
    const count = () => getEventListeners(signal, "abort").length;
    await until(() => stateOf("wrist")?.state === "awake", "it is online");
    const before = count();
    expect(before).toBe(2); // the entry that looks for its ports, the port that is served
    for (let round = 0; round < 3; round++) {
      wrist.unplug();
      await until(() => stateOf("wrist")?.state === "gone", "it is gone");
      expect(count()).toBe(before - 1);
      await wrist.plug();
      await until(() => stateOf("wrist")?.state === "awake", "it is back");
      expect(count()).toBe(before);
    }
  });
});

describe("a sensor", { timeout: 60_000 }, () => {
  it("whose chip sits turned decides as one that sits straight, once its axes are configured", async () => {
    const [straight, turned, unturned] = await Promise.all([device("", false), device("", false), device("", false)]);
    const at = ({ port }: { readonly port: number }) => `tcp:127.0.0.1:${port}`;
    const { heard } = await start({
      devices: [
        { match: at(straight), node: "straight", agent: "activity" },
        { match: at(turned), node: "turned", agent: "activity", axes: "+y-x+z" },
        { match: at(unturned), node: "unturned", agent: "activity" },
      ],
    });
    await until(() => [straight, turned, unturned].every(({ isPlugged }) => isPlugged), "all are connected");
    const [{ channels, samples }] = wearer(3, 200) as [ReturnType<typeof wearer>[number]];
    const chip = samples.map((_, i) => {
      const [first, axis] = [i - (i % 3), i % 3];
      return axis === 0 ? -samples[first + 1]! : axis === 1 ? samples[first]! : samples[i]!; // the body's x is the chip's y, its y is −x
    });
    straight.link().sensor(0, 0, channels, samples);
    turned.link().sensor(0, 0, channels, chip);
    unturned.link().sensor(0, 0, channels, chip);
    const event = (of: string) =>
      (
        heard.find(({ kind, node }) => kind === "event" && node === of)?.value as
          | { data: { label: string; confidence: number } }
          | undefined
      )?.data;
    for (const node of ["straight", "turned", "unturned"]) await until(() => event(node) !== undefined, `${node} decides`);
    expect(event("straight")).toMatchObject({ label: expect.any(String), confidence: expect.any(Number), tick: expect.any(Number) });
    expect(event("turned")).toEqual(event("straight"));
    expect(event("unturned")).not.toEqual(event("straight"));
  });
});

describe("bad input: each is said in a sentence, and none ends the gateway", { timeout: 60_000 }, () => {
  it("a hello of another format, noise, a flood, two devices of one name; a sound device goes on beside them", async () => {
    const [old, noisy, flooding, sound] = await Promise.all([
      device("", false),
      device("", false),
      device(activity.imageHash),
      device(activity.imageHash),
    ]);
    const at = ({ port }: { readonly port: number }) => `tcp:127.0.0.1:${port}`;
    const { stateOf, isSaid } = await start({
      devices: [
        { match: at(old!), node: "old" },
        { match: at(noisy!), node: "noisy" },
        { match: at(flooding!), node: "flooding" },
        { match: at(sound!), node: "sound" },
        { match: "synthetic:1", node: "twin" },
        { match: "synthetic:2", node: "twin" },
      ],
    });
    await isSaid(/twin: another device runs under this name/);
    await until(() => [old, noisy, flooding, sound].every((one) => one!.isPlugged), "all are connected");
    noisy!.raw(Buffer.alloc(10_000, "noise\0"));
    await isSaid(/noisy: tcp:\S+ sends no link frames .*check the baud rate/);
    old!.link().message("hello", LINK_DEVICE, new Uint8Array(8));
    await isSaid(/old: .*that cannot be read: 8 B instead of/);
    await isSaid("flooding: tcp:");
    await isSaid(/flooding: .*decides itself/);
    for (let i = 0; i < 500; i++) flooding!.decide(1, { tick: 64 * i });
    await isSaid(/flooding: .* sends more than 50 messages per second/);
    await isSaid(/sound: .*decides itself/);
    sound!.decide(1, { tick: 64 });
    sound!.decide(1, { tick: 128 });
    await until(() => stateOf("sound")?.label === activity.image.manifest.labels[1], "the sound one is mirrored");
  });

  it("a wrong key, two * in a name, mirrored axes, an unknown agent and a taken port → the field, before anything starts", async () => {
    const folder = tempFolder();
    const refused = (over: object, what: RegExp) =>
      expect(() => configOf(folder, { devices: [{ match: "synthetic", ...over }] })).toThrow(what);
    refused({ colour: "red" }, /devices\[0\].*colour/s);
    refused({ node: "a*b*" }, /devices\[0\]\.node/);
    refused({ axes: "+x+y-z" }, /devices\[0\]\.axes.*mirror image/s);
    refused({ match: "usb:12" }, /devices\[0\]\.match.*usb:VID:PID/s);
    refused({ match: "serial:/dev/*/x" }, /devices\[0\]\.match.*one \*/s);
    const broker = await aedesBroker();
    opened.push(() => broker.close());
    const taken = Number(new URL(broker.url).port);
    const free = await freePort();
    const config = configOf(folder, { devices: [{ match: "synthetic", agent: "nobody" }], metrics: String(taken), http: String(free) });
    const findings = await checkGateway({ ...common, config, cwd: folder });
    expect(findings).toMatchObject([
      { what: "agent nobody", result: "failed" },
      { what: "metrics", result: "failed", text: expect.stringMatching(/EADDRINUSE.*Choose another port/) },
      { what: "http", result: "ok" },
      { what: "device", result: "ok" },
    ]);
  });
});

describe("ports that a match finds", () => {
  it("a * stands for any part of a name", () => {
    const folder = tempFolder();
    for (const name of ["ttyACM0", "ttyACM12", "ttyUSB0", "tty"]) writeFileSync(join(folder, name), "");
    const found = findPorts(parseMatch(`serial:${folder}/ttyACM*@9600`) as never);
    expect(found.map(({ id, address }) => [id, address])).toEqual([
      ["0", { kind: "serial", path: join(folder, "ttyACM0"), baud: 9600 }],
      ["12", { kind: "serial", path: join(folder, "ttyACM12"), baud: 9600 }],
    ]);
    expect(findPorts(parseMatch("serial:/nowhere/tty*") as never)).toEqual([]);
  });

  it("a USB device is known by vendor, product and serial number, as Linux's sysfs has them", () => {
    const sys = tempFolder();
    /** A USB device with its ports: an ACM port lies in the interface, that of a converter chip one folder below. */
    const plug = (bus: string, files: Readonly<Record<string, string>>, ...ports: readonly string[]) => {
      const folder = join(sys, "devices", bus);
      for (const [i, port] of ports.entries()) {
        const one = join(folder, `${bus}:1.${i}`, port.startsWith("ttyUSB") ? port : "");
        mkdirSync(one, { recursive: true });
        mkdirSync(join(sys, "tty", port), { recursive: true });
        symlinkSync(one, join(sys, "tty", port, "device"));
      }
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), `${text}\n`);
    };
    plug("1-1", { idVendor: "2e8a", idProduct: "000a", serial: "E660A1" }, "ttyACM0", "ttyACM1");
    plug("1-2", { idVendor: "2e8a", idProduct: "000a", serial: "E660B2" }, "ttyACM2");
    plug("1-3", { idVendor: "10c4", idProduct: "ea60" }, "ttyUSB0");
    mkdirSync(join(sys, "tty", "tty0")); // a console: no device behind it
    const found = (match: string) =>
      findPorts(parseMatch(match) as never, join(sys, "tty")).map(({ id, address }) => [id, "path" in address && address.path]);
    expect(found("usb:2E8A:000A")).toEqual([
      ["E660A1", "/dev/ttyACM0"],
      ["E660A1", "/dev/ttyACM1"],
      ["E660B2", "/dev/ttyACM2"],
    ]);
    expect(found("usb:2e8a:000a:E660B2")).toEqual([["E660B2", "/dev/ttyACM2"]]);
    expect(found("usb:10c4:ea60")).toEqual([["ttyUSB0", "/dev/ttyUSB0"]]);
    expect(found("usb:10c4:ea60:E660B2")).toEqual([]);
    rmSync(join(sys, "devices", "1-1"), { recursive: true }); // pulled out, its ports not yet taken away
    expect(found("usb:2e8a:000a")).toEqual([["E660B2", "/dev/ttyACM2"]]);
  });
});
