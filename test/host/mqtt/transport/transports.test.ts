import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startWorker } from "../../../../host/cloud/worker.ts";
import { createAsker } from "../../../../host/mqtt/asks/asker.ts";
import { type BrokerOptions, parseBrokerUrl } from "../../../../host/mqtt/transport/broker-url.ts";
import { freePort, hasMosquitto, mosquittoBroker, type TestBroker } from "../../../support/broker.ts";
import { echoProvider } from "../../../support/echo-provider.ts";
import { hasProgram } from "../../../support/programs.ts";
import { query } from "../../../support/query.ts";
import { requireAll } from "../../../support/require.ts";
import { until } from "../../../support/until.ts";

const backoff = { firstMillis: 20, maxMillis: 100 };

describe("a broker's URL", () => {
  it("means TLS beyond this machine, unless plain text is asked for by name", () => {
    for (const url of ["mqtt://broker.example", "tcp://10.0.0.5", "ws://192.168.1.2:9001/mqtt", "mqtt://[2001:db8::1]"]) {
      expect(() => parseBrokerUrl({ url })).toThrow(expect.objectContaining({ code: "BROKER_PLAIN_TEXT" }) as Error);
    }
    for (const url of [
      "mqtt://127.0.0.1",
      "mqtt://localhost:1",
      "ws://[::1]:9001",
      "mqtts://broker.example",
      "wss://broker.example/mqtt",
    ]) {
      expect(parseBrokerUrl({ url }).hostname).not.toBe("");
    }
    expect(parseBrokerUrl({ url: "mqtt+insecure://10.0.0.5" })).toMatchObject({ protocol: "mqtt", hostname: "10.0.0.5", port: 1883 });
    expect(parseBrokerUrl({ url: "wss://broker.example/mqtt?v=5" })).toMatchObject({ protocol: "wss", port: 443, path: "/mqtt?v=5" });
  });

  it("may hold an encoded user and password; a stray % is named, and not what it stands in", () => {
    expect(parseBrokerUrl({ url: "mqtts://an%40a:50%25@host" })).toMatchObject({ username: "an@a", password: "50%" });
    for (const [what, login] of [
      ["user", "50%secret:x"],
      ["password", "ana:50%secret"],
    ] as const) {
      const parse = () => parseBrokerUrl({ url: `mqtts://${login}@host` });
      expect(parse).toThrow(expect.objectContaining({ code: "BROKER_URL_INVALID", message: expect.stringContaining(what) }) as Error);
      expect(parse).not.toThrow("secret");
    }
  });

  it("refuses half a client certificate, and certificates that would not be used", () => {
    const code = (broker: BrokerOptions) => {
      try {
        return void parseBrokerUrl(broker);
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(code({ url: "mqtts://broker.example", cert: "PEM" })).toBe("BROKER_TLS_INCOMPLETE");
    expect(code({ url: "mqtts://broker.example", key: "PEM" })).toBe("BROKER_TLS_INCOMPLETE");
    expect(code({ url: "mqtt://127.0.0.1", ca: "PEM" })).toBe("BROKER_TLS_UNUSED");
  });
});

describe.skipIf(!(hasMosquitto() && hasProgram("openssl")) && !requireAll)(
  "every transport to a real mosquitto (needs mosquitto and openssl)",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "dormouse-tls-"));
    const pem = (name: string) => readFileSync(join(folder, name), "utf8");
    const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
    const ports = { tls: 0, ws: 0, wss: 0 };
    let broker: TestBroker;

    /** A key and a certificate of `name`, by `authority` or of its own. */
    function issue(name: string, extension: string, authority?: string): void {
      const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", `${name}.key`];
      const by = authority === undefined ? [] : ["-CA", `${authority}.pem`, "-CAkey", `${authority}.key`];
      openssl("req", "-x509", ...curve, "-subj", `/CN=${name}`, "-days", "1", "-addext", extension, ...by, "-out", `${name}.pem`);
    }

    beforeAll(async () => {
      issue("authority", "basicConstraints=critical,CA:TRUE");
      issue("stranger", "basicConstraints=critical,CA:TRUE");
      issue("broker", "subjectAltName=DNS:broker.lab", "authority");
      issue("wrist", "extendedKeyUsage=clientAuth", "authority");
      for (const name of ["tls", "ws", "wss"] as const) ports[name] = await freePort();
      const file = (name: string) => join(folder, name);
      const tls = [
        `cafile ${file("authority.pem")}`,
        `certfile ${file("broker.pem")}`,
        `keyfile ${file("broker.key")}`,
        "require_certificate true",
      ];
      execFileSync("chmod", ["-R", "a+rX", folder]); // mosquitto gives up root
      broker = await mosquittoBroker([
        ...[`listener ${ports.tls} 127.0.0.1`, ...tls],
        ...[`listener ${ports.ws} 127.0.0.1`, "protocol websockets"],
        ...[`listener ${ports.wss} 127.0.0.1`, "protocol websockets", ...tls],
      ]);
    });
    afterAll(async () => {
      await broker.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const identity = () => ({ ca: pem("authority.pem"), cert: pem("wrist.pem"), key: pem("wrist.key"), serverName: "broker.lab" });

    for (const [name, options] of [
      ["TCP", () => ({ url: broker.url })],
      ["TLS with a client certificate and a pinned authority", () => ({ url: `mqtts://127.0.0.1:${ports.tls}`, ...identity() })],
      ["WebSocket", () => ({ url: `ws://127.0.0.1:${ports.ws}/mqtt` })],
      ["WebSocket over TLS", () => ({ url: `wss://127.0.0.1:${ports.wss}/mqtt`, ...identity() })],
    ] as const) {
      it(`asks and is answered over ${name}`, async () => {
        const worker = startWorker({ broker: { url: broker.url }, provider: echoProvider(), backoff });
        await worker.ready(5000);
        const edge = createAsker({ broker: options(), site: "lab", node: "wrist", backoff, events: { onOutcome: () => {} } });
        for (let n = 0; n < 20; n++) edge.ask(query(n));
        expect(await edge.drain(10_000)).toBe(true);
        expect(edge.counts()).toMatchObject({ asked: 20, answered: 20 });
        for (const thing of [edge, worker]) await thing.close();
      });
    }

    it("names its ask topic once a connection: then the alias that mosquitto offers stands for it", async () => {
      const upstream: Buffer[] = [];
      const proxy = createServer((inner) => {
        const outer = createConnection(Number(new URL(broker.url).port), "127.0.0.1");
        inner.on("data", (bytes) => upstream.push(bytes));
        inner.pipe(outer).pipe(inner);
      });
      await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
      const worker = startWorker({ broker: { url: broker.url }, provider: echoProvider(), backoff });
      await worker.ready(5000);
      const url = `mqtt://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      const edge = createAsker({ broker: { url }, site: "lab", node: "wrist", backoff, events: { onOutcome: () => {} } });
      for (let n = 0; n < 20; n++) edge.ask(query(n));
      expect(await edge.drain(10_000)).toBe(true);
      expect(Buffer.concat(upstream).toString("latin1").split("dormouse/v1/lab/wrist/ask/activity")).toHaveLength(2);
      for (const thing of [edge, worker, proxy]) await thing.close();
    });

    for (const [name, change] of [
      ["another authority's broker", () => ({ ca: pem("stranger.pem") })],
      ["a broker of another name", () => ({ serverName: "other.lab" })],
      ["the system's authorities only", () => ({ ca: undefined })],
      ["no certificate of its own", () => ({ cert: undefined, key: undefined })],
    ] as const) {
      it(`sends nothing to ${name}`, async () => {
        for (const url of [`mqtts://127.0.0.1:${ports.tls}`, `wss://127.0.0.1:${ports.wss}/mqtt`]) {
          const details: string[] = [];
          const given = Object.entries({ url, ...identity(), ...change() }).filter(([, value]) => value !== undefined);
          const edge = createAsker({
            broker: Object.fromEntries(given) as unknown as BrokerOptions,
            ...{ site: "lab", node: "wrist", backoff },
            events: { onOutcome: () => {}, onLinkState: (state, detail) => details.push(`${state} ${detail ?? ""}`) },
          });
          await until(() => details.filter((detail) => detail.startsWith("offline")).length >= 2, "two tries have failed");
          expect(details.filter((detail) => detail.startsWith("online"))).toEqual([]);
          expect(edge.stats().sends).toBe(0);
          await edge.close();
        }
      });
    }
  },
);
