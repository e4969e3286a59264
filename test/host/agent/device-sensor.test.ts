import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { openDeviceSensor } from "../../../host/agent/sensors/device-sensor.ts";
import { FrameQueue } from "../../../host/agent/sensors/frame-queue.ts";
import { systemClock } from "../../../host/core/system/clock.ts";
import { linkAddressText, parseLinkAddress } from "../../../host/link/link-address.ts";
import { encodeSensor } from "../../../host/link/sensor.ts";
import { createLinkWriter } from "../../../host/link/stream.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { until } from "../../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "dormouse-serial-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const declared = { rateHz: 50, channels: 6 };
const sensorPayload = (tick: number, count: number) =>
  encodeSensor({ tick, channels: 6, samples: Int16Array.from({ length: 6 * count }, (_, i) => tick * 100 + i) });

describe("the address of a device", () => {
  it.each([
    ["serial:/dev/ttyAMA0", { kind: "serial", path: "/dev/ttyAMA0", baud: 115_200 }],
    ["serial:/dev/ttyUSB1@921600", { kind: "serial", path: "/dev/ttyUSB1", baud: 921_600 }],
    ["serial:COM3", { kind: "serial", path: "COM3", baud: 115_200 }],
    ["tcp:127.0.0.1:9999", { kind: "tcp", host: "127.0.0.1", port: 9999 }],
    ["tcp:[::1]:80", { kind: "tcp", host: "::1", port: 80 }],
  ])("%s", (text, address) => expect(parseLinkAddress(text)).toEqual(address));

  it("is none, or refused with an example", () => {
    expect(parseLinkAddress("synthetic:3")).toBeUndefined();
    for (const bad of ["serial:", "serial:ttyUSB0", "serial:/dev/x@fast"]) expect(() => parseLinkAddress(bad)).toThrow(/Write serial:/);
    for (const bad of ["tcp:", "tcp:host", "tcp:host:0", "tcp:host:70000"]) expect(() => parseLinkAddress(bad)).toThrow(/Write tcp:/);
  });

  it("is written as it is read, and any text is read or refused in a sentence (property)", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65_535 }), fc.integer({ min: 300, max: 9_999_999 }), (port, baud) => {
        for (const text of [`tcp:broker.lan:${port}`, baud === 115_200 ? "serial:/dev/x" : `serial:/dev/x@${baud}`])
          expect(linkAddressText(parseLinkAddress(text)!)).toBe(text);
      }),
    );
    fc.assert(
      fc.property(fc.constantFrom("", "serial:", "tcp:"), fc.string(), (scheme, rest) => {
        try {
          parseLinkAddress(scheme + rest);
        } catch (error) {
          expect(error).toMatchObject({ code: "SENSOR_UNKNOWN" });
        }
      }),
    );
  });
});

describe("the queue between a device and the model", () => {
  it("drops what comes when it is full, and counts it", async () => {
    const queue = new FrameQueue(6);
    for (let i = 0; i < 30; i++) queue.push({ type: "sensor", sequence: i, agent: 0, more: false, payload: sensorPayload(i * 10, 10) });
    queue.push({ type: "sensor", sequence: 0, agent: 0, more: false, payload: Uint8Array.of(1) });
    queue.push({ type: "log", sequence: 0, agent: 0, more: false, payload: new Uint8Array() });
    queue.close();
    const ticks: number[] = [];
    for await (const { tick } of queue) ticks.push(tick);
    expect(ticks).toEqual(Array.from({ length: 256 }, (_, i) => i));
    expect(queue).toMatchObject({ arrived: 300, dropped: 44, taken: 256, foreign: 2 });
  });
});

describe("a device's sensor", () => {
  it("reads link frames from a pipe, noise and all", async (context) => {
    const path = join(folder, "pipe");
    if (spawnSync("mkfifo", [path]).status !== 0) context.skip("mkfifo not installed: Node makes no named pipe");
    const told: string[] = [];
    const address = { kind: "serial", path, baud: 115_200 } as const;
    const sensor = openDeviceSensor(address, declared, { clock: systemClock, tell: (text) => told.push(text) });
    const link = createLinkWriter((bytes) => appendFileSync(path, bytes));
    appendFileSync(path, Uint8Array.of(1, 2, 3, 0));
    const samples = Int16Array.from({ length: 6 * 45 }, (_, i) => i - 100);
    link.sensor(0, 7, 6, samples);
    const got: number[] = [];
    for await (const { tick, frame } of sensor) {
      expect(tick).toBe(7 + got.length / 6);
      got.push(...frame);
      if (got.length === samples.length) break;
    }
    sensor.device.close();
    expect(got).toEqual([...samples]);
    expect(told).toEqual([`reading serial:${path}`]);
  });

  it("looks for a device that is not there again and again, and says so once", async () => {
    const clock = new ManualClock();
    const told: string[] = [];
    const path = join(folder, "absent");
    const stop = new AbortController();
    const around = { clock, tell: (text: string) => told.push(text), signal: stop.signal };
    const sensor = openDeviceSensor({ kind: "serial", path, baud: 9600 }, declared, around);
    for (let i = 0; i < 3; i++) {
      await new Promise(setImmediate);
      clock.advance(5000);
    }
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/no device at .*absent.*ENOENT.*Trying again/);
    stop.abort();
    for await (const _ of sensor) throw new Error("a closed sensor gives no frame");
  });

  it("over TCP: comes, goes and comes back; what is no frame of the agent's is told in a sentence", async () => {
    const clock = new ManualClock();
    const told: string[] = [];
    const sockets: Socket[] = [];
    const server = createServer((socket) => void sockets.push(socket));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    const sensor = openDeviceSensor({ kind: "tcp", host: "127.0.0.1", port }, declared, { clock, tell: (text) => told.push(text) });
    const frames = sensor[Symbol.asyncIterator]();
    const send = (channels: number, type: "sensor" | "decision" = "sensor") => {
      const link = createLinkWriter((bytes) => sockets.at(-1)!.write(bytes));
      if (type === "sensor") link.sensor(0, 5, channels, new Int16Array(channels));
      else link.message(type, 0, new Uint8Array(56));
    };
    await until(() => sockets.length === 1, "the gateway connects");
    send(6);
    expect((await frames.next()).value).toMatchObject({ tick: 5 });
    sockets[0]!.destroy();
    await until(() => told.length === 2, "it is seen to go");
    clock.advance(5000);
    await until(() => sockets.length === 2, "it is found again");
    send(3);
    await until(() => told.length === 4, "its frames are looked at");
    send(6, "decision");
    await until(() => told.length === 5, "its decision is looked at");
    sockets[1]!.write(Buffer.alloc(5000, "noise\0"));
    await until(() => told.length === 6, "its noise is looked at");
    sensor.device.close();
    expect((await frames.next()).done).toBe(true);
    server.close();
    const name = `tcp:127.0.0.1:${port}`;
    expect(told).toEqual([
      `reading ${name}`,
      `${name} has gone; looking for it again`,
      `reading ${name}`,
      `${name} sends frames of 3 channels, the agent takes 6`,
      `${name} sends decision frames: it decides itself. dormouse gateway passes its decisions on`,
      expect.stringMatching(/sends no link frames .*check the baud rate/),
    ]);
    expect(sensor.device.progress()).toEqual({ arrived: 1, taken: 1, dropped: 0 });
  });
});
