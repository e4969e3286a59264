import { execFileSync, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { LoadedAgent } from "../../../../host/agent/loaded-agent.ts";
import { loadAgent, openAgentModel } from "../../../../host/agent/registry.ts";
import { readImage } from "../../../../host/core/image/image-read.ts";
import { writeImage } from "../../../../host/core/image/image-write.ts";
import { systemClock } from "../../../../host/core/system/clock.ts";
import { buildGatewayImage, packageVersion } from "../../../../host/firmware/package/gateway-image.ts";
import { signCommand } from "../../../../host/mqtt/commands/command.ts";
import { createFleetTable } from "../../../../host/mqtt/readers/fleet-table.ts";
import { type ReadableMessage, readMessage } from "../../../../host/mqtt/readers/readable-message.ts";
import { openReader } from "../../../../host/mqtt/readers/reader.ts";
import { createConnection } from "../../../../host/mqtt/transport/connection.ts";
import { loadBoard } from "../../../../host/power/board.ts";
import { publicCommandKey } from "../../../../host/security/command-key.ts";
import { mosquittoBroker } from "../../../support/broker.ts";
import { needPrograms } from "../../../support/programs.ts";
import { openPtyDevice } from "../../../support/pty-device.ts";
import { until } from "../../../support/until.ts";

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

const own = process.arch === "arm64" ? "linux-arm64" : "linux-x64";

describe("versions of an agent's package", () => {
  it("a later model is newer whatever its hash, and whatever the agent is called (needs dpkg)", (context) => {
    needPrograms(context, "dpkg");
    const version = (name: string, modelNumber: number, hash: string) => packageVersion("0.1.0", { name, modelNumber }, hash.repeat(8));
    const isNewer = (a: string, b: string) => execFileSync("dpkg", ["--compare-versions", a, "gt", b]);
    for (const name of ["activity", "my-agent"])
      for (const [earlier, later] of [["0", "f"] as const, ["f", "0"] as const])
        for (const [from, to] of [[7, 8] as const, [9, 10] as const, [99, 100] as const])
          isNewer(version(name, to, later), version(name, from, earlier));
    isNewer(packageVersion("0.2.0", { name: "activity" }, "00000000"), version("activity", 99, "f"));
    expect(version("my-agent", 7, "5")).toBe("0.1.0+my.agent.7.55555555");
  });
});

/** The same agent with its next model: other bits, the same shape. */
async function nextModel(agent: LoadedAgent, folder: string): Promise<LoadedAgent> {
  const image = readImage(new Uint8Array(readFileSync(agent.modelPath)));
  const { provenance } = image.manifest;
  const modelPath = join(folder, "next.dmm");
  writeFileSync(
    modelPath,
    writeImage({ ...image, manifest: { ...image.manifest, provenance: { ...provenance, seed: provenance.seed + 1 } } }),
  );
  return {
    ...agent,
    modelPath,
    definition: { ...agent.definition, model: "next.dmm", modelNumber: (agent.definition.modelNumber ?? 1) + 1 },
  };
}

describe("a gateway package, from installation to purge (needs dpkg, mosquitto, python3)", { timeout: 120_000 }, () => {
  it("two devices on serial ports, one unplugged, a new model, commands obeyed, nothing left", async (context) => {
    needPrograms(context, "dpkg", "mosquitto", "python3");
    const folder = mkdtempSync(join(tmpdir(), "dormouse-walk-"));
    opened.push(() => rmSync(folder, { recursive: true, force: true }));
    const root = join(folder, "root");
    const agent = await loadAgent("activity");
    const later = await nextModel(agent, folder);
    const [firstHash, laterHash] = [(await openAgentModel(agent)).imageHash, (await openAgentModel(later)).imageHash];
    expect(laterHash).not.toBe(firstHash);
    const build = (of: LoadedAgent, name: string) =>
      buildGatewayImage({ agent: of, board: loadBoard(own), outFolder: join(folder, name), cacheFolder: folder });
    const [first, second] = [await build(agent, "first"), await build(later, "second")];
    const dpkg = dpkgIn(root);

    dpkg("-i", ...first.artifacts.map(({ path }) => path));
    expect(existsSync(join(root, "usr/lib/dormouse-activity/dist/gateway.js"))).toBe(true);
    const broker = await mosquittoBroker();
    opened.push(() => broker.close());
    const operator = generateKeyPairSync("ed25519").privateKey;
    const commandKey = publicCommandKey(operator);
    const ports = ["tty-left", "tty-right"].map((name) => join(folder, name));
    const config = {
      broker: { url: broker.url },
      reportSeconds: 5,
      devices: ports.map((port, i) => ({ match: `serial:${port}`, node: ["left", "right"][i], commandKey })),
    };
    writeFileSync(join(root, first.config), JSON.stringify(config), { mode: 0o600 });

    const { heard, stateOf } = listen(broker.url);
    const [left, right] = [await openPtyDevice(firstHash, ports[0]!), await openPtyDevice(firstHash, ports[1]!)];
    opened.push(() => left.unplug());
    const service = serve(root, "dormouse-activity");
    await until(() => ["left", "right"].every((node) => stateOf(node)?.state === "awake"), "both devices are online");
    left.device.decide(2, { tick: 64 });
    left.device.decide(2, { tick: 128 });
    await until(() => stateOf("left")?.label !== undefined, "the left one's label is told");
    await right.unplug();
    await until(() => stateOf("right")?.state === "gone", "the right one is gone");
    expect(stateOf("left")).toMatchObject({ state: "awake", model: firstHash });
    const link = operatorLink(broker.url);
    const obey = async (counter: number) => {
      await until(() => link.state === "online", "the operator is online");
      const command = { site: "home", node: "left", verb: "snapshot", counter, payload: {} } as const;
      await link.publish("dormouse/v1/home/left/command/snapshot", signCommand(command, operator));
      await until(() => heard.some((message) => isObeyed(message, counter)), `command ${counter} is obeyed`);
    };
    await obey(5);
    await service.stop();

    dpkg("-i", "--force-confold", ...second.artifacts.map(({ path }) => path));
    expect(JSON.parse(readFileSync(join(root, second.config), "utf8"))).toEqual(config);
    const back = await openPtyDevice(laterHash, ports[1]!);
    opened.push(() => back.unplug());
    const updated = serve(root, "dormouse-activity");
    await until(() => ["left", "right"].every((node) => stateOf(node)?.state === "awake"), "both devices are back");
    await until(() => stateOf("right")?.model === laterHash, "the right one runs the new model");
    await obey(6);
    await updated.stop();

    dpkg("-P", "dormouse-activity");
    dpkg("-P", "dormouse-runtime");
    const rest = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) => path.includes("dormouse"));
    expect(rest.filter((path) => !path.startsWith("var/lib/dpkg/"))).toEqual([]);
  });
});

