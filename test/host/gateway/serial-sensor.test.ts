import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../host/core/system/clock.ts";
import { FrameQueue } from "../../../host/gateway/frame-queue.ts";
import { openSerialSensor, parseSerialSpec } from "../../../host/gateway/serial-sensor.ts";
import { encodeSensor } from "../../../host/link/sensor.ts";
import { createLinkWriter } from "../../../host/link/stream.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const folder = mkdtempSync(join(tmpdir(), "dormouse-serial-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const declared = { rateHz: 50, channels: 6 };
const sensorPayload = (tick: number, count: number) =>
  encodeSensor({ tick, channels: 6, samples: Int16Array.from({ length: 6 * count }, (_, i) => tick * 100 + i) });

describe("the name of a serial sensor", () => {
  it("has a path and maybe a baud rate", () => {
    expect(parseSerialSpec("serial:/dev/ttyAMA0")).toEqual({ path: "/dev/ttyAMA0", baud: 115_200 });
    expect(parseSerialSpec("serial:/dev/ttyUSB1@921600")).toEqual({ path: "/dev/ttyUSB1", baud: 921_600 });
    expect(parseSerialSpec("synthetic:3")).toBeUndefined();
    for (const bad of ["serial:", "serial:ttyUSB0", "serial:/dev/x@fast"]) expect(() => parseSerialSpec(bad)).toThrow(/no serial device/);
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

describe("a serial sensor", () => {
  it("reads link frames from a pipe, noise and all", async (context) => {
    const path = join(folder, "pipe");
    if (spawnSync("mkfifo", [path]).status !== 0) context.skip("mkfifo not installed: Node makes no named pipe");
    const told: string[] = [];
    const sensor = openSerialSensor({ path, baud: 115_200 }, declared, { clock: systemClock, tell: (text) => told.push(text) });
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
    sensor.close();
    expect(got).toEqual([...samples]);
    expect(told).toEqual([`reading ${path}`]);
  });

  it("looks for a device that is not there again and again, and says so once", async () => {
    const clock = new ManualClock();
    const told: string[] = [];
    const path = join(folder, "absent");
    const sensor = openSerialSensor({ path, baud: 9600 }, declared, { clock, tell: (text) => told.push(text) });
    for (let i = 0; i < 3; i++) {
      await new Promise(setImmediate);
      clock.advance(5000);
    }
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/no device at .*absent: .*ENOENT.*; trying again/);
    sensor.close();
    for await (const _ of sensor) throw new Error("a closed sensor gives no frame");
  });
});
