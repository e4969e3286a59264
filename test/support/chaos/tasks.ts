import type { WorkerOptions } from "../../../host/cloud/worker.ts";
import type { AskerOptions } from "../../../host/mqtt/asks/asker.ts";

/** What a device's process is told to do, as JSON. */
export interface DeviceTask {
  readonly url: string;
  readonly node: string;
  readonly folder: string;
  readonly disk: string; // where outbox and ledger lie
  readonly asks: number;
  readonly asksPerSecond: number;
  readonly maxPending: number; // waits with asking above it, so that asks come all through the fault
  readonly lastAsks: number; // that wait until the fault is over
  readonly over: string; // the file that says so
  readonly deadlineMillis: number;
  readonly seed: number;
  readonly wallJumps: boolean;
  readonly tuning: Pick<AskerOptions, "backoff" | "retry" | "ackTimeoutMillis" | "keepAliveSeconds">;
}

export interface WorkerTask {
  readonly url: string;
  readonly ledger: string;
  readonly batchMillis: number;
  readonly tuning: Pick<WorkerOptions, "backoff" | "keepAliveSeconds" | "workerIndex" | "workerCount">;
}

/** What a device does that fills its own disk, asks on and waits to be killed. */
export interface FillerTask {
  readonly url: string;
  readonly node: string;
  readonly disk: string; // where outbox, ledger and ballast lie
  readonly asked: string; // on another disk: a line per ask, its id and whether the outbox took it
  readonly asksBefore: number; // the disk is full
}
