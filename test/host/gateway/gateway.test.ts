import { generateKeyPairSync } from "node:crypto";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import activity from "../../../agents/activity/agent.ts";
import type { AgentDefinition } from "../../../host/agent/define-agent.ts";
import { readSyntheticParameters } from "../../../host/agent/sensors/synthetic-sensor.ts";
import { createSyntheticWearer } from "../../../host/data/synthetic.ts";
import { type GatewayOptions, runGateway } from "../../../host/gateway/gateway.ts";
import { readGatewayConfig } from "../../../host/gateway/gateway-config.ts";
import { openPackedAgent } from "../../../host/gateway/packed-agent.ts";
import { createServiceManager } from "../../../host/gateway/service-manager.ts";
import { keepAlive } from "../../../host/gateway/watchdog.ts";
import { createLinkWriter } from "../../../host/link/stream.ts";
import { signCommand } from "../../../host/mqtt/commands/command.ts";
import type { BrokerOffer } from "../../../host/mqtt/transport/broker-offer.ts";
import type { Connect } from "../../../host/mqtt/transport/connection.ts";
import { decodePayload, type Payload } from "../../../host/mqtt/wire/payloads.ts";
import { publicCommandKey } from "../../../host/security/command-key.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const folder = mkdtempSync(join(tmpdir(), "dormouse-service-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
};

const pem = (name: string): string => `-----BEGIN ${name}-----`;

describe("a service's configuration", () => {
  it("fills in what is left out", () => {
    const expected = {
      site: "home",
      devices: [{ match: { kind: "frames", sensor: "synthetic" }, radio: "ble" }],
      homeAssistant: undefined,
      reportSeconds: 60,
      engine: "simd",
      isVerbose: false,
    };
    expect(readGatewayConfig(file("a.json", '{"devices":[{"match":"synthetic"}]}'))).toEqual(expected);
    expect(readGatewayConfig(file("a.json", '{"sensor":"synthetic"}'))).toEqual(expected); // of release 0.1
  });

  it("names the wrong field, the file and what to do", () => {
    expect(() => readGatewayConfig(file("b.json", '{"sensor":"synthetic","brooker":{}}'))).toThrow(
      /b\.json.*brooker.*restart the gateway/s,
    );
    expect(() => readGatewayConfig(file("c.json", "{"))).toThrow(/cannot read the configuration .*c\.json/);
    expect(() => readGatewayConfig(join(folder, "none.json"))).toThrow(/ENOENT/);
    expect(() => openPackedAgent(folder)).toThrow(/cannot read the packed agent/);
  });
});

describe("a service's broker password", () => {
  it("is told by no error about a configuration that holds it", () => {
    for (const text of ['{"broker":{"password":hunter22}}', '{"sensor":"synthetic","broker":{"url":1,"password":"hunter22"}}']) {
      let message = "";
      try {
        readGatewayConfig(file("p.json", text));
      } catch (error) {
        message = `${(error as Error).message} ${(error as Error).stack} ${String((error as Error).cause)}`;
      }
      expect(message).toMatch(/p\.json/);
      expect(message).not.toContain("hunter22");
    }
  });

  it.skipIf(process.platform === "win32")("lies in a configuration that others can read → it is refused", () => {
    const path = file("s.json", '{"sensor":"synthetic","broker":{"url":"mqtts://h","password":"hunter22"}}');
    expect(readGatewayConfig(path).broker?.password).toBe("hunter22");
    chmodSync(path, 0o644);
    expect(() => readGatewayConfig(path)).toThrow(expect.objectContaining({ code: "KEY_EXPOSED" }));
  });

  it("may lie in a file, found beside the configuration", () => {
    const config = readGatewayConfig(file("q.json", '{"sensor":"synthetic","broker":{"url":"mqtt://h","passwordFile":"password"}}'));
    expect(config.broker?.passwordFile).toBe(join(folder, "password"));
  });

  it("lies in no folder that a name points to: a name is no path", () => {
    for (const name of ["..", "../x", "."])
      expect(() => readGatewayConfig(file("r.json", JSON.stringify({ sensor: "synthetic", node: name })))).toThrow(/node/);
  });
});

