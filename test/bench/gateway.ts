import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadAgent, openAgentModel } from "../../host/agent/registry.ts";
import { sleep } from "../../host/agent/sensors/pace.ts";
import { ConfigError } from "../../host/core/system/errors.ts";
import type { Output } from "../../host/core/system/output.ts";
import { packageRoot } from "../../host/core/system/package-root.ts";
import type { CliIo } from "../../host/core/system/surroundings.ts";
import { createFleetTable } from "../../host/mqtt/readers/fleet-table.ts";
import { readMessage } from "../../host/mqtt/readers/readable-message.ts";
import { openReader } from "../../host/mqtt/readers/reader.ts";
import { hasMosquitto, mosquittoBroker } from "../support/broker.ts";
import { type LinkDevice, openLinkDevice } from "../support/link-device.ts";
import { memorySeries, residentKiB } from "./memory.ts";

/** Kernel ticks per second in /proc: fixed by Linux's ABI. */
const TICKS_PER_SECOND = 100;
const START_MILLIS = 60_000;
const SAMPLES = 120;

/** Devices that decide themselves, over TCP, through one `dormouse gateway` and mosquitto: what the gateway takes, and whether the fleet is seen. */
export async function benchGateway(io: CliIo, out: Output, options: { readonly devices: number; readonly minutes: number }) {
  const { devices: count, minutes } = options;
  if (!hasMosquitto()) throw new ConfigError("MOSQUITTO_MISSING", "mosquitto is not installed: run apt-get install mosquitto.");
  const { clock, interrupt } = io;
  const folder = mkdtempSync(join(tmpdir(), "dormouse-gateway-bench-"));
  const broker = await mosquittoBroker(["max_connections -1"]);
  const { imageHash, manifest } = await openAgentModel(await loadAgent("activity"));
  const devices: LinkDevice[] = [];
  for (let i = 0; i < count; i++) devices.push(await openLinkDevice(imageHash));
  const config = {
    site: "bench",
    payload: "json",
    reportSeconds: 1,
    broker: { url: broker.url },
    devices: devices.map(({ port }, i) => ({ match: `tcp:127.0.0.1:${port}`, node: `wrist-${i + 1}`, agent: "activity" })),
  };
  writeFileSync(join(folder, "gateway.json"), JSON.stringify(config), { mode: 0o600 });
  const main = join(packageRoot(), "dist", "dormouse.js");
  const gateway = spawn(process.execPath, [main, "gateway", "--config", "gateway.json"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const pid = gateway.pid!;
  const heard = { states: 0, telemetry: 0 };
  const fleet = createFleetTable();
  const reader = openReader({
    broker: { url: broker.url },
    clock,
    onMessage(message) {
      const read = readMessage(message);
      if (read === undefined) return;
      fleet.take(read);
      if (read.kind === "state") heard.states++;
      if (read.kind === "telemetry") heard.telemetry++;
    },
    onState: () => {},
  });
  let cancelTick = () => {};
  try {
    const beginAt = clock.now();
    while (fleet.nodes(clock.wall()).length < count && clock.now() - beginAt < START_MILLIS && !interrupt.aborted) {
      for (const device of devices) if (device.isPlugged) device.decide(0);
      await sleep(clock, 1000, interrupt);
    }
    let second = 0;
    let dueAt = clock.now();
    const tick = () => {
      second++;
      for (const [i, device] of devices.entries()) {
        device.decide((Math.floor((second + i) / 20) + i) % manifest.labels.length, { tick: 50 * second });
        device.telemetry(50 * second);
      }
      dueAt += 1000;
      cancelTick = clock.after(Math.max(0, dueAt - clock.now()), tick);
    };
    tick();
    await sleep(clock, 5000, interrupt); // the first second is no measure of the others
    const [from, cpuFrom, before] = [clock.now(), cpuSeconds(pid), { ...heard }];
    const samples: { minute: number; kiB: number }[] = [];
    for (let i = 0; i < SAMPLES && !interrupt.aborted; i++) {
      await sleep(clock, (minutes * 60_000) / SAMPLES, interrupt);
      samples.push({ minute: (clock.now() - from) / 60_000, kiB: residentKiB(pid) ?? 0 });
    }
    const seconds = (clock.now() - from) / 1000;
    const found = fleet.nodes(clock.wall());
    const memory = memorySeries("gateway", samples);
    return {
      devices: count,
      minutes: Math.round(seconds / 6) / 10,
      cpuOfACore: (cpuSeconds(pid) - cpuFrom) / seconds,
      statesPerSecond: (heard.states - before.states) / seconds,
      telemetryPerSecond: (heard.telemetry - before.telemetry) / seconds,
      listed: found.length,
      awake: found.filter(({ state }) => state === "awake").length,
      memory,
    };
  } finally {
    cancelTick();
    out.note("stopping");
    await reader.close();
    gateway.kill("SIGTERM");
    await new Promise((resolve) => (gateway.exitCode === null ? gateway.once("exit", resolve) : resolve(undefined)));
    for (const device of devices) await device.close();
    await broker.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** User and system time of a process, from Linux's /proc. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
