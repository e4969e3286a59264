import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createOutput } from "../../../host/core/system/output.ts";
import type { CliIo } from "../../../host/core/system/surroundings.ts";
import { freePort, MOSQUITTO } from "../../support/broker.ts";
import { processMillis, runOffload } from "../offload.ts";
import { measureService } from "../sizing.ts";
import { serviceMillis } from "../worker-queue.ts";
import { runBareMqtt } from "./bare-mqtt.ts";

/** One load over a mosquitto that sends small packets at once: an ask of Dormouse beside a bare request. */
export interface AskCost {
  readonly devices: number;
  readonly p50Millis: { readonly ours: number; readonly bare: number };
  /** Per ask, of device, broker and worker together; ours without the teacher's inference. */
  readonly cpuMillis: { readonly ours: number; readonly bare: number };
  /** The teacher's inference per ask, at the mean size of the worker's batches. */
  readonly inferenceMillis: number;
}

/** Asks of `activity` from one device and from twenty, one pending each, after as many bare requests. Undefined without mosquitto. */
export async function costAsks(io: CliIo, asksPerLoad: number): Promise<AskCost[] | undefined> {
  if (MOSQUITTO === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "dormouse-asks-"));
  const port = await freePort();
  const config = [`listener ${port} 127.0.0.1`, "allow_anonymous true", "persistence false", "log_type none", "set_tcp_nodelay true", ""];
  writeFileSync(join(folder, "mosquitto.conf"), config.join("\n"));
  const broker = spawn(MOSQUITTO, ["-c", join(folder, "mosquitto.conf")], { stdio: "ignore" });
  const url = `mqtt://127.0.0.1:${port}`;
  try {
    await reachable(url);
    const out = createOutput({ ...io, stdout: () => {}, stderr: () => {} }, false);
    const { service } = await measureService(io, out, { agent: "activity" });
    const costs: AskCost[] = [];
    for (const devices of [1, 20]) {
      const start = processMillis([broker.pid!]);
      const bare = await runBareMqtt(url, devices, asksPerLoad);
      const between = processMillis([broker.pid!]);
      const load = { agent: "activity", broker: url, devices, workers: 1, deadlineSeconds: 60, fsync: "none" as const };
      const ours = await runOffload(io, out, {
        ...{ ...load, asks: asksPerLoad, outstanding: 1, isBurst: false },
      });
      const end = processMillis([broker.pid!]);
      const batch = (ours.cloud.answered ?? 0) / Math.max(1, ours.cloud.batches ?? 0);
      const inferenceMillis = serviceMillis(service, batch) / Math.max(1, batch);
      costs.push({
        devices,
        inferenceMillis,
        p50Millis: { ours: ours.p50Millis, bare: bare.p50Millis },
        cpuMillis: {
          ours: ours.deviceCpuMillisAnAsk + ours.workerCpuMillisAnAsk + (end - between) / asksPerLoad - inferenceMillis,
          bare: bare.cpuMillis + (between - start) / asksPerLoad,
        },
      });
    }
    return costs;
  } finally {
    broker.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits until the broker takes a connection; throws after 10 s. */
async function reachable(url: string): Promise<void> {
  for (const end = performance.now() + 10_000; ; ) {
    try {
      await runBareMqtt(url, 1, 1);
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
