import { createPrivateKey } from "node:crypto";
import { cpSync, lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProgram, runCli } from "../../../host/cli/program.ts";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { hasMosquitto } from "../../support/broker.ts";
import { requireAll } from "../../support/require.ts";
import { openTlsSite, type TlsSite, wristArguments } from "../../support/tls-site.ts";
import { until } from "../../support/until.ts";
import { openOtlpReceiver } from "../telemetry/otlp-receiver.ts";
import { cli, fakeIo } from "./fake-io.ts";

const PASSWORD = "hunter22-correct-horse";
const API_KEY = "sk-live-0123456789abcdef";

/** Every form in which a private key might get out: its PEM lines, and its secret bytes in hex and base64. */
function formsOf(pem: string): string[] {
  const lines = pem.split("\n").filter((line) => line !== "" && !line.startsWith("-----"));
  const secret = Buffer.from(createPrivateKey(pem).export({ format: "jwk" }).d!, "base64url");
  return [
    ...lines.slice(0, 2), // the rest of an EC key is its public half
    secret.toString("hex"),
    secret.toString("hex").toUpperCase(),
    secret.toString("base64").slice(0, 42),
    secret.toString("base64url"),
  ];
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isFile());
}

describe.skipIf(!hasMosquitto() && !requireAll)("secrets (needs mosquitto)", () => {
  let site: TlsSite;
  const said: string[] = [];
  beforeAll(async () => {
    site = await openTlsSite();
  });
  afterAll(() => site.close());

  async function say(args: readonly string[], env: Record<string, string> = {}): Promise<number> {
    const { code, stdout, stderr } = await cli(args, { cwd: site.folder, env: { PATH: "", OPENAI_API_KEY: API_KEY, ...env } });
    said.push(stdout, stderr);
    return code;
  }

  /** Starts a verb that runs on, and returns how to end it. */
  function start(...args: string[]) {
    const fake = fakeIo({ cwd: site.folder, env: { PATH: "", OPENAI_API_KEY: API_KEY } });
    const running = runCli(args, fake.io);
    return {
      stderr: () => fake.output().stderr,
      stdout: () => fake.output().stdout,
      async end() {
        fake.interrupt();
        const code = await running;
        said.push(fake.output().stdout, fake.output().stderr);
        return code;
      },
    };
  }

  it("are in no output of any verb, in no log, metric or trace, and in no file but the keys' own", async () => {
    const receiver = await openOtlpReceiver();
    for (const [name, ...more] of [
      ["wrist-1"],
      ["worker", "--as", "cloud"],
      ["alice", "--as", "operator"],
      ["broker.example", "--as", "broker"],
    ]) {
      expect(await say(["provision", name!, ...more, "--json"])).toBe(0);
      expect(await say(["provision", name!, ...more])).toBe(1); // it is there already
    }
    const watched = ["--metrics", "0", "--otlp", receiver.url, "--log", "json", "--log-level", "debug"];
    const cloud = start("cloud", "--identity", "worker", "--broker", site.cloudUrl, "--json", ...watched);
    await until(() => cloud.stderr().includes('"state":"online"'), "the worker is online");
    const node = start(...wristArguments(site, "--verbose"), ...watched);
    await until(() => node.stderr().includes('"message":"outcome"'), "an ask was answered");
    for (const stderr of [node.stderr(), cloud.stderr()]) {
      said.push(await (await fetch(/Metrics at ([^\s"]+)/.exec(stderr)![1]!)).text());
      const lines = stderr.split("\n").filter((line) => line !== "");
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines)
        expect(Object.keys(JSON.parse(line) as object)).toEqual(expect.arrayContaining(["time", "level", "message"]));
    }
    expect(said.at(-2)).toMatch(/^dormouse_decisions_total\{exit="\d"[^}]*\} [1-9]/m);
    expect(said.at(-1)).toMatch(/^dormouse_worker_asks_total\{fate="answered"[^}]*\} [1-9]/m);
    const operator = ["--identity", "alice", "--broker", site.cloudUrl];
    for (const verb of [["set-point", "--max-exit", "1"], ["snapshot"]])
      expect(await say(["ota", "wrist-1", ...verb, ...operator, "--json"])).toBe(0);
    expect(await node.end()).toBe(0);
    expect(await cloud.end()).toBe(0);

    // What goes wrong tells no secret either.
    cpSync(join(site.folder, "wrist-1"), join(site.folder, "broken"), { recursive: true });
    const key = readFileSync(join(site.folder, "wrist-1", "client.key"), "utf8");
    writeFileSync(join(site.folder, "broken", "client.key"), key.replace(/-----BEGIN[^\n]*\n/, "")); // no PEM any more
    const broken = start("run", "activity", "--identity", "broken", "--broker", site.devicesUrl, "--json", "--seconds", "3");
    await broken.end();
    expect(await say(["ota", "wrist-1", "reboot", "--key", "wrist-1/client.key", ...operator, "--json"])).toBe(1); // no Ed25519 key
    writeFileSync(join(site.folder, "alice", "counters.json"), readFileSync(join(site.folder, "alice", "command.key")));
    expect(await say(["ota", "wrist-1", "reboot", ...operator, "--json"], { DORMOUSE_DEBUG: "1" })).toBe(1);
    writeFileSync(join(site.folder, "dormouse.json"), readFileSync(join(site.folder, "wrist-1", "client.key")), { mode: 0o600 });
    expect(await say(["run", "activity", "--seconds", "3", "--json"], { DORMOUSE_DEBUG: "1" })).toBe(1);
    for (const url of [`mqtt://joe:${PASSWORD}@broker.example:1883`, `http://joe:${PASSWORD}@x`, `mqtts://joe:${PASSWORD}@127.0.0.1:1`]) {
      const lost = start("cloud", "--broker", url, "--json");
      await until(() => lost.stderr() !== "" || lost.stdout() !== "", "it says something");
      await lost.end();
    }
    for (const command of (await createProgram(fakeIo().io)).commands) await say([command.name(), "--help"]);
    await say(["doctor", "--json"]);
    await receiver.close();

    const keyFiles = filesOf(site.folder).filter((path) => /\.key$/.test(path) && !path.includes("broken"));
    expect(keyFiles.map((path) => relative(site.folder, path)).sort()).toEqual([
      ...["alice/client.key", "alice/command.key", "authority/ca.key", "authority/cloud-ca.key", "authority/command.key"],
      ...["broker.example/server.key", "broker/server.key", "worker/client.key", "wrist-1/client.key"],
    ]);
    const secrets = [PASSWORD, API_KEY, ...keyFiles.flatMap((path) => formsOf(readFileSync(path, "utf8")))];
    const spoken = [...said, ...receiver.bodies].join("\n");
    expect(spoken.length).toBeGreaterThan(10_000);
    for (const secret of secrets) expect(spoken.includes(secret)).toBe(false);
    const planted = ["broken/client.key", "alice/counters.json", "dormouse.json"].map((name) => join(site.folder, name));
    for (const path of filesOf(site.folder)) {
      if (keyFiles.includes(path) || planted.includes(path)) continue;
      const text = readFileSync(path, "latin1");
      for (const secret of secrets) expect([path, text.includes(secret)]).toEqual([path, false]);
    }
  });

  it("are in no image and no other file that the package ships", () => {
    for (const folder of ["agents", "boards", "host/mqtt/brokers"]) {
      for (const path of filesOf(join(packageRoot(), folder))) {
        expect([path, /-----BEGIN [A-Z ]*PRIVATE KEY/.test(readFileSync(path, "latin1"))]).toEqual([path, false]);
      }
    }
  });
});
