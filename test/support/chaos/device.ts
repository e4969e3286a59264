import { existsSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../host/core/system/clock.ts";
import { createAsker } from "../../../host/mqtt/asks/asker.ts";
import { openLedgerFile } from "../../../host/mqtt/outbox/ledger-file.ts";
import { readLedgerFile } from "../../../host/mqtt/outbox/ledger-reading.ts";
import { systemSteadyClock } from "../../../host/mqtt/outbox/log-time.ts";
import { openOutbox } from "../../../host/mqtt/outbox/outbox.ts";
import { query } from "../query.ts";
import { seeded } from "../random.ts";
import type { DeviceTask } from "./tasks.ts";

/** A device in a process of its own: asks until its task is done, wherever a process before it was killed, and writes down what it acts on. */
const task = JSON.parse(process.argv[2]!) as DeviceTask;
mkdirSync(task.disk, { recursive: true });
const ledgerPath = join(task.disk, "edge.jsonl");
const acted = openSync(join(task.folder, "acted.txt"), "a");

// A wall clock that somebody sets, a day ahead or back, several times a second and at every start.
const random = seeded(task.seed + process.pid);
let jumpMillis = 0;
const jump = () => {
  jumpMillis = Math.round((random() - 0.5) * 2 * 86_400_000);
};
const wall = () => Date.now() + jumpMillis;
if (task.wallJumps) {
  jump();
  setInterval(jump, 150).unref();
}

const ledger = openLedgerFile(ledgerPath);
const reasons: string[] = []; // of the first few that were not answered
const asker = createAsker({
  broker: { url: task.url },
  site: "lab",
  node: task.node,
  clock: { ...systemClock, wall },
  outbox: openOutbox({ path: join(task.disk, "outbox.log"), fsync: "none", time: { ...systemSteadyClock, wall } }),
  ledgerSink: ledger,
  ...task.tuning,
  events: {
    onOutcome({ id, state, tick, answer, reason = "" }) {
      if (state !== "answered" && reasons.length < 5) reasons.push(`${state} ${reason}`);
      if (state === "answered") writeSync(acted, `${id} ${tick} ${answer!.label}\n`);
    },
  },
});

let asked = readLedgerFile(ledgerPath).size; // by those that were killed
const begin = performance.now();
const before = asked;
const timer = setInterval(() => {
  const most = existsSync(task.over) ? task.asks : task.asks - task.lastAsks;
  const due = Math.min(most, before + Math.ceil(((performance.now() - begin) / 1000) * task.asksPerSecond));
  for (; asked < due && asker.counts().pending < task.maxPending; asked++) asker.ask(query(asked, { deadlineMillis: task.deadlineMillis }));
  ledger.flush();
  if (asked >= task.asks && asker.counts().pending === 0 && ledger.waiting === 0) void finish();
}, 20);

async function finish(): Promise<void> {
  clearInterval(timer);
  await asker.close();
  console.log(JSON.stringify({ counts: asker.counts(), stats: asker.stats(), reasons }));
  process.exit(0);
}
