import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadAgent, openAgentModel } from "../../../host/agent/registry.ts";
import { cpuMillis } from "../../../host/cli/common/cpu-millis.ts";
import type { Provider } from "../../../host/cloud/provider.ts";
import { syntheticContexts } from "../../../host/cloud/synthetic-contexts.ts";
import { startWorker } from "../../../host/cloud/worker.ts";
import { createOutput } from "../../../host/core/system/output.ts";
import type { CliIo } from "../../../host/core/system/surroundings.ts";
import { freePort, MOSQUITTO } from "../../support/broker.ts";
import { type Device, openFleet } from "../fleet.ts";
import { median } from "../measure.ts";
import { processMillis, runOffload } from "../offload.ts";
import { measureService } from "../sizing.ts";
import { serviceMillis } from "../worker-queue.ts";
import { openBareFleet } from "./bare-mqtt.ts";

/** An ask of Dormouse beside a bare request, over a mosquitto that sends small packets at once. */
export interface AskCost {
  readonly devices: number;
  /** Ours with the teacher, in processes of their own. */
  readonly p50Millis: { readonly ours: number; readonly bare: number };
  /** Per ask, of device, broker and worker together, without the teacher's inference. `ratio`: ours over bare, all rounds. */
  readonly cpu: readonly CpuCost[];
  /** The teacher's inference per ask, at the mean size of the worker's batches. */
  readonly inferenceMillis: number;
}

interface CpuCost {
  readonly fsync: "none" | "asked";
  readonly ours: number;
  readonly bare: number;
}

/** Rounds that warm both sides up: code is compiled, and what a long run costs is measured. */
const WARM_ROUNDS = 12;

/** Asks of `activity` from one device and from twenty, one pending each, in turn with as many bare requests. Undefined without mosquitto. */
export async function costAsks(io: CliIo, rounds: number): Promise<AskCost[] | undefined> {
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
      const asks = 10 * rounds * Math.min(4, devices);
      const load = { agent: "activity", broker: url, devices, workers: 1, deadlineSeconds: 60, fsync: "none" as const };
      const ours = await runOffload(io, out, { ...load, asks, outstanding: 1, isBurst: false });
      const batch = (ours.cloud.answered ?? 0) / Math.max(1, ours.cloud.batches ?? 0);
      const cpu: CpuCost[] = [];
      const p50s: number[] = [];
      for (const fsync of ["none", "asked"] as const) {
        const { bareP50Millis, ...cost } = await costWithoutInference(io, { url, brokerPid: broker.pid!, devices, rounds, fsync });
        cpu.push(cost);
        p50s.push(bareP50Millis);
      }
      costs.push({
        devices,
        cpu,
        inferenceMillis: serviceMillis(service, batch) / Math.max(1, batch),
        p50Millis: { ours: ours.p50Millis, bare: median(p50s) },
      });
    }
    return costs;
  } finally {
    broker.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Answers at once, always the same: what is left is all that an ask costs beside the inference. */
const withoutInference: Provider = {
  name: "no inference",
  answer: async (batch) => batch.map(() => ({ ok: true, label: 0, confidence: 0.9, model: "no inference" })),
};

/** Devices and worker as shipped, without ledger files, in turn with bare requests, all clients in this process. */
async function costWithoutInference(
  io: CliIo,
  load: {
    readonly url: string;
    readonly brokerPid: number;
    readonly devices: number;
    readonly rounds: number;
    readonly fsync: "none" | "asked";
  },
): Promise<CpuCost & { readonly bareP50Millis: number }> {
  const { url, devices, fsync, brokerPid } = load;
  const folder = mkdtempSync(join(tmpdir(), "dormouse-asks-"));
  const model = await openAgentModel(await loadAgent("activity"));
  const worker = startWorker({ broker: { url }, provider: withoutInference });
  let onEnd = (_device: Device): void => {};
  const fleet = await openFleet({
    broker: { url },
    ...{ agent: "activity", model, devices, fsync, folder, deadlineMillis: 60_000, nodePrefix: "cost-", hasLedgers: false },
    contexts: syntheticContexts(model, (await loadAgent("activity")).syntheticPath!, 8),
    clock: io.clock,
    onOutcome(device, { state, reason }) {
      if (state !== "answered") throw new Error(`an ask ended as ${state} (${reason ?? "no reason"})`);
      onEnd(device);
    },
  });
  const bare = await openBareFleet(url, devices);
  const runOurs = (asks: number): Promise<void> => {
    let asked = 0;
    let ended = 0;
    const next = (device: Device): void => {
      if (asked++ < asks) device.ask();
    };
    return new Promise((resolve) => {
      onEnd = (device) => {
        if (++ended >= asks) resolve();
        else setImmediate(next, device);
      };
      for (const device of fleet) next(device);
    });
  };
  const cpu = (): number => cpuMillis() + processMillis([brokerPid]);
  const asksPerRound = 25 * Math.min(10, devices);
  const sums = { ours: 0, bare: 0 };
  const p50s: number[] = [];
  try {
    for (let round = -WARM_ROUNDS; round < load.rounds; round++) {
      const start = cpu();
      p50s.push(await bare.run(asksPerRound));
      const between = cpu();
      await runOurs(asksPerRound);
      const end = cpu();
      if (round < 0) continue;
      sums.bare += between - start;
      sums.ours += end - between;
    }
    const asks = load.rounds * asksPerRound;
    return { fsync, ours: sums.ours / asks, bare: sums.bare / asks, bareP50Millis: median(p50s) };
  } finally {
    await Promise.all([bare.close(), worker.close(), ...fleet.map(({ asker }) => asker.close())]);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits until the broker takes a connection; throws after 10 s. */
async function reachable(url: string): Promise<void> {
  for (const end = performance.now() + 10_000; ; ) {
    try {
      await (await openBareFleet(url, 1)).close();
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
