import type { WorkerOptions } from "../../../host/cloud/worker.ts";
import type { AskerOptions } from "../../../host/mqtt/asker.ts";

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
