import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadAgent, openAgentModel } from "../../host/agent/registry.ts";
import { cpuMillis } from "../../host/cli/common/cpu-millis.ts";
import { syntheticContexts } from "../../host/cloud/synthetic-contexts.ts";
import { closeAll } from "../../host/core/system/close-all.ts";
import { ConfigError } from "../../host/core/system/errors.ts";
import type { Output } from "../../host/core/system/output.ts";
import { urlText } from "../../host/core/system/secrets.ts";
import type { CliIo } from "../../host/core/system/surroundings.ts";
import { untilAborted } from "../../host/core/system/until-aborted.ts";
import { compareLedgers } from "../../host/mqtt/outbox/ledger.ts";
import { readLedgerFile } from "../../host/mqtt/outbox/ledger-reading.ts";
import { startBroker } from "../../host/mqtt/transport/broker.ts";
import type { BrokerOptions } from "../../host/mqtt/transport/broker-url.ts";
import { withCredentials } from "../../host/security/broker-credentials.ts";
import { type Device, openFleet } from "./fleet.ts";
import { type BenchWorkers, startBenchWorkers } from "./workers.ts";

/** Wearers whose contexts are asked, in turn. */
const WEARERS = 64;
/** Beyond the deadline, for the last outcomes. */
const GRACE_MILLIS = 5000;

export interface OffloadOptions {
  readonly agent: string;
  readonly broker?: string;
  readonly devices: number;
  readonly workers: number;
  readonly deadlineSeconds: number;
  readonly fsync: "asked" | "none";
}

/** Ids whose outcomes are watched for a second one: the last so many. */
const WATCHED_IDS = 32_768;

/** What stands while a bench of asks runs. */
export interface Testbed {
  readonly broker: BrokerOptions;
  readonly workers: BenchWorkers;
  readonly devices: readonly Device[];
  readonly onOutcome: (listen: (device: Device, outcome: Outcome) => void) => void;
  /** Ends devices and workers and compares the ledgers of both ends. */
  end(): Promise<StageEnd>;
}

export type Outcome = Parameters<Parameters<typeof openFleet>[0]["onOutcome"]>[1];

export interface StageEnd {
  readonly asked: number;
  readonly answered: number;
  readonly expired: number;
  readonly refused: number;
  readonly evicted: number;
  readonly pending: number;
  readonly lost: number;
  readonly duplicatesActedOn: number;
  readonly resends: number;
  readonly postponed: number;
  readonly duplicateAnswers: number;
  readonly cloud: Record<string, number>;
}

/** Opens broker (where none is named), workers and devices, runs `play`, and always takes all down again. */
export async function withTestbed<T>(io: CliIo, out: Output, options: OffloadOptions, play: (testbed: Testbed) => Promise<T>): Promise<T> {
  const agent = await loadAgent(options.agent, io.cwd);
  const model = await openAgentModel(agent);
  if (agent.syntheticPath === undefined)
    throw new ConfigError("BENCH_NO_WEARER", `agent ${options.agent} has no synthetic wearer whose contexts could be asked. Use activity.`);
  const contexts = syntheticContexts(model, agent.syntheticPath, WEARERS);
  const nodePrefix = `bench-${randomBytes(3).toString("hex")}-`;
  const folder = mkdtempSync(join(tmpdir(), "dormouse-bench-"));
  const embedded = options.broker === undefined ? await startBroker({ port: 0 }) : undefined;
  const broker = withCredentials({ url: options.broker ?? embedded!.url }, embedded ? {} : io.env);
  let workers: BenchWorkers | undefined;
  let devices: readonly Device[] = [];
  let cloud: Record<string, number> | undefined;
  const acted = new Map<string, number>(); // outcomes that the device was told, by id
  let duplicatesActedOn = 0;
  let listener: (device: Device, outcome: Outcome) => void = () => {};
  try {
    const cloudLedger = join(folder, "cloud.jsonl");
    workers = await startBenchWorkers(io, {
      broker,
      agent: options.agent,
      workers: options.workers,
      ledgerPath: cloudLedger,
      onNote: out.note,
    });
    devices = await openFleet({
      ...{
        broker,
        devices: options.devices,
        agent: agent.definition.name,
        model,
        contexts,
        nodePrefix,
        folder,
        fsync: options.fsync,
        clock: io.clock,
      },
      deadlineMillis: options.deadlineSeconds * 1000,
      onOutcome(device, outcome) {
        const times = (acted.get(outcome.id) ?? 0) + 1;
        acted.set(outcome.id, times);
        if (times === 2) duplicatesActedOn++;
        if (acted.size > WATCHED_IDS) acted.delete(acted.keys().next().value!);
        listener(device, outcome);
      },
    });
    out.note(`${devices.length} devices, ${options.workers} workers and ${embedded ? "the embedded broker" : urlText(broker.url)}: ready.`);
    return await play({
      broker,
      workers,
      devices,
      onOutcome(listen) {
        listener = listen;
      },
      async end() {
        await Promise.all(devices.map(({ asker }) => asker.drain(options.deadlineSeconds * 1000 + GRACE_MILLIS)));
        const sum = (key: "resends" | "postponed") => devices.reduce((total, { asker }) => total + asker.stats()[key], 0);
        const more = { resends: sum("resends"), postponed: sum("postponed") };
        const duplicateAnswers = devices.reduce((total, { asker }) => total + asker.counts().duplicateAnswers, 0);
        await Promise.all(devices.map(({ asker }) => asker.close()));
        cloud = await workers!.stop();
        const edge = new Map(devices.flatMap(({ ledgerPath }) => [...readLedgerFile(ledgerPath)]));
        const { asked, answered, expired, refused, evicted, pending, lost } = compareLedgers(
          edge,
          readLedgerFile(cloudLedger, { nodePrefix }),
        );
        return { asked, answered, expired, refused, evicted, pending, lost, duplicatesActedOn, ...more, duplicateAnswers, cloud };
      },
    });
  } finally {
    const isOpen = cloud === undefined;
    await closeAll(
      () => isOpen && Promise.all(devices.map(({ asker }) => asker.close())),
      () => isOpen && workers?.stop(),
      () => embedded?.close(),
      () => rmSync(folder, { recursive: true, force: true }),
    );
  }
}

