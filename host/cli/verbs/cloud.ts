import { hostname } from "node:os";
import { resolve } from "node:path";
import { type Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { loadAgent } from "../../agent/registry.ts";
import { openProvider, PROVIDER_NAMES, type ProviderName, type ProviderOptions, providerArguments } from "../../cloud/open-provider.ts";
import { startWorker } from "../../cloud/worker.ts";
import type { EngineName } from "../../core/session/session-types.ts";
import { closeAll } from "../../core/system/close-all.ts";
import { createOutput } from "../../core/system/output.ts";
import { urlText } from "../../core/system/secrets.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { untilAborted } from "../../core/system/until-aborted.ts";
import { parseBrokerUrl } from "../../mqtt/transport/broker-url.ts";
import { credentialsEnvironment } from "../../security/broker-credentials.ts";
import { traceWorker } from "../../telemetry/traced-connect.ts";
import { timedProvider, watchWorker } from "../../telemetry/watch.ts";
import { type BrokerLinkOptions, brokerLinkArguments, readBroker, readIdentityOption, withBrokerLink } from "../common/broker-link.ts";
import { runWorkers, sumDocuments } from "../common/cloud-workers.ts";
import { cpuMillis } from "../common/cpu-millis.ts";
import { checkLedgers, openLedger } from "../common/ledger-option.ts";
import {
  checkObserved,
  notesTo,
  type ObserveOptions,
  observe,
  observeArguments,
  observeEnvironment,
  openLogOption,
  withObservation,
} from "../common/observe.ts";
import {
  engineOption,
  jsonOption,
  numberAtLeast,
  parsePrices,
  parseWorker,
  refuseWith,
  refuseWithout,
  wholeNumber,
} from "../common/options.ts";
import { packageVersion } from "../common/version.ts";

interface CloudOptions extends BrokerLinkOptions, ObserveOptions, ProviderOptions {
  readonly json: boolean;
  readonly agent: string;
  readonly broker: string;
  readonly ledger?: string;
  readonly worker: { readonly index: number; readonly count: number };
  readonly workers: number;
  readonly queue: number;
  readonly batch: number;
  readonly engine: EngineName;
}

const OPENAI_FLAGS = ["--base-url", "--model", "--max-tokens", "--max-tokens-total", "--max-cost", "--price-per-million", "--concurrency"];

/** `dormouse cloud`: workers that answer asks. */
export function registerCloud(program: Command, io: CliIo): void {
  withObservation(withBrokerLink(program.command("cloud")))
    .description(
      "Answer asks from the agent's teacher ensemble, a sentence encoder or an OpenAI-compatible server. Start as many as you need.",
    )
    .requiredOption("--broker <url>", "connect to this broker, as in mqtt://127.0.0.1:1883 or mqtts://host:8884")
    .option("--agent <name>", "answer the asks of this agent, from its teacher", "activity")
    .option("--workers <n>", "start this many worker processes, and restart one that ends", wholeNumber(1, 256), 1)
    .addOption(
      new Option("--worker <i/N>", "run as worker i of N, counted from 0, for brokers without shared subscriptions")
        .default({ index: 0, count: 1 }, "0/1")
        .argParser(parseWorker),
    )
    .option("--ledger <file>", "append the outcome of each ask to this file")
    .option("--queue <n>", "hold at most this many asks per worker; further ones are deferred", wholeNumber(1, 65536), 512)
    .option("--batch <n>", "answer at most this many asks in one pass", wholeNumber(1, 1024), 32)
    .addOption(
      new Option("--provider <names>", `answer from these sources, by commas and in this order: ${PROVIDER_NAMES.join(", ")}`)
        .default(["teacher"] satisfies ProviderName[], "teacher")
        .argParser(providersOf),
    )
    .option(
      "--base-url <url>",
      "send to this OpenAI-compatible server, e.g. http://127.0.0.1:11434/v1; the key is read from OPENAI_API_KEY",
    )
    .option("--model <name>", "use this model of the OpenAI-compatible server")
    .option(
      "--max-tokens <n>",
      "limit a reply, reasoning included (default: 64, for a text ask 256); reasoning models need 1000 or more",
      wholeNumber(1, 32_768),
    )
    .option("--max-tokens-total <n>", "stop after this many tokens per run; a node may use at most what is left", wholeNumber(1))
    .option("--max-cost <n>", "stop at this cost per run, in the currency of --price-per-million", numberAtLeast(0))
    .option("--price-per-million <in,out>", "set the prices of a million prompt and reply tokens", parsePrices)
    .option("--concurrency <n>", "send at most this many requests at once", wholeNumber(1, 256), 8)
    .addOption(engineOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  $ dormouse cloud --broker mqtt://localhost:1883 --workers 2\n  $ dormouse cloud --broker mqtt://localhost:1883 --provider openai --base-url http://127.0.0.1:11434/v1 --model llama3.2\n  $ dormouse cloud --broker mqtt://localhost:1883 --provider intents,openai --base-url http://127.0.0.1:11434/v1 --model llama3.2",
    )
    .action((options: CloudOptions, command: Command) => {
      checkObserved(command, options);
      if (options.workers > 1) refuseWith(command, "--workers, which numbers its own", "--worker");
      if (!options.provider.includes("openai")) refuseWithout(command, "--provider openai", ...OPENAI_FLAGS);
      return options.workers > 1 ? many(io, options) : one(io, options);
    });
}

async function one(io: CliIo, options: CloudOptions): Promise<void> {
  const interrupted = untilAborted(io.interrupt);
  const out = createOutput(io, options.json);
  const identity = readIdentityOption(io, options);
  const broker = readBroker(io, options, identity, options.broker)!;
  const agent = await loadAgent(options.agent, io.cwd);
  const who = { service: "dormouse-cloud", instance: `${options.worker.index}/${options.worker.count}` };
  const log = openLogOption(io, options, who);
  const note = notesTo(out, log);
  const warn = (code: string, detail: string) => (log ? log.write("warn", "anomaly", { code, detail }) : out.note(`${code}: ${detail}`));
  const { provider, figures } = await openProvider(agent, options, io, { onTrouble: warn, onSpent: (spent) => io.report?.(spent) });
  const ledgerSink = options.ledger === undefined ? undefined : openLedger(io, options.ledger, note);
  const telemetry = await observe(io, note, options, who);
  const now = () => io.clock.now();
  const worker = startWorker({
    broker,
    provider: timedProvider(provider, telemetry, now),
    ...traceWorker(telemetry, now),
    clock: io.clock,
    workerIndex: options.worker.index,
    workerCount: options.worker.count,
    group: identity?.group,
    presence: {
      site: identity?.site ?? "home",
      name: `${hostname()}-${process.pid}`.slice(-64),
      firmware: `dormouse-edge ${packageVersion()}`,
    },
    queueLimit: options.queue,
    batchLimit: options.batch,
    onLinkState(state, detail) {
      if (log) return log.write(state === "offline" ? "warn" : "info", "link", { state, detail, broker: urlText(broker.url) });
      out.say(
        state === "online" ? `broker ${urlText(broker.url)} reached: answering` : `${state}${detail === undefined ? "" : `: ${detail}`}`,
      );
    },
    onAnomaly: ({ code, message }) => warn(code, message),
    ...(ledgerSink === undefined ? {} : { ledgerSink }),
  });
  watchWorker(telemetry, worker);
  note(
    `Worker ${options.worker.index} of ${options.worker.count} for ${agent.definition.name}, provider ${provider.name} (process ${process.pid}). Ctrl-C ends it.`,
  );
  await interrupted;
  const { subscription } = worker;
  await closeAll(
    () => worker.close(), // and with it the ledger
    () => telemetry.close(),
  );
  const stats = worker.stats();
  out.say(
    `${stats.received} asks received, ${stats.answered} answered, ${stats.refused} refused, ${stats.expired} expired, ${stats.duplicates} repeated.`,
  );
  out.document({ agent: agent.definition.name, provider: provider.name, subscription, ...stats, ...figures(), cpuMillis: cpuMillis() });
  if (ledgerSink) checkLedgers([ledgerSink], note);
}

function providersOf(text: string): ProviderName[] {
  const names = text.split(",");
  const odd = names.find((name, i) => !PROVIDER_NAMES.some((one) => one === name) || names.indexOf(name) !== i);
  if (odd === undefined) return names as ProviderName[];
  throw new InvalidArgumentError(`"${odd}" is no provider, or stands twice. Name each of ${PROVIDER_NAMES.join(", ")} at most once.`);
}

/** Each worker a process of its own, i of N. */
async function many(io: CliIo, options: CloudOptions): Promise<void> {
  const out = createOutput(io, options.json);
  const broker = readBroker(io, options, readIdentityOption(io, options), options.broker)!;
  parseBrokerUrl(broker);
  await openProvider(await loadAgent(options.agent, io.cwd), options, io); // reports an error once, not in each worker forever
  if (options.ledger !== undefined) openLedger(io, options.ledger, out.note).close();
  const shared = [
    ...["cloud", "--json", "--broker", broker.url, "--agent", options.agent, "--engine", options.engine],
    ...["--queue", String(options.queue), "--batch", String(options.batch)],
    ...(options.ledger === undefined ? [] : ["--ledger", resolve(io.cwd, options.ledger)]),
    ...brokerLinkArguments(io, options),
  ];
  const secrets = { ...credentialsEnvironment(broker), ...observeEnvironment(options) };
  const provider = options.provider.join(",");
  out.note(`${options.workers} workers for ${options.agent}, provider ${provider}. Ctrl-C ends them.`);
  const { documents, restarts, failures } = await runWorkers(
    { ...io, env: { ...io.env, ...secrets } },
    out,
    options.workers,
    (index, spent) => [
      ...shared,
      ...providerArguments(options, options.workers, spent),
      ...observeArguments(options, index),
      "--worker",
      `${index}/${options.workers}`,
    ],
  );
  const sum = sumDocuments(documents);
  out.say(`${sum.received ?? 0} asks received, ${sum.answered ?? 0} answered by ${options.workers} workers; ${restarts} restarts.`);
  out.document({ agent: options.agent, provider, workers: options.workers, restarts, ...sum });
  if (failures.length === 0) return;
  for (const failure of failures) out.note(failure);
  throw new CommanderError(1, "dormouse.workers", "");
}
