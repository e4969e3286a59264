import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AskerStats } from "../../../host/mqtt/asks/asker-types.ts";
import { compareLedgers, type LedgerComparison } from "../../../host/mqtt/outbox/ledger.ts";
import { readLedgerFile } from "../../../host/mqtt/outbox/ledger-reading.ts";
import { mosquittoBroker, type TestBroker } from "../broker.ts";
import { seeded } from "../random.ts";
import { type Child, keepRunning, type Programs } from "./child.ts";
import type { DeviceTask, WorkerTask } from "./tasks.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

/** How much of it: all of it takes about half a minute a fault, the short one a few seconds. */
export interface ChaosSize {
  readonly asks: number;
  readonly asksPerSecond: number;
  readonly maxPending: number;
  /** Faults go on as long as asks come. */
  readonly faultMillis: number;
  readonly deadlineMillis: number;
  readonly tuning: DeviceTask["tuning"];
  readonly workerTuning: WorkerTask["tuning"];
}

/** What a fault can lay hands on. */
export interface ChaosScene {
  readonly size: ChaosSize;
  readonly random: () => number; // the fault's own, from the seed
  readonly broker: TestBroker;
  readonly device: Child;
  readonly workers: readonly Child[];
  readonly deviceNet: TcpProxy;
  readonly workerNet: TcpProxy;
  readonly disk: string;
  wait(millis: number): Promise<void>;
  /** Until the device has acted on so many more answers, or has ended. */
  untilActedOn(more: number): Promise<void>;
  readonly isOver: () => boolean;
}

export interface ChaosFault {
  readonly name: string;
  readonly wallJumps?: boolean;
  /** Returns when the fault is over and everything works again. */
  readonly happen: (scene: ChaosScene) => Promise<void>;
  /** Whether it did harm at all, by the kills and by what the device's last process says of itself. */
  readonly hasStruck: (kills: number, stats: AskerStats) => boolean;
  /** Around the whole run: a disk that can be filled, and its end. */
  /** What it needs of the system. */
  readonly program?: string;
  readonly prepareDisk?: (disk: string) => () => void;
  /** A command that runs the device. */
  readonly devicePrefix?: readonly string[];
}

export interface ChaosResult extends LedgerComparison {
  readonly kills: number;
  readonly actedOn: number;
  readonly actedOnTwice: number;
  readonly actedWrongly: number; // not the answer to that ask
  readonly actedUnasked: number; // in no state `answered` in the ledger
  readonly deviceSaid: string;
  readonly millis: number;
}

/** Device, two workers and a real broker, each a process; one fault; the ledgers of both ends compared when all asks have ended. */
export async function runChaos(programs: Programs, fault: ChaosFault, size: ChaosSize, seed: number): Promise<ChaosResult> {
  const random = seeded(seed);
  const folder = mkdtempSync(join(tmpdir(), "dormouse-chaos-"));
  const disk = join(folder, "disk");
  mkdirSync(disk);
  const restore = fault.prepareDisk?.(disk);
  const broker = await mosquittoBroker();
  const port = Number(new URL(broker.url).port);
  const [deviceNet, workerNet] = [await startTcpProxy(port, random), await startTcpProxy(port, random)];
  const begin = performance.now();
  const acted = join(folder, "acted.txt");

  const workers = [0, 1].map((index) => {
    const task: WorkerTask = {
      url: `mqtt://127.0.0.1:${workerNet.port}`,
      ledger: join(folder, `cloud-${index}.jsonl`),
      batchMillis: 5,
      tuning: { ...size.workerTuning, workerIndex: index, workerCount: 2 },
    };
    return keepRunning(programs.worker, () => [JSON.stringify(task)]);
  });
  const task: DeviceTask = {
    ...{ url: `mqtt://127.0.0.1:${deviceNet.port}`, node: "wrist", folder, disk, seed, wallJumps: fault.wallJumps ?? false },
    ...{ lastAsks: size.asks / 10, over: join(folder, "over") },
    ...{
      asks: size.asks,
      asksPerSecond: size.asksPerSecond,
      maxPending: size.maxPending,
      deadlineMillis: size.deadlineMillis,
      tuning: size.tuning,
    },
  };
  const device = keepRunning(programs.device, () => [JSON.stringify(task)], fault.devicePrefix);
  const children = [device, ...workers];

  try {
    const wait = (millis: number) => new Promise<void>((resolve) => setTimeout(resolve, millis));
    const untilActedOn = async (more: number) => {
      const enough = Math.min(0.85 * size.asks, actions(acted).actedOn + more); // the last wait for the end of the fault
      for (let tries = 0; actions(acted).actedOn < enough && !device.isDone && tries < 3000; tries++) await wait(20);
    };
    await untilActedOn(5);
    const faultBegin = performance.now();
    const isOver = () => performance.now() - faultBegin > size.faultMillis;
    await fault.happen({ size, random, broker, device, workers, deviceNet, workerNet, disk, wait, untilActedOn, isOver });
    writeFileSync(task.over, "");
    const end = performance.now() + size.deadlineMillis + 30_000;
    while (!device.isDone && performance.now() < end) await wait(20);
    const edge = readLedgerFile(join(disk, "edge.jsonl"));
    const cloud = new Map(workers.flatMap((_, index) => ledgerAt(join(folder, `cloud-${index}.jsonl`))));
    return {
      ...compareLedgers(edge, cloud),
      ...actions(acted, edge),
      kills: children.reduce((sum, child) => sum + child.kills, 0),
      deviceSaid: device.isDone ? device.said : "nothing: it had not ended",
      millis: Math.round(performance.now() - begin),
    };
  } finally {
    for (const child of children) await child.stop();
    for (const net of [deviceNet, workerNet]) await net.close();
    await broker.close();
    restore?.();
    rmSync(folder, { recursive: true, force: true });
  }
}

function ledgerAt(path: string): [string, string][] {
  return existsSync(path) ? [...readLedgerFile(path)] : [];
}

/** What the device did, line by line, as it did it. */
function actions(path: string, edge?: ReadonlyMap<string, string>) {
  const seen = new Set<string>();
  const counts = { actedOn: 0, actedOnTwice: 0, actedWrongly: 0, actedUnasked: 0 };
  for (const line of existsSync(path) ? readFileSync(path, "utf8").split("\n") : []) {
    const [id = "", tick, label] = line.split(" ");
    if (id.length !== 32 || label === undefined) continue;
    counts.actedOn++;
    if (seen.has(id)) counts.actedOnTwice++;
    seen.add(id);
    if (Number(tick) % 3 !== Number(label)) counts.actedWrongly++;
    if (edge && edge.get(id) !== "answered") counts.actedUnasked++;
  }
  return counts;
}