describe("the service manager", () => {
  it("is told through systemd-notify, and only where there is one", () => {
    const sent: string[][] = [];
    const env = { NOTIFY_SOCKET: "/run/systemd/notify", WATCHDOG_USEC: "60000000" };
    const manager = createServiceManager(
      env,
      () => undefined,
      (args) => sent.push([...args]),
    );
    manager.ready("waiting");
    manager.alive();
    manager.stopping();
    expect(manager.watchdogMillis).toBe(60_000);
    expect(sent).toEqual([["--ready", "--status=waiting"], ["WATCHDOG=1"], ["STOPPING=1"]]);
    const alone = createServiceManager(
      {},
      () => undefined,
      () => sent.push(["never"]),
    );
    alone.ready("waiting");
    expect(alone.watchdogMillis).toBeUndefined();
    expect(sent).toHaveLength(3);
  });
});

describe("the watchdog", () => {
  it("gets signs of life while frames are taken, or none come; none while frames wait", () => {
    const clock = new ManualClock();
    const said: string[] = [];
    let progress = { arrived: 0, done: 0 };
    const stop = keepAlive({
      clock,
      watchdogMillis: 1000,
      progress: () => progress,
      alive: () => said.push("alive"),
      onStuck: () => said.push("stuck"),
    });
    const beatAt = (arrived: number, done: number): string[] => {
      progress = { arrived, done };
      said.length = 0;
      clock.advance(500);
      return [...said];
    };
    expect(beatAt(0, 0)).toEqual(["alive"]); // nothing comes
    expect(beatAt(50, 40)).toEqual(["alive"]); // behind, but at work
    expect(beatAt(90, 40)).toEqual(["stuck"]);
    expect(beatAt(90, 90)).toEqual(["alive"]);
    stop();
    expect(beatAt(99, 90)).toEqual([]);
  });
});

