import { resolve } from "node:path";
import type { Command } from "commander";
import { loadAgent } from "../../agent/registry.ts";
import { startWorker } from "../../cloud/worker.ts";
import type { EngineName } from "../../core/session-types.ts";
import { openLedgerFile } from "../../mqtt/ledger.ts";
import type { CliIo } from "../io.ts";
import { engineOption, jsonOption, workerOf } from "../options.ts";
import { createOutput } from "../output.ts";
import { openTeacher } from "../teacher.ts";
import { untilInterrupted } from "../until-interrupted.ts";

interface CloudOptions {
  readonly json: boolean;
  readonly agent: string;
  readonly broker: string;
  readonly ledger?: string;
  readonly worker: { readonly index: number; readonly count: number };
  readonly engine: EngineName;
}

/** `dormouse cloud`: one worker that answers asks with the agent's teacher. */
export function registerCloud(program: Command, io: CliIo): void {
  program
    .command("cloud")
    .description("Answer asks with the agent's teacher, a bigger ensemble. Start as many as you need.")
    .requiredOption("--broker <url>", "mqtt://host:1883")
    .option("--agent <name>", "whose teacher answers", "activity")
    .option("--worker <i/N>", "which of N workers, for brokers without shared subscriptions", workerOf, { index: 0, count: 1 })
    .option("--ledger <file>", "also write what became of each ask to this file")
    .addOption(engineOption())
    .addOption(jsonOption())
    .addHelpText("after", "\nExample:\n  $ dormouse cloud --broker mqtt://localhost:1883")
    .action((options: CloudOptions) => cloud(io, options));
}

async function cloud(io: CliIo, options: CloudOptions): Promise<void> {
  const out = createOutput(io, options.json);
  const agent = await loadAgent(options.agent, io.cwd);
  const provider = await openTeacher(agent, options.engine);
  const ledgerSink = options.ledger === undefined ? undefined : openLedgerFile(resolve(io.cwd, options.ledger));
  const worker = startWorker({
    broker: { url: options.broker },
    provider,
    clock: io.clock,
    workerIndex: options.worker.index,
    workerCount: options.worker.count,
    onLinkState: (state, detail) =>
      out.say(state === "online" ? `broker ${options.broker} reached: answering` : `${state}${detail === undefined ? "" : `: ${detail}`}`),
    onAnomaly: (error) => out.note(`${error.code}: ${error.message}`),
    ...(ledgerSink === undefined ? {} : { ledgerSink }),
  });
  out.note(
    `Worker ${options.worker.index} of ${options.worker.count} for ${agent.definition.name}, provider ${provider.name}. Ctrl-C ends it.`,
  );
  await untilInterrupted(io);
  const { subscription } = worker;
  await worker.close();
  ledgerSink?.close();
  const stats = worker.stats();
  out.say(
    `${stats.received} asks received, ${stats.answered} answered, ${stats.refused} refused, ${stats.expired} expired, ${stats.duplicates} repeated.`,
  );
  out.document({ agent: agent.definition.name, provider: provider.name, subscription, ...stats });
}
