import { startWorker } from "../../../host/cloud/worker.ts";
import { openLedgerFile } from "../../../host/mqtt/outbox/ledger-file.ts";
import type { WorkerTask } from "./tasks.ts";

/** A worker in a process of its own: answers tick mod 3, a little later. */
const task = JSON.parse(process.argv[2]!) as WorkerTask;
startWorker({
  broker: { url: task.url },
  provider: {
    name: "echo",
    async answer(batch) {
      await new Promise((resolve) => setTimeout(resolve, task.batchMillis));
      return batch.map(({ tick }) => ({ ok: true, label: tick % 3, confidence: 0.75, model: "echo" }));
    },
  },
  ledgerSink: openLedgerFile(task.ledger),
  ...task.tuning,
});