describe("a service", () => {
  const clock = new ManualClock();
  /** An agent's folder as a gateway image carries it, and a folder for its state. */
  const folders = (name: string, over: Partial<AgentDefinition> = {}) => {
    const [agentFolder, stateFolder] = [join(folder, `${name}-agent`), join(folder, `${name}-state`)];
    mkdirSync(agentFolder);
    for (const name of ["model.dmm", "lda-prior.safetensors", "synthetic.json"])
      cpSync(join("agents/activity", name), join(agentFolder, name));
    writeFileSync(join(agentFolder, "agent.json"), JSON.stringify({ ...activity, ...over }));
    return { agentsFolder: folder, cwd: folder, defaultAgent: `${name}-agent`, stateFolder };
  };
  const config = (what: object): GatewayOptions["config"] => readGatewayConfig(file("service.json", JSON.stringify(what)));
  const common = {
    ...{ version: "test", clock, say: () => undefined, signal: new AbortController().signal },
    manager: createServiceManager({}, () => undefined),
  };

  const operator = generateKeyPairSync("ed25519").privateKey;
  const order = { site: "home", node: "gw-1" } as const;
  const reboot = signCommand({ ...order, verb: "reboot", counter: 7, payload: {} }, operator);

  /** What a broker hears of a minute of somebody's day. */
  async function heardOf(
    name: string,
    over: Partial<AgentDefinition>,
    configured: object = {},
    commands: readonly (readonly [string, Uint8Array])[] = [["reboot", reboot]],
  ) {
    const said: string[] = [];
    let metrics: Promise<string> | undefined;
    let asks = 0;
    const events: Payload<"event">[] = [];
    const reports: unknown[] = [];
    const connect: Connect = ({ onState, onMessage, filters }) => ({
      state: "online",
      open() {
        onState("online");
        expect(filters({} as BrokerOffer)).toContain("dormouse/v1/home/gw-1/command/+");
        queueMicrotask(() => {
          for (const [verb, payload] of commands) onMessage({ topic: `dormouse/v1/home/gw-1/command/${verb}`, payload, retain: false });
        });
      },
      publish: async (_, payload) => {
        const read = decodePayload(["ask", "event", "telemetry"], payload);
        if (read.ok && read.value.kind === "telemetry" && "command" in read.value.data) reports.push(read.value.data.command);
        if (read.ok && read.value.kind === "ask") asks++;
        if (read.ok && read.value.kind === "event") events.push(read.value);
        return { ok: true };
      },
      flush: async () => {},
      close: async () => {},
      effort: () => ({ radioMillis: 0, breakerOpens: 0, takeovers: 0 }),
    });
    const wearer = createSyntheticWearer({ parameters: readSyntheticParameters("agents/activity/synthetic.json"), seed: 3 });
    const recording: Uint8Array[] = [];
    const samples = Array.from({ length: 3000 }, () => [...wearer.next().frame]).flat();
    createLinkWriter((bytes) => recording.push(bytes)).sensor(0, 0, 6, Int16Array.from(samples));
    const path = join(folder, `${name}.dls`);
    writeFileSync(path, Buffer.concat(recording));
    let isDone = false;
    const broker = { url: "mqtt://127.0.0.1" };
    const service = runGateway({
      ...common,
      ...folders(name, over),
      config: config({ node: "gw-1", sensor: `replay:${path}`, broker, ...configured }),
      connect,
      say: (line) => said.push(line),
    });
    const done = service.finally(() => {
      isDone = true;
    });
    while (!isDone) {
      clock.advance(200);
      const at = said.map((line) => /^metrics at (.*)$/.exec(line)?.[1]).find((url) => url !== undefined);
      if (at !== undefined && reports.length === 2 * commands.length) metrics ??= fetch(at).then((answer) => answer.text());
      await new Promise(setImmediate);
      if (metrics !== undefined) await metrics;
    }
    const counters = (await done).get("gw-1")!;
    return { ...counters, asks, events, reports, said, metrics: await metrics };
  }

  it("says that it takes no commands without a key, tells the alarms that its agent declares, and keeps to the agent's cap on what asks give away", async () => {
    const plain = await heardOf("plain", {});
    expect(plain.asked).toBeGreaterThan(0);
    expect(plain.reports).toEqual([
      {
        verb: "reboot",
        counter: 7,
        result: "refused",
        refusal: "takes-none",
        reason: expect.stringContaining("no command key"),
      },
    ]);
    expect(plain.events.map(({ isAlarm }) => isAlarm ?? false)).not.toContain(true);
    const label = plain.events[0]!.data.label as string;
    const declared = await heardOf("declared", { alarm: label, asks: { ...activity.asks, privacyBitsAnHour: 0 } });
    expect(declared).toMatchObject({ asked: 0, asks: 0 });
    expect(declared.events.length).toBeGreaterThan(0);
    for (const { data, isAlarm } of declared.events) expect(isAlarm ?? false).toBe(data.label === label);
  });

  it("its configuration names a command key, a board and a port of metrics → it obeys, reboots and is measured", async () => {
    const setPoint = signCommand({ ...order, verb: "set-point", counter: 6, payload: { maxExit: 0, askAllowed: false } }, operator);
    const configured = { commandKey: publicCommandKey(operator), board: "nrf52840-dk", isVerbose: true, metrics: "0" };
    const heard = await heardOf("commanded", { policy: undefined }, configured, [
      ["set-point", setPoint],
      ["reboot", reboot],
      ["reboot", reboot],
    ]);
    expect(heard.reports).toMatchObject([
      { verb: "set-point", result: "obeyed", effect: { maxExit: 0, asks: "off" } },
      { verb: "reboot", result: "obeyed" },
      { verb: "reboot", result: "refused", refusal: "replayed" },
      { verb: "set-point", refusal: "older" }, // after the reboot, once more
      { verb: "reboot", refusal: "replayed" },
      { verb: "reboot", refusal: "replayed" },
    ]);
    expect(heard.said).toContain("gw-1: rebooted on the operator's command");
    expect(heard.asked).toBe(0);
    expect(heard.exits.slice(1)).toEqual([0, 0, 0]); // the order holds after the reboot
    expect(heard.metrics).toMatch(/dormouse_decisions_total\{exit="1"/);
    expect(heard.metrics).toMatch(/dormouse_commands_total\{outcome="replayed".*\} 2/);
  });

  /** What a gateway says until its one device has failed; a device's fault ends nothing. */
  async function saidUntilFault(where: string | ReturnType<typeof folders>, what: object, connect: Connect): Promise<string> {
    const said: string[] = [];
    const stop = new AbortController();
    const isFault = (line: string): boolean => line.includes("Trying again");
    const given = { ...common, ...(typeof where === "string" ? folders(where) : where), config: config(what), connect };
    const running = runGateway({ ...given, say: (line) => said.push(line), signal: stop.signal });
    while (!said.some(isFault)) await new Promise(setImmediate);
    stop.abort();
    await running;
    return said.find(isFault)!;
  }

  it("its configuration names a board that nobody wears, or no port → it is refused, and says what to write", async () => {
    const given = { ...common, ...folders("unworn"), config: config({ sensor: `serial:${join(folder, "none")}`, board: "linux-x64" }) };
    await expect(runGateway(given)).rejects.toThrow(expect.objectContaining({ code: "BOARD_NO_POWER" }));
    expect(() => config({ sensor: "synthetic", metrics: "everywhere" })).toThrow(/metrics.*host:port/);
  });

  it("shows the broker the certificate of its identity", async () => {
    const broker = { url: "mqtts://broker.example", ca: pem("CA"), cert: pem("CERT"), key: pem("KEY") };
    const connect: Connect = (options) => {
      expect(options.broker).toEqual(broker);
      throw new Error("far enough");
    };
    expect(await saidUntilFault("known", { node: "gw-2", sensor: "synthetic", broker }, connect)).toContain("gw-2: far enough");
  });

  it("its configuration names a file to personalize → the state folder keeps it, for its owner alone; not with a board, not without a broker", async () => {
    const [broker, personalize] = [{ url: "mqtt://127.0.0.1" }, "user.safetensors"];
    const where = folders("personal");
    const connect: Connect = () => {
      throw new Error("far enough");
    };
    const of = (what: object) => ({ node: "gw-3", sensor: "synthetic", personalize, ...what });
    const run = (what: object) => runGateway({ ...common, ...where, connect, config: config(of(what)) });
    await expect(run({ broker, board: "nrf52840-dk" })).rejects.toThrow(expect.objectContaining({ code: "PERSONALIZE_WITH_BOARD" }));
    await expect(run({})).rejects.toThrow(expect.objectContaining({ code: "PERSONALIZE_ALONE" }));
    expect(await saidUntilFault(where, of({ broker }), connect)).toContain("gw-3: far enough");
    expect(statSync(join(where.stateFolder, personalize)).mode & 0o777).toBe(0o600);
  });

  it("that cannot start leaves nothing behind that would keep the process alive", async () => {
    const timers = clock.timers;
    const broken = {
      ...common,
      ...folders("broken"),
      config: config({ sensor: `serial:${join(folder, "none")}`, broker: { url: "http://x" } }),
    };
    await expect(runGateway(broken)).rejects.toThrow(/not a broker's URL/);
    await new Promise(setImmediate); // the device was being opened
    expect(clock.timers).toBe(timers);
  });
});
