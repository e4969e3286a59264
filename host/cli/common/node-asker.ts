import { join, resolve } from "node:path";
import { ConfigError } from "../../core/system/errors.ts";
import { makePrivateFolder, systemReason } from "../../core/system/private-file.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import type { AskerOptions } from "../../mqtt/asks/asker.ts";
import type { LedgerFile } from "../../mqtt/outbox/ledger-file.ts";
import { openOutbox } from "../../mqtt/outbox/outbox.ts";
import type { BrokerOptions } from "../../mqtt/transport/broker-url.ts";
import { openLedger } from "./ledger-option.ts";
import { packageVersion } from "./version.ts";

/** The asker of a node: its durable outbox in the data folder, and the file of --ledger. */
export function nodeAsker(
  io: CliIo,
  note: (line: string) => void,
  options: { readonly dataDir: string; readonly ledger?: string },
  node: { broker: BrokerOptions; site: string; node: string; model: string },
): Omit<AskerOptions, "events" | "clock" | "ledgerSink"> & { ledgerSink?: LedgerFile } {
  const folder = resolve(io.cwd, options.dataDir);
  try {
    makePrivateFolder(folder, { mark: ".outbox" });
  } catch (cause) {
    const why = systemReason((cause as Error).cause);
    throw new ConfigError("DATA_DIR_UNWRITABLE", `cannot make ${folder}: ${why}. Choose another with --data-dir DIR.`, { cause });
  }
  const outbox = openOutbox({ path: join(folder, `${node.node}.outbox`) });
  const droppedBytes = outbox.recovery?.droppedBytes ?? 0;
  if (droppedBytes > 0) note(`The outbox had a torn end of ${droppedBytes} B; the asks before it are kept.`);
  return {
    broker: node.broker,
    site: node.site,
    node: node.node,
    outbox,
    presence: { firmware: `dormouse-edge ${packageVersion()}`, model: node.model },
    ...(options.ledger === undefined ? {} : { ledgerSink: openLedger(io, options.ledger, note, node.node) }),
  };
}
