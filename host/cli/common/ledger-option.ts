import { resolve } from "node:path";
import { CommanderError } from "commander";
import type { CliIo } from "../../core/system/surroundings.ts";
import { countText } from "../../core/system/table.ts";
import { type LedgerFile, openLedgerFile } from "../../mqtt/outbox/ledger-file.ts";

/** Opens the file of --ledger; reports at once if it becomes unwritable. */
export function openLedger(io: CliIo, file: string, note: (line: string) => void, node?: string): LedgerFile {
  const path = resolve(io.cwd, file);
  return openLedgerFile(path, {
    ...(node === undefined ? {} : { node }),
    onTrouble: (reason) => note(`LEDGER_UNWRITABLE: ${path}: ${reason}. Its lines wait until there is room.`),
  });
}

/** Exits with code 1 if closed ledgers lack lines; an audit would take them for complete. Call after the verb's document. */
export function checkLedgers(ledgers: readonly LedgerFile[], note: (line: string) => void): void {
  const missing = ledgers.reduce((sum, { failed, waiting }) => sum + failed + waiting, 0);
  if (missing === 0) return;
  note(`The ledger lacks ${countText(missing, "line")} that could not be written. Make room for it.`);
  throw new CommanderError(1, "dormouse.ledger", "");
}
