import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createAsker } from "../../../host/mqtt/asks/asker.ts";
import { openLedgerFile } from "../../../host/mqtt/outbox/ledger-file.ts";
import { openOutbox } from "../../../host/mqtt/outbox/outbox.ts";
import { query } from "../query.ts";
import type { FillerTask } from "./tasks.ts";
import { writeUntilFull } from "./write-until-full.ts";

/** A device without a broker that asks, fills its disk, and asks on until it is killed. */
const task = JSON.parse(process.argv[2]!) as FillerTask;
const asked = openSync(task.asked, "a");
const asker = createAsker({
  ...{ broker: { url: task.url }, site: "lab", node: task.node },
  outbox: openOutbox({ path: join(task.disk, "outbox.log"), fsync: "none" }),
  ledgerSink: openLedgerFile(join(task.disk, "edge.jsonl"), { node: task.node }),
  events: { onOutcome: () => {} },
});

let count = 0;
setInterval(() => {
  if (count++ === task.asksBefore) writeUntilFull(join(task.disk, "ballast"));
  const { notDurable } = asker.stats();
  const id = asker.ask(query(count, { deadlineMillis: 3_600_000 }));
  writeSync(asked, `${id} ${asker.stats().notDurable > notDurable ? "memory" : "disk"}\n`);
}, 2);
