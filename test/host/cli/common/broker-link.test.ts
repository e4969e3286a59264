import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readBroker } from "../../../../host/cli/common/broker-link.ts";
import { parseBrokerUrl } from "../../../../host/mqtt/transport/broker-url.ts";

const io = { cwd: "/", env: {} };
const tls = { ca: "ca", cert: "cert", key: "key" };
const identity = { tls, readTls: () => tls, site: "lab", brokerUrl: "mqtts://own.example", group: undefined };

describe("how a verb reaches its broker", () => {
  it("refuses plain text beyond this machine, unless --insecure says that it may be read", () => {
    for (const url of ["mqtt://broker.example", "tcp://10.0.0.1:1883", "ws://broker.example"]) {
      expect(() => parseBrokerUrl(readBroker(io, { insecure: false }, undefined, url)!)).toThrow(/plain text/);
      expect(parseBrokerUrl(readBroker(io, { insecure: true }, undefined, url)!).hostname).toMatch(/^(broker|10\.)/);
    }
    expect(parseBrokerUrl(readBroker(io, { insecure: false }, undefined, "mqtt://127.0.0.1")!).protocol).toBe("mqtt");
    expect(parseBrokerUrl(readBroker(io, { insecure: true }, undefined, "mqtts://broker.example")!).protocol).toBe("mqtts"); // and never takes TLS away
  });

  it("takes the first URL that is named, the identity's own last, with the identity's certificates", () => {
    expect(readBroker(io, { insecure: false }, identity, undefined)).toEqual({
      ...{ url: "mqtts://own.example", ...identity.tls },
      renew: expect.any(Function),
    });
    expect(readBroker(io, { insecure: false }, identity, undefined, "wss://b.example")).toMatchObject({
      url: "wss://b.example",
      key: "key",
    });
    expect(readBroker(io, { insecure: false }, undefined, undefined)).toBeUndefined();
  });

  it("refuses an identity on a link without TLS", () => {
    expect(() => readBroker(io, { insecure: true }, identity, "mqtt://127.0.0.1")).toThrow(/needs a broker URL with TLS/);
  });

  it("takes user and password from a file, the URL or the environment, in this order, and out of the URL", () => {
    const folder = mkdtempSync(join(tmpdir(), "dormouse-password-"));
    writeFileSync(join(folder, "password"), "of the file\n", { mode: 0o600 });
    const env = { DORMOUSE_BROKER_USER: "joe", DORMOUSE_BROKER_PASSWORD: "of the environment" };
    const inFile = { insecure: false, brokerPasswordFile: "password" };
    const plain = { insecure: false };
    const url = "mqtts://ann:of%20the%20url@broker.example";
    const bare = "mqtts://broker.example";
    expect(readBroker({ cwd: folder, env }, plain, undefined, bare)).toEqual({
      url: bare,
      username: "joe",
      password: "of the environment",
    });
    expect(readBroker({ cwd: folder, env }, plain, undefined, url)).toEqual({ url: bare, username: "ann", password: "of the url" });
    const fromFile = readBroker({ cwd: folder, env }, inFile, undefined, url)!;
    expect(fromFile).toMatchObject({ url: bare, username: "ann", password: "of the file" });
    writeFileSync(join(folder, "password"), "rotated");
    expect(fromFile.renew!()).toEqual({ username: "ann", password: "rotated" });
    expect(readBroker({ cwd: folder, env: {} }, plain, undefined, bare)).toEqual({ url: bare });
    chmodSync(join(folder, "password"), 0o644);
    expect(() => readBroker({ cwd: folder, env }, inFile, undefined, url)).toThrow(expect.objectContaining({ code: "KEY_EXPOSED" }));
    rmSync(folder, { recursive: true });
  });
});
