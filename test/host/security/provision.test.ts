import { X509Certificate } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openNodeConfig } from "../../../host/agent/node-config.ts";
import { nextCounter } from "../../../host/security/command-counters.ts";
import { parsePublicCommandKey } from "../../../host/security/command-key.ts";
import { readIdentity } from "../../../host/security/identity.ts";
import { type ProvisionOptions, provision } from "../../../host/security/provision.ts";

const folder = mkdtempSync(join(tmpdir(), "dormouse-provision-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const wall = Date.UTC(2026, 0, 1);
const caFolder = join(folder, "authority");
const make = (name: string, over: Partial<ProvisionOptions> = {}) =>
  provision({ role: "node", name, site: "lab", caFolder, outFolder: join(folder, name), days: 30, ...over }, wall);
const certificate = (...path: string[]) => new X509Certificate(readFileSync(join(folder, ...path)));

describe("provision", () => {
  it("makes a node's identity, and the site's authority the first time", async () => {
    const first = await make("wrist-1", { brokerUrl: "mqtts://broker.example:8883" });
    const second = await make("wrist-2");
    expect([first.isNewAuthority, second.isNewAuthority]).toEqual([true, false]);
    const own = certificate("wrist-1", "client.crt");
    const authority = certificate("authority", "ca.crt");
    expect(own.subject).toBe("O=lab\nCN=wrist-1");
    expect(own.ca).toBe(false);
    expect(own.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]); // client authentication alone
    expect(own.verify(authority.publicKey)).toBe(true);
    expect(certificate("wrist-2", "client.crt").verify(authority.publicKey)).toBe(true);
    expect(own.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: "prime256v1" });
    expect(Date.parse(own.validTo) - wall).toBe(30 * 86_400_000);
    const { config } = openNodeConfig({ path: join(folder, "wrist-1", "dormouse.json") });
    expect(config).toMatchObject({ node: "wrist-1", site: "lab", broker: "mqtts://broker.example:8883", commandFloor: wall });
    expect(parsePublicCommandKey(config.commandKey!).asymmetricKeyType).toBe("ed25519");
    expect(readIdentity(join(folder, "wrist-1"))).toMatchObject({ site: "lab", tls: { cert: own.toString() } });
  });

  it("writes every private key readable by its owner alone, and no left-overs", () => {
    for (const name of ["authority", "wrist-1", "wrist-2"]) {
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o700);
      for (const file of readdirSync(join(folder, name))) {
        expect(file).not.toContain(".part");
        if (readFileSync(join(folder, name, file), "utf8").includes("PRIVATE"))
          expect(statSync(join(folder, name, file)).mode & 0o777).toBe(0o600);
      }
    }
  });

  it("certifies a broker for all its names, by the authority that devices trust", async () => {
    await make("broker.example", { role: "broker", hosts: ["10.0.0.5"] });
    const server = certificate("broker.example", "server.crt");
    expect(server.checkHost("broker.example")).toBe("broker.example");
    expect(server.checkIP("10.0.0.5")).toBe("10.0.0.5");
    expect(server.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(server.verify(certificate("authority", "ca.crt").publicKey)).toBe(true);
    const config = readFileSync(join(folder, "broker.example", "mosquitto.conf"), "utf8");
    expect(config).toContain(`cafile ${join(folder, "broker.example")}/cloud-ca.crt`);
    expect(config).not.toMatch(/[{}]/); // every place of the template is filled
    expect(readFileSync(join(folder, "broker.example", "acl"), "utf8")).toContain("pattern write dormouse/v1/lab/%u/state");
  });

  it("gives a broker's access list Home Assistant's prefix", async () => {
    await make("ha.example", { role: "broker", discoveryPrefix: "site/ha" });
    const acl = readFileSync(join(folder, "ha.example", "acl"), "utf8");
    expect(acl).toContain("pattern readwrite site/ha/device/%u/+/config\n");
    expect(acl).toContain("topic read site/ha/#\n");
    expect(acl).not.toMatch(/homeassistant|[{}]/);
  });

  it("signs workers and operators by an authority of their own; the operator alone gets the command key", async () => {
    await make("worker", { role: "cloud" });
    await make("alice", { role: "operator" });
    const [devices, cloud] = [certificate("authority", "ca.crt"), certificate("authority", "cloud-ca.crt")];
    for (const [name, role] of [
      ["worker", "cloud"],
      ["alice", "operator"],
    ] as const) {
      const own = certificate(name, "client.crt");
      expect(own.subject).toBe(`O=lab\nOU=${name}\nCN=${role}`);
      expect([own.verify(cloud.publicKey), own.verify(devices.publicKey)]).toEqual([true, false]);
    }
    const withKey = ["wrist-1", "worker", "alice", "broker.example"].filter((name) => existsSync(join(folder, name, "command.key")));
    expect(withKey).toEqual(["alice"]);
  });

  it("gives a site's workers one group of shared subscribers, which no device, broker or operator is told", async () => {
    await make("second", { role: "cloud" });
    const groups = ["worker", "second", "alice"].map((name) => readIdentity(join(folder, name)).group);
    expect(groups[0]).toMatch(/^cloud-[0-9a-f]{32}$/);
    expect(groups).toEqual([groups[0], groups[0], undefined]);
    for (const name of ["wrist-1", "broker.example", "alice"]) {
      for (const file of readdirSync(join(folder, name)).filter((one) => /\.(json|conf)$|^acl$/.test(one)))
        expect(readFileSync(join(folder, name, file), "utf8")).not.toContain(groups[0]);
    }
    rmSync(join(folder, "authority", "group")); // an authority of an earlier release has none
    await make("third", { role: "cloud" });
    expect(readIdentity(join(folder, "third")).group).toMatch(/^cloud-[0-9a-f]{32}$/);
  });

  it.each<[string, string, Partial<ProvisionOptions>, string]>([
    ["a key that is there", "wrist-1", {}, "IDENTITY_EXISTS"],
    ["another site than the authority's", "wrist-3", { site: "home" }, "SITE_OTHER"],
    ["a new authority without a site", "wrist-3", { caFolder: join(folder, "new"), site: undefined as never }, "SITE_MISSING"],
    ["a site that breaks an access list", "wrist-3", { caFolder: join(folder, "new"), site: "my lab\ntopic write x" }, "NAME_INVALID"],
    ["a site with a blank", "wrist-3", { caFolder: join(folder, "new"), site: "my lab" }, "SITE_INVALID"],
    ["a node named like a role", "operator", {}, "NODE_NAME_RESERVED"],
    ["a node named like the readers' user", "reader", {}, "NODE_NAME_RESERVED"],
    ...["ha+", "#", "", "/ha", "my ha", "ha\ntopic write #", "%u", "dormouse/v1"].map(
      (discoveryPrefix): [string, string, Partial<ProvisionOptions>, string] => [
        `Home Assistant's prefix ${JSON.stringify(discoveryPrefix)}`,
        "b.example",
        { role: "broker", discoveryPrefix, outFolder: join(folder, "x") },
        "DISCOVERY_PREFIX_INVALID",
      ],
    ),
    [
      "a URL that holds a password",
      "wrist-3",
      { brokerUrl: "mqtts://joe:hunter22@broker.example", outFolder: join(folder, "x") },
      "BROKER_URL_SECRET",
    ],
    ["the parent folder as a name", "..", { outFolder: join(folder, "x") }, "NAME_INVALID"],
    ["a worker with the working folder as a name", ".", { role: "cloud", outFolder: join(folder, "x") }, "NAME_INVALID"],
    ["a site of dots alone", "wrist-3", { caFolder: join(folder, "new"), site: "..." }, "NAME_INVALID"],
    ["a node with a slash", "a/b", { outFolder: join(folder, "x") }, "NAME_INVALID"],
    ["a name that no certificate holds", "ü".repeat(40), { outFolder: join(folder, "x") }, "NODE_NAME_RESERVED"],
    ["a worker's name that no certificate holds", "ü".repeat(40), { role: "cloud", outFolder: join(folder, "x") }, "NODE_NAME_RESERVED"],
    ["a broker that is no host", "not a host", { role: "broker", outFolder: join(folder, "x") }, "HOST_INVALID"],
  ])("refuses %s", async (_, name, over, code) => {
    await expect(make(name, over)).rejects.toMatchObject({ code });
    expect(existsSync(join(folder, "x"))).toBe(false);
  });

  it("refuses a key that others can read, and half an authority", async () => {
    const key = join(folder, "wrist-2", "client.key");
    chmodSync(key, 0o644);
    expect(() => readIdentity(join(folder, "wrist-2"))).toThrow(/chmod 600/);
    const half = join(folder, "half");
    await make("wrist-4", { caFolder: half });
    rmSync(join(half, "site"));
    await expect(make("wrist-5", { caFolder: half })).rejects.toMatchObject({ code: "AUTHORITY_INCOMPLETE" });
  });
});

describe("an operator's counters", () => {
  it("rise with the clock and go on through its small steps back; a wrong clock's, far ahead, is left behind", () => {
    const path = join(folder, "counters.json");
    expect(nextCounter(path, "lab/wrist-1", wall)).toBe(wall);
    expect(nextCounter(path, "lab/wrist-1", wall - 1000)).toBe(wall + 1);
    const wrong = Date.UTC(2090, 0, 1);
    expect(nextCounter(path, "lab/wrist-1", wrong)).toBe(wrong);
    expect(nextCounter(path, "lab/wrist-1", wall + 5000)).toBe(wall + 5000);
  });
});
