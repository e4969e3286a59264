import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { NODE_CONFIG_FILE, openNodeConfig } from "../../agent/node-config.ts";
import { loadAgent, openAgentModel } from "../../agent/registry.ts";
import { openSensor } from "../../agent/sensors/open-sensor.ts";
import { ConfigError } from "../../core/errors.ts";
import type { EngineName } from "../../core/session-types.ts";
import type { AskerOptions } from "../../mqtt/asker.ts";
import { openLedgerFile } from "../../mqtt/ledger.ts";
import { openOutbox } from "../../mqtt/outbox.ts";
import type { CliIo } from "../io.ts";
import { engineOption, jsonOption, numberAtLeast, secondsOption, speedOption } from "../options.ts";
import { createOutput, type Output } from "../output.ts";
import { saySummary, summaryOf } from "../summary.ts";
import { packageVersion } from "../version.ts";
import { createWearable } from "../wearable.ts";

interface RunOptions {
  readonly json: boolean;
  readonly headless: boolean;
  readonly verbose: boolean;
  readonly sensor: string;
  readonly broker?: string;
  readonly config: string;
  readonly dataDir: string;
  readonly ledger?: string;
  readonly deadlineSeconds?: number;
  readonly engine: EngineName;
  readonly speed: number;
  readonly seconds?: number;
}

/** `dormouse run`: one wearable against any MQTT 5 broker, or alone. */
export function registerRun(program: Command, io: CliIo): void {
  program
    .command("run")
    .description("Run an agent: it decides here, and asks the cloud over MQTT when unsure.")
    .argument("<agent>", "a bundled agent's name, or the path of an agent.ts")
    .option("--sensor <spec>", "synthetic[:SEED], replay:DIR[#user=1,exp=1] or replay:FILE.dls", "synthetic")
    .option("--broker <url>", "mqtt://host:1883; left out: decides alone, never asks")
    .option("--config <file>", "this node's identity; made the first time", NODE_CONFIG_FILE)
    .option("--data-dir <dir>", "where asks wait until they are answered, also through a crash", ".dormouse")
    .option("--ledger <file>", "also write what became of each ask to this file")
    .option("--deadline-seconds <n>", "how long an answer may take (default: the agent's)", numberAtLeast(0.1))
    .option("--headless", "log lines instead of the live view", false)
    .option("--verbose", "log every decision with its reason", false)
    .addOption(engineOption())
    .addOption(speedOption())
    .addOption(secondsOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  $ dormouse run activity --sensor synthetic --broker mqtt://localhost:1883\n  $ dormouse run activity --sensor replay:data/HAPT#user=1,exp=1 --speed 10",
    )
    .action((agent: string, options: RunOptions) => run(io, agent, options));
}

async function run(io: CliIo, name: string, options: RunOptions): Promise<void> {
  const out = createOutput(io, options.json);
  const agent = await loadAgent(name, io.cwd);
  const { definition } = agent;
  const model = await openAgentModel(agent, { engine: options.engine });
  const sensor = openSensor(options.sensor, agent, io.cwd);
  const { config, path, isNew } = openNodeConfig({ path: options.config, cwd: io.cwd });
  if (isNew) out.note(`New node ${config.node}, kept in ${path}.`);
  const url = options.broker ?? config.broker;
  const asker = url === undefined ? undefined : askerOptions(io, out, options, { url, model: model.imageHash, ...config });
  const wearable = createWearable(io, out, {
    agent,
    model,
    sensor,
    speed: options.speed,
    deadlineSeconds: options.deadlineSeconds ?? definition.asks.deadlineSeconds,
    show: { isHeadless: options.headless, isVerbose: options.verbose },
    ...(options.seconds === undefined ? {} : { seconds: options.seconds }),
    ...(asker === undefined ? {} : { asker }),
  });
  const { loop, view } = wearable;
  try {
    await wearable.run();
  } finally {
    view.close();
    await loop.asker?.close();
  }
  const summary = { ...summaryOf(definition.name, loop, definition.sensor.rateHz, loop.lost()), node: config.node, engine: options.engine };
  saySummary(out, summary, asker !== undefined);
  out.document(summary);
}

function askerOptions(
  io: CliIo,
  out: Output,
  options: RunOptions,
  node: { url: string; site: string; node: string; model: string },
): Omit<AskerOptions, "events" | "clock"> {
  const folder = resolve(io.cwd, options.dataDir);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw new ConfigError("DATA_DIR_UNWRITABLE", `cannot make ${folder}: ${String(cause)}. Choose another with --data-dir DIR.`, { cause });
  }
  const outbox = openOutbox({ path: join(folder, `${node.node}.outbox`) });
  const droppedBytes = outbox.recovery?.droppedBytes ?? 0;
  if (droppedBytes > 0) out.note(`The outbox had a torn end of ${droppedBytes} B; the asks before it are kept.`);
  return {
    broker: { url: node.url },
    site: node.site,
    node: node.node,
    outbox,
    presence: { firmware: `dormouse-edge ${packageVersion()}`, model: node.model },
    ...(options.ledger === undefined ? {} : { ledgerSink: openLedgerFile(resolve(io.cwd, options.ledger)) }),
  };
}
