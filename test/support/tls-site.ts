import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, chmodSync, chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { readIdentity } from "../../host/security/identity.ts";
import { provision, type Role } from "../../host/security/provision.ts";
import { freePort, listening, MOSQUITTO } from "./broker.ts";

/** A site with its authority, and mosquitto running the shipped configuration as provision fills it in. */
export interface TlsSite {
  readonly folder: string;
  readonly site: string;
  readonly devicesUrl: string;
  readonly cloudUrl: string;
  readonly readersUrl: string;
  /** Provisions an identity and returns its folder. */
  identity(role: Role, name: string): Promise<string>;
  /** Connects with an identity, at the door of its kind unless another is named. */
  connect(folder: string, clientId: string, more?: IClientOptions & { readonly url?: string }): Promise<TestClient>;
  /** Connects at the readers' door, with a user and a password in place of a certificate. */
  login(username: string, password: string, clientId: string): Promise<TestClient>;
  /** Adds to the access list or the passwords, and has mosquitto read them again. */
  extend(file: "acl" | "passwords", text: string): void;
  kill(signal?: "SIGKILL" | "SIGTERM"): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface TestClient {
  readonly client: MqttClient;
  readonly sessionPresent: boolean;
  /** Everything that arrived, as `topic=payload`. */
  readonly heard: string[];
  subscribe(filter: string): Promise<number>; // reason code
  publish(topic: string, payload: string | Buffer, retain?: boolean): Promise<number>; // reason code
}

export async function openTlsSite(site = "lab"): Promise<TlsSite> {
  if (MOSQUITTO === undefined) throw new Error("mosquitto is not installed. apt-get install mosquitto, or unset DORMOUSE_REQUIRE_ALL.");
  const folder = mkdtempSync(join(tmpdir(), "dormouse-site-"));
  const caFolder = join(folder, "authority");
  const [devicesPort, cloudPort, readersPort] = [await freePort(), await freePort(), await freePort()];
  const brokerFolder = join(folder, "broker");
  const ports = { devicesPort, cloudPort, readersPort, bindAddress: "127.0.0.1" };
  const common = { site, caFolder, days: 30 };
  await provision({ ...common, role: "broker", name: "localhost", hosts: ["127.0.0.1"], outFolder: brokerFolder, ports }, Date.now());
  if (process.getuid?.() === 0) {
    chownToMosquitto(brokerFolder); // as the brokers' README says: mosquitto gives root's rights up
    chmodSync(folder, 0o711);
  }
  let child: ChildProcess | undefined;
  const clients: MqttClient[] = [];
  const open = async (url: string, options: IClientOptions): Promise<TestClient> => {
    const client = mqtt.connect(url, {
      ...{ protocolVersion: 5, reconnectPeriod: 0, clean: false, properties: { sessionExpiryInterval: 600 } },
      ...options,
    });
    clients.push(client);
    const heard: string[] = [];
    client.on("message", (topic, payload) => heard.push(`${topic}=${payload}`));
    const sessionPresent = await new Promise<boolean>((resolve, reject) => {
      client.once("connect", (packet) => resolve(packet.sessionPresent));
      client.once("error", reject);
      client.once("close", () => reject(new Error("closed before CONNACK")));
    });
    client.on("error", () => {});
    return {
      client,
      sessionPresent,
      heard,
      subscribe: (filter) =>
        new Promise((resolve) =>
          client.subscribe(filter, { qos: 1 }, (error, grants) => resolve(error ? 0x80 : (grants?.[0]?.qos ?? 0x80))),
        ),
      publish: (topic, payload, retain = false) =>
        new Promise((resolve) =>
          client.publish(topic, payload, { qos: 1, retain }, (error) =>
            resolve(error ? Number((error as { code?: unknown }).code ?? 0x80) : 0),
          ),
        ),
    };
  };
  const made: TlsSite = {
    folder,
    site,
    devicesUrl: `mqtts://127.0.0.1:${devicesPort}`,
    cloudUrl: `mqtts://127.0.0.1:${cloudPort}`,
    readersUrl: `mqtts://127.0.0.1:${readersPort}`,
    async identity(role, name) {
      const outFolder = join(folder, `${role}-${name}`);
      await provision({ ...common, role, name, outFolder }, Date.now());
      return outFolder;
    },
    connect(identity, clientId, { url, ...more } = {}) {
      const { tls } = readIdentity(identity);
      const isNode = readFolderKind(identity) === "node";
      return open(url ?? (isNode ? made.devicesUrl : made.cloudUrl), { ...tls, clientId, ...more });
    },
    login(username, password, clientId) {
      const ca = readFileSync(join(brokerFolder, "ca.crt"), "utf8");
      return open(made.readersUrl, { ca, username, password, clientId, clean: true });
    },
    async start() {
      child = spawn(MOSQUITTO!, ["-c", join(brokerFolder, "mosquitto.conf")], { stdio: "ignore" });
      await listening(cloudPort, child);
    },
    extend(file, text) {
      appendFileSync(join(brokerFolder, file), text);
      child?.kill("SIGHUP");
    },
    async kill(signal = "SIGKILL") {
      const dying = child;
      child = undefined;
      if (!dying || dying.exitCode !== null) return;
      const gone = new Promise((resolve) => dying.once("exit", resolve));
      dying.kill(signal);
      await gone;
    },
    async close() {
      for (const client of clients) client.end(true);
      await made.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await made.start();
  return made;
}

/** What `chown -R mosquitto` does. */
function chownToMosquitto(folder: string): void {
  const entry = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((line) => line.startsWith("mosquitto:"));
  const [, , uid, gid] = entry?.split(":") ?? [];
  for (const name of ["", ...readdirSync(folder, { recursive: true, encoding: "utf8" })])
    chownSync(join(folder, name), Number(uid), Number(gid));
}

function readFolderKind(identity: string): "node" | "other" {
  try {
    readFileSync(join(identity, "dormouse.json"));
    return "node";
  } catch {
    return "other";
  }
}

/** The command line of the wearer's device of a site, forty times as fast as life. */
export const wristArguments = (site: { readonly devicesUrl: string }, ...more: string[]): string[] =>
  ["run", "activity", "--identity", "wrist-1", "--broker", site.devicesUrl].concat("--speed", "40", "--json", "--data-dir", "data", more);