/**
 * Asks `asks` times: each device keeps `outstanding` asks pending, the next as soon as one has ended; or, `isBurst`, one device asks
 * all at once. Latency is from *asked* to the outcome, the wait in the outbox included.
 */
export function runOffload(
  io: CliIo,
  out: Output,
  options: OffloadOptions & { readonly asks: number; readonly outstanding: number; readonly isBurst: boolean },
) {
  return withTestbed(io, out, options, async (testbed) => {
    const { devices } = testbed;
    const latencies: number[] = [];
    let asked = 0;
    let ended = 0;
    const progress = out.progress("asks");
    const startedAt = io.clock.now();
    const cpuAtStart = cpuMillis();
    const workersAtStart = processMillis(testbed.workers.pids);
    let finishedAt = startedAt;
    await new Promise<void>((resolve) => {
      const next = (device: Device) => {
        if (asked >= options.asks || io.interrupt.aborted) return;
        asked++;
        device.ask();
      };
      testbed.onOutcome((device, outcome) => {
        ended++;
        finishedAt = io.clock.now();
        if (outcome.state === "answered") latencies.push(outcome.latencyMillis);
        progress.at(ended, options.asks);
        if (!options.isBurst) queueMicrotask(() => next(device));
        if (ended >= options.asks) resolve();
      });
      void untilAborted(io.interrupt).then(resolve);
      if (options.isBurst) for (let i = 0; i < options.asks; i++) next(devices[0]!);
      else for (let i = 0; i < options.outstanding; i++) for (const device of devices) next(device);
    });
    const workerMillis = processMillis(testbed.workers.pids) - workersAtStart;
    const deviceCpuMillisAnAsk = round((cpuMillis() - cpuAtStart) / Math.max(1, asked));
    const { resends, postponed, duplicateAnswers, cloud, ...states } = await testbed.end();
    const workerCpuMillisAnAsk = round(workerMillis / Math.max(1, cloud.answered ?? 0)); // NaN where there is no /proc
    latencies.sort((a, b) => a - b);
    const quantile = (q: number) => round(latencies[Math.min(latencies.length - 1, Math.floor(q * latencies.length))] ?? 0);
    return {
      ...states,
      ...{
        p50Millis: quantile(0.5),
        p99Millis: quantile(0.99),
        asksPerSecond: round((ended * 1000) / Math.max(1, finishedAt - startedAt)),
      },
      ...{
        devices: devices.length,
        workers: options.workers,
        deadlineSeconds: options.deadlineSeconds,
        seconds: round((finishedAt - startedAt) / 1000),
      },
      ...{ workerCpuMillisAnAsk, deviceCpuMillisAnAsk, resends, postponed, duplicateAnswers, cloud },
    };
  });
}

/** CPU time of other processes so far, from /proc (Linux), in clock ticks of 10 ms; NaN elsewhere. */
export function processMillis(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const path = `/proc/${pid}/stat`;
    if (!existsSync(path)) return Number.NaN;
    const fields = readFileSync(path, "utf8").split(") ")[1]!.split(" ");
    return sum + (Number(fields[11]) + Number(fields[12])) * 10;
  }, 0);
}

const round = (value: number) => Math.round(value * 10) / 10;