/** dpkg in a root of its own. Maintainer scripts run outside it, with DPKG_ROOT set. */
function dpkgIn(root: string) {
  for (const name of ["info", "updates", "triggers"]) mkdirSync(join(root, "var/lib/dpkg", name), { recursive: true });
  for (const name of ["status", "available"]) writeFileSync(join(root, "var/lib/dpkg", name), "");
  return (...args: string[]) =>
    execFileSync("dpkg", [`--root=${root}`, "--force-script-chrootless", "--force-not-root", "--force-depends", ...args], {
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
      stdio: "pipe",
    });
}

/** Starts what the unit starts, with its files in the root: first the check, then the service. */
function serve(root: string, packageName: string) {
  const unit = readFileSync(join(root, `usr/lib/systemd/system/${packageName}.service`), "utf8");
  const lineOf = (key: string): string[] => {
    const [program, ...args] = new RegExp(`^${key}=(.*)$`, "m").exec(unit)![1]!.split(" ");
    const config = /^LoadCredential=config:(.*)$/m.exec(unit)![1]!;
    const inRoot = args.map((arg) =>
      arg.endsWith("{CREDENTIALS_DIRECTORY}/config") ? join(root, config) : arg.startsWith("/usr/") ? join(root, arg) : arg,
    );
    return [join(root, program!), ...inRoot];
  };
  const env = { PATH: process.env.PATH, STATE_DIRECTORY: join(root, "var/lib/private", packageName) };
  mkdirSync(env.STATE_DIRECTORY, { recursive: true, mode: 0o700 });
  const [check, ...checkArgs] = lineOf("ExecStartPre");
  execFileSync(check!, checkArgs, { env, stdio: "pipe" });
  const [program, ...args] = lineOf("ExecStart");
  const child = spawn(program!, args, { env, stdio: ["ignore", "ignore", "inherit"] });
  const ended = once(child, "exit");
  const stop = async () => {
    child.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  };
  opened.push(() => child.kill("SIGKILL"));
  return { stop };
}

function listen(url: string) {
  const heard: ReadableMessage[] = [];
  const fleet = createFleetTable();
  const reader = openReader({
    broker: { url },
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
  return { heard, stateOf: (node: string) => fleet.nodes(systemClock.wall()).find((one) => one.node === node) };
}

function operatorLink(url: string) {
  const link = createConnection({
    ...{ broker: { url }, clientId: "operator", clock: systemClock, random: (n) => new Uint8Array(n), cleanStart: true },
    ...{ backoff: { firstMillis: 100, maxMillis: 100 }, keepAliveSeconds: 60, sessionExpirySeconds: 0, receiveMaximum: 8 },
    ...{ filters: () => [], onMessage: () => {}, onState: () => {} },
  });
  link.open();
  opened.push(() => link.close());
  return link;
}

function isObeyed({ value }: ReadableMessage, counter: number): boolean {
  const { command } = (Object(value) as { data?: { command?: { counter: number; result: string } } }).data ?? {};
  return command?.counter === counter && command.result === "obeyed";
}
