import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { loadAgent } from "../../host/agent/registry.ts";
import { openTeacher } from "../../host/cloud/open-teacher.ts";
import { startWorker } from "../../host/cloud/worker.ts";
import { systemClock } from "../../host/core/system/clock.ts";
import { packageRoot } from "../../host/core/system/package-root.ts";
import { runGateway } from "../../host/gateway/gateway.ts";
import { readGatewayConfig } from "../../host/gateway/gateway-config.ts";
import { createServiceManager } from "../../host/gateway/service-manager.ts";
import { createDeviceReader, type DeviceMessage } from "../../host/link/messages.ts";
import { createLinkWriter } from "../../host/link/stream.ts";
import { hasMosquitto, mosquittoBroker } from "../support/broker.ts";
import { activity, activityImage, cutFrames, only, wearer } from "../support/device.ts";
import { mps2Place } from "../support/emulated-device.ts";
import { needTools } from "../support/tools.ts";
import { until } from "../support/until.ts";

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** Firmware on an emulated board behind a TCP port, as a serial server has it; `feed` is the board's own sensor. */
async function openFirmware() {
  const powered = await mps2Place("qemu-mps2-an386").open(activityImage);
  opened.push(() => powered.close());
  const board = await powered.start();
  opened.push(() => board.kill());
  const told: DeviceMessage[] = [];
  const reader = createDeviceReader({ onMessage: (message) => told.push(message) });
  let peer: Socket | undefined;
  let rest = Buffer.alloc(0);
  const server = createServer((socket) => {
    peer = socket;
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      rest = Buffer.concat([rest, bytes]);
      const whole = rest.lastIndexOf(0) + 1; // a frame of the sensor does not cut one of the gateway in two
      board.write(rest.subarray(0, whole));
      rest = rest.subarray(whole);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  opened.push(() => {
    peer?.destroy();
    server.close();
  });
  void (async () => {
    for (let bytes = await board.read(); bytes.length > 0; bytes = await board.read()) {
      reader.push(bytes);
      peer?.write(bytes);
    }
  })();
  const parts: Uint8Array[] = [];
  const sensor = createLinkWriter((bytes) => parts.push(bytes));
  const feed = (frames: number) => {
    const [{ channels, samples }] = wearer(11, frames) as [ReturnType<typeof wearer>[number]];
    sensor.sensor(0, 0, channels, samples, "local-sensor");
    for (const frame of cutFrames(Buffer.concat(parts.splice(0)))) board.write(frame);
  };
  return { port: (server.address() as AddressInfo).port, told, feed };
}

describe("firmware behind a gateway (needs arm gcc, wabt, qemu, mosquitto)", { timeout: 120_000 }, () => {
  it("its ask goes to a worker over mosquitto, and the answer comes back down the link", async (context) => {
    needTools(context, "arm-none-eabi-gcc", "wasm2c", "qemu-system-arm");
    if (!hasMosquitto()) context.skip("mosquitto is not installed");
    const folder = mkdtempSync(join(tmpdir(), "dormouse-mirrored-"));
    opened.push(() => rmSync(folder, { recursive: true, force: true }));
    const broker = await mosquittoBroker();
    opened.push(() => broker.close());
    const worker = startWorker({ broker: { url: broker.url }, provider: await openTeacher(await loadAgent("activity")) });
    opened.push(() => worker.close());
    expect(await worker.ready(30_000)).toBe(true);
    const firmware = await openFirmware();
    const path = join(folder, "gateway.json");
    // No decision is sure enough to go without the cloud.
    const setPoint = { thresholds: activity.image.exits.map(() => 32_769), askIntervalHops: 1 };
    const devices = [{ match: `tcp:127.0.0.1:${firmware.port}`, node: "wrist", setPoint }];
    writeFileSync(path, JSON.stringify({ devices, broker: { url: broker.url } }), { mode: 0o600 });
    const said: string[] = [];
    const stop = new AbortController();
    const ended = runGateway({
      ...{ config: readGatewayConfig(path), agentsFolder: join(packageRoot(), "agents"), cwd: folder, stateFolder: join(folder, "state") },
      ...{ version: "test", clock: systemClock, manager: createServiceManager({}, () => undefined) },
      say: (line) => said.push(line),
      signal: stop.signal,
    });
    opened.push(async () => {
      stop.abort();
      await ended;
    });
    const isTaken = (type: string) => only(firmware.told, "ack").some(({ ack }) => ack.type === type && ack.status === 0);
    await until(() => said.some((line) => line.includes("wrist: tcp:") && line.includes("decides itself")), "it is greeted");
    await until(() => isTaken("set-point"), "it has taken the set-point");
    firmware.feed(150); // two hops: no ask gives way to a newer one
    await until(() => only(firmware.told, "ask").length > 0, "it asks");
    await until(() => isTaken("answer"), "the device has taken the answer");
    expect(worker.stats().answered).toBeGreaterThan(0);
  });
});
