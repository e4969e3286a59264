import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createConnection as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readBroker, readIdentityOption } from "../../../../host/cli/common/broker-link.ts";
import { createAsker } from "../../../../host/mqtt/asks/asker.ts";
import { startBroker } from "../../../../host/mqtt/transport/broker.ts";
import { createConnection } from "../../../../host/mqtt/transport/connection.ts";
import { provision } from "../../../../host/security/provision.ts";
import { freePort } from "../../../support/broker.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { until } from "../../../support/until.ts";
import { cli, fakeIo } from "../../cli/fake-io.ts";

const DAY = 86_400_000;
const CERTIFIED = ["ca.crt", "client.crt", "client.key"];

let folder: string;
const closers: (() => unknown)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dormouse-rotate-"));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true, force: true });
});

/** A broker's and a node's identity, of an authority of their own. */
async function site(name: string, days = 100, wallMillis = Date.now()) {
  const common = { site: "lab", caFolder: join(folder, `${name}-ca`), days };
  const [broker, node] = [join(folder, `${name}-broker`), join(folder, `${name}-node`)];
  await provision({ ...common, role: "broker", name: "localhost", hosts: ["127.0.0.1"], outFolder: broker }, wallMillis);
  await provision({ ...common, role: "node", name: "wrist", outFolder: node }, wallMillis);
  return { broker, node };
}

/** TLS with client certificates before the embedded broker. */
async function tlsDoor(identity: string, brokerPort: number, port: number): Promise<{ readonly port: number; close(): Promise<void> }> {
  const read = (file: string) => readFileSync(join(identity, file));
  const sockets = new Set<TLSSocket>();
  const server: Server = createServer(
    { cert: read("server.crt"), key: read("server.key"), ca: read("ca.crt"), requestCert: true, rejectUnauthorized: true },
    (socket) => {
      sockets.add(socket.on("error", () => {}));
      const inner = connectTcp(brokerPort, "127.0.0.1").on("error", () => socket.destroy());
      socket.pipe(inner).pipe(socket);
    },
  );
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

describe("certificates", () => {
  it("files that were replaced → are used at the next connection, without a restart", async () => {
    const [old, fresh] = [await site("old"), await site("fresh")];
    const broker = await startBroker({ port: 0 });
    closers.push(() => broker.close());
    const door = await tlsDoor(old.broker, broker.port, 0);
    const { io } = fakeIo({ cwd: folder });
    const link = { identity: "old-node", insecure: false };
    const states: string[] = [];
    const edge = createAsker({
      broker: readBroker(io, link, readIdentityOption(io, link), `mqtts://127.0.0.1:${door.port}`)!,
      ...{ site: "lab", node: "wrist", backoff: { firstMillis: 20, maxMillis: 100 } },
      events: { onOutcome: () => {}, onLinkState: (state, detail) => states.push(`${state} ${detail ?? ""}`) },
    });
    closers.push(() => edge.close());
    const onlines = () => states.filter((state) => state.startsWith("online")).length;
    await until(() => onlines() === 1, "the node is online");
    await door.close();
    const again = await tlsDoor(fresh.broker, broker.port, door.port);
    closers.push(() => again.close());
    writeFileSync(join(old.node, "client.crt"), "half a file"); // a rotation that is under way
    const before = states.length;
    await until(() => states.slice(before).some((state) => state.startsWith("offline")), "a try failed");
    for (const file of CERTIFIED) copyFileSync(join(fresh.node, file), join(old.node, file));
    await until(() => onlines() === 2, "the node is online with the new ones");
  });

  it("one that ends within 30 days → is warned of once per day, and not before; a clock that nobody set warns of nothing", async () => {
    const { node } = await site("soon", 40, Date.now());
    const read = (file: string) => readFileSync(join(node, file), "utf8");
    const url = `mqtts://127.0.0.1:${await freePort()}`;
    const anomaliesOf = async (wallMillis: number, days: number) => {
      const clock = new ManualClock(wallMillis);
      const told: string[] = [];
      const connection = createConnection({
        ...{ broker: { url, ca: read("ca.crt"), cert: read("client.crt"), key: read("client.key") }, clientId: "wrist", clock },
        ...{ random: (count) => new Uint8Array(count).fill(128), backoff: { firstMillis: 1e9, maxMillis: 1e9 }, keepAliveSeconds: 60 },
        ...{ cleanStart: true, sessionExpirySeconds: 0, receiveMaximum: 10, filters: () => [], onMessage: () => {}, onState: () => {} },
        onAnomaly: (code, message) => told.push(`${code} ${message}`),
      });
      connection.open();
      for (let day = 0; day < days; day++) clock.advance(DAY);
      await connection.close();
      clock.advance(3 * DAY);
      return told;
    };
    const now = Date.now();
    expect(await anomaliesOf(now, 9)).toEqual([]);
    expect(await anomaliesOf(now, 12)).toHaveLength(3); // on the 10th, 11th and 12th day
    expect(await anomaliesOf(now + 50 * DAY, 0)).toEqual([expect.stringMatching(/^CERTIFICATE_EXPIRES .*expired on/)]);
    expect(await anomaliesOf(0, 2)).toEqual([]);
  });

  it("doctor --identity → says how long certificates hold, and fails for one that has expired", async () => {
    await site("long", 200);
    await site("soon", 20);
    await site("over", 1, Date.now() - 10 * DAY);
    const check = async (name: string) => {
      const { code, stdout } = await cli(["doctor", "--identity", `${name}-node`, "--json"], { cwd: folder });
      const { checks } = JSON.parse(stdout) as { checks: { check: string; state: string }[] };
      return { code, states: checks.filter(({ check }) => check === "client certificate").map(({ state }) => state) };
    };
    expect(await check("long")).toMatchObject({ states: ["ok"] });
    expect(await check("soon")).toMatchObject({ states: ["warning"] });
    expect(await check("over")).toEqual({ code: 1, states: ["failed"] });
  });
});
