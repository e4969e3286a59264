import fc from "fast-check";
import mqtt from "mqtt";
import { describe, expect, it } from "vitest";
import type { LoadedAgent } from "../../../../host/agent/loaded-agent.ts";
import { openMqttSource, parseMqttSensor, readMqttSample } from "../../../../host/cli/capture/mqtt-source.ts";
import { systemClock } from "../../../../host/core/system/clock.ts";
import { startBroker } from "../../../../host/mqtt/transport/broker.ts";
import { until } from "../../../support/until.ts";

const CHANNELS = ["ax", "ay"].map((name) => ({ name, unit: "", countsPerUnit: 1 }));
const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));

describe("samples over MQTT", () => {
  it("are a broker and a topic; a topic that names several, or none, is refused", () => {
    expect(parseMqttSensor("mqtt://127.0.0.1:1883/wrist/imu")).toEqual({ broker: "mqtt://127.0.0.1:1883", topic: "wrist/imu" });
    expect(parseMqttSensor("mqtts://user:pw@broker.example/a")).toEqual({ broker: "mqtts://user:pw@broker.example", topic: "a" });
    expect(parseMqttSensor("serial:/dev/ttyACM0")).toBeUndefined();
    for (const text of ["mqtt://127.0.0.1", "mqtt://127.0.0.1/", "mqtt://127.0.0.1/a/#", "mqtt://127.0.0.1/+/imu"])
      expect(() => parseMqttSensor(text)).toThrow(/names no topic, or one with \+ or #/);
    expect(() => parseMqttSensor("mqtt://broker.example/imu")).toThrow(/plain text/);
  });

  it("are JSON lists or objects, with the device's time or that of their arrival; anything else is none", () => {
    expect(readMqttSample(bytes([1, -2.5]), CHANNELS, 7)).toEqual([7, 1, -2.5]);
    expect(readMqttSample(bytes({ ay: 2, ax: 1, battery: 3 }), CHANNELS, 7)).toEqual([7, 1, 2]);
    expect(readMqttSample(bytes({ ax: 1, ay: 2, millis: 40 }), CHANNELS, 7)).toEqual([40, 1, 2]);
    for (const bad of [
      "",
      "x",
      "1",
      null,
      [1],
      [1, 2, 3],
      [1, "2"],
      { ax: 1 },
      { ax: 1, ay: null },
      { ax: 1, ay: 2, millis: "3" },
      "[1,1e999]",
    ])
      expect(readMqttSample(bytes(bad), CHANNELS, 7)).toBeUndefined();
    expect(readMqttSample(bytes(`[1,2]${" ".repeat(5000)}`), CHANNELS, 7)).toBeUndefined();
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(bytes)), (payload) => {
        const sample = readMqttSample(payload, CHANNELS, 7);
        if (sample !== undefined) expect(sample.length === 3 && sample.every(Number.isFinite)).toBe(true);
      }),
    );
  });

  it("come from a broker to the agent's beat; a message that is none is told once, an old value is left out", async () => {
    const broker = await startBroker({ port: 0 });
    const stop = new AbortController();
    const told: string[] = [];
    try {
      const agent = { definition: { sensor: { kind: "custom", rateHz: 50, channels: 2 } } } as LoadedAgent;
      const url = `mqtt://127.0.0.1:${broker.port}`;
      const device = await mqtt.connectAsync(url, { protocolVersion: 5 });
      await device.publishAsync("wrist/imu", JSON.stringify({ c1: 99, c2: 99, millis: 1 }), { qos: 1, retain: true });
      const source = openMqttSource(parseMqttSensor(`${url}/wrist/imu`)!, agent, {
        ...{ clock: systemClock, cwd: "/", tell: (text) => told.push(text), signal: stop.signal },
      });
      await until(() => told.includes("subscribed to wrist/imu"), "the capture is subscribed");
      for (const payload of ["no sample", "nor this"]) await device.publishAsync("wrist/imu", payload, { qos: 1 });
      for (let i = 0; i < 250; i++)
        await device.publishAsync("wrist/imu", JSON.stringify({ c1: i, c2: 0, millis: 1000 + i * 20 }), { qos: 1 });
      const values: number[] = [];
      for await (const sample of source.samples) if (values.push(sample.values[0]!) === 100) break;
      expect(values).toEqual(values.map((_, i) => expect.closeTo(values[0]! + i, 6)));
      expect(values[0]).toBeLessThan(120);
      expect(told.filter((text) => text.includes("is no sample"))).toEqual([
        "A message on wrist/imu is no sample: send JSON with c1, c2, or a list of 2 numbers.",
      ]);
      expect(told).toContain("The topic sends 50 samples per second: resampled to 50.");
      await device.endAsync();
    } finally {
      stop.abort();
      await broker.close();
    }
  });
});
