/** dormouse-edge/mqtt: asks that are not lost (outbox, asker, ledger), signed commands, identities, a broker. */

export type { AskerOptions } from "../mqtt/asks/asker.ts";
export { createAsker } from "../mqtt/asks/asker.ts";
export type { AskCounts, Asker, AskerEvents } from "../mqtt/asks/asker-types.ts";
export type { Command, CommandPayload, CommandVerb } from "../mqtt/commands/command.ts";
export { signCommand } from "../mqtt/commands/command.ts";
export type { CommandReport } from "../mqtt/commands/command-report.ts";
export type { CommandState, CommandStore } from "../mqtt/commands/command-store.ts";
export { memoryCommandStore, openCommandStore } from "../mqtt/commands/command-store.ts";
export type { LedgerComparison, LedgerSink } from "../mqtt/outbox/ledger.ts";
export { compareLedgers } from "../mqtt/outbox/ledger.ts";
export { openLedgerFile } from "../mqtt/outbox/ledger-file.ts";
export { readLedgerFile } from "../mqtt/outbox/ledger-reading.ts";
export type { Outbox, OutboxOptions } from "../mqtt/outbox/outbox.ts";
export { memoryOutbox, openOutbox } from "../mqtt/outbox/outbox.ts";
export { startBroker } from "../mqtt/transport/broker.ts";
export type { Answer, AskEnd, AskOutcome, AskQuery, AskState, LinkState, TextOutcome, TextQuery } from "../mqtt/wire/ask.ts";
export type { Exchange, Fact, TextReply } from "../mqtt/wire/text-ask.ts";
export type { Identity } from "../security/identity.ts";
export { readIdentity } from "../security/identity.ts";
export type { Provisioned, ProvisionOptions, Role } from "../security/provision.ts";
export { provision } from "../security/provision.ts";
export { traceAsks, traceWorker } from "../telemetry/traced-connect.ts";
