import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DIARY_FOLDER, forgetDay } from "../diary/day-folder.ts";
import { localDay } from "../diary/local-day.ts";
import { forgetLedger } from "../mqtt/outbox/forget-ledger.ts";
import { openOutbox } from "../mqtt/outbox/outbox.ts";

const OUTBOX_SUFFIX = ".outbox";

/**
 * Clears today's diary, the asks of every outbox in a data folder and today's lines of a ledger. `own`: the node whose outbox this
 * process has open and has cleared itself. Alarms that are not told yet stay. Returns what could not be cleared, a sentence each.
 */
export function forgetToday(options: {
  readonly dataDir: string;
  readonly ledger?: string | undefined;
  readonly wallMillis: number;
  readonly own?: string;
}): string[] {
  const { dataDir, ledger, wallMillis, own } = options;
  const left: string[] = [];
  const trying = (clear: () => void) => {
    try {
      clear();
    } catch (error) {
      left.push((error as Error).message);
    }
  };
  trying(() => forgetDay(join(dataDir, DIARY_FOLDER), wallMillis));
  const outboxes = existsSync(dataDir) ? readdirSync(dataDir).filter((name) => name.endsWith(OUTBOX_SUFFIX)) : [];
  for (const name of outboxes) {
    if (name === `${own}${OUTBOX_SUFFIX}`) continue;
    trying(() => {
      const outbox = openOutbox({ path: join(dataDir, name) });
      outbox.forget();
      outbox.close();
    });
  }
  if (ledger !== undefined) trying(() => forgetLedger(ledger, localDay(wallMillis).startMillis));
  return left;
}
