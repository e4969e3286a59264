import { describe, expect, it } from "vitest";
import { brokerOf, urlText } from "../../../host/cli/broker-link.ts";
import { parseBrokerUrl } from "../../../host/mqtt/broker-url.ts";

const identity = { tls: { ca: "ca", cert: "cert", key: "key" }, site: "lab", brokerUrl: "mqtts://own.example" };

describe("how a verb reaches its broker", () => {
  it("refuses plain text beyond this machine, unless --insecure says that it may be read", () => {
    for (const url of ["mqtt://broker.example", "tcp://10.0.0.1:1883", "ws://broker.example"]) {
      expect(() => parseBrokerUrl(brokerOf({ insecure: false }, undefined, url)!)).toThrow(/plain text/);
      expect(parseBrokerUrl(brokerOf({ insecure: true }, undefined, url)!).hostname).toMatch(/^(broker|10\.)/);
    }
    expect(parseBrokerUrl(brokerOf({ insecure: false }, undefined, "mqtt://127.0.0.1")!).protocol).toBe("mqtt");
    expect(parseBrokerUrl(brokerOf({ insecure: true }, undefined, "mqtts://broker.example")!).protocol).toBe("mqtts"); // and never takes TLS away
  });

  it("takes the first URL that is named, the identity's own last, with the identity's certificates", () => {
    expect(brokerOf({ insecure: false }, identity, undefined)).toEqual({ url: "mqtts://own.example", ...identity.tls });
    expect(brokerOf({ insecure: false }, identity, undefined, "wss://b.example")).toMatchObject({ url: "wss://b.example", key: "key" });
    expect(brokerOf({ insecure: false }, undefined, undefined)).toBeUndefined();
  });

  it("refuses an identity on a link without TLS", () => {
    expect(() => brokerOf({ insecure: true }, identity, "mqtt://127.0.0.1")).toThrow(/needs a broker URL with TLS/);
  });

  it("shows a URL without user and password", () => {
    expect(urlText("mqtts://joe:hunter22@broker:8883")).toBe("mqtts://…@broker:8883");
  });
});
