import { join, resolve } from "node:path";
import { type Command, Option } from "commander";
import type { AgentDefinition } from "../../agent/define-agent.ts";
import type { LoadedAgent } from "../../agent/loaded-agent.ts";
import { openNodeCommands } from "../../agent/node-commands.ts";
import { NODE_CONFIG_FILE, type NodeConfig, openNodeConfig } from "../../agent/node-config.ts";
import { loadAgent, openAgentModel, readsText } from "../../agent/registry.ts";
import { openSensor } from "../../agent/sensors/open-sensor.ts";
import { SENSOR_FORMS } from "../../agent/sensors/spec.ts";
import type { Model } from "../../core/session/model.ts";
import type { EngineName } from "../../core/session/session-types.ts";
import type { Telemetry } from "../../core/session/telemetry.ts";
import { closeAll } from "../../core/system/close-all.ts";
import { ConfigError } from "../../core/system/errors.ts";
import { createOutput, type Output } from "../../core/system/output.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import { DIARY_FOLDER } from "../../diary/day-folder.ts";
import { type Diary, openDiary } from "../../diary/diary.ts";
import { parseLinkAddress } from "../../link/link-address.ts";
import type { LedgerFile } from "../../mqtt/outbox/ledger-file.ts";
import type { BrokerOptions } from "../../mqtt/transport/broker-url.ts";
import { checkPersonalized, openPersonalized } from "../../personalize/open-personalized.ts";
import { loadBoard } from "../../power/board.ts";
import type { RadioKind } from "../../power/board-power.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Dashboard } from "../../web/dashboard.ts";
import { readBroker, readIdentityOption, withBrokerLink } from "../common/broker-link.ts";
import { checkLedgers } from "../common/ledger-option.ts";
import { nodeAsker } from "../common/node-asker.ts";
import { checkObserved, notesTo, type ObserveOptions, observe, openLogOption, withObservation } from "../common/observe.ts";
import {
  boardOption,
  engineOption,
  jsonOption,
  numberAtLeast,
  parseShares,
  radioOption,
  refuseWith,
  refuseWithout,
  secondsOption,
  speedOption,
} from "../common/options.ts";
import { openPage, type PageOptions, withPage } from "../common/page-option.ts";
import { type AssistantRunOptions, runAssistant } from "../common/run-assistant.ts";
import { buildSummary, type Summary, saySummary } from "../common/summary.ts";
import { runWearable } from "../common/wearable.ts";

interface RunOptions extends AssistantRunOptions, ObserveOptions, PageOptions {
  readonly json: boolean;
  readonly headless: boolean;
  readonly verbose: boolean;
  readonly sensor: string;
  readonly broker?: string;
  readonly config?: string;
  readonly dataDir: string;
  readonly diary: boolean;
  readonly ledger?: string;
  readonly personalize?: string;
  readonly board?: string;
  readonly radio?: RadioKind;
  readonly deadlineSeconds?: number;
  readonly engine: EngineName;
  readonly speed: number;
  readonly seconds?: number;
}

/** `dormouse run`: one wearable against any MQTT 5 broker, or alone. */
export function registerRun(program: Command, io: CliIo): void {
  withPage(withObservation(withBrokerLink(program.command("run"))))
    .description("Run an agent on this machine; it asks the cloud over MQTT when unsure.")
    .argument("<agent>", "a bundled agent's name, or the path of an agent.ts")
    .option("--sensor <spec>", `read ${SENSOR_FORMS}`, "synthetic")
    .option("--text <question>", "answer this question with an agent that reads texts, and end (default: a prompt)")
    .option("--ask-text", "allow questions to leave the device, without names and numbers, as asks.text: true does", false)
    .addOption(
      new Option("--share <what>", "add facts of the wearer to asks: activity, battery, time (default: set by the agent)").argParser(
        parseShares,
      ),
    )
    .option("--broker <url>", "connect to this broker, as in mqtt://127.0.0.1:1883 or mqtts://host:8883; without it the agent never asks")
    .option(
      "--config <file>",
      `read this node's name from the file; created if missing (default: ${NODE_CONFIG_FILE}, or from the identity)`,
    )
    .option("--data-dir <dir>", "keep unanswered asks, also through a crash, and the diary in this folder", ".dormouse")
    .option("--no-diary", "keep no diary of the wearer's activities")
    .option("--ledger <file>", "append the outcome of each ask to this file")
    .option("--personalize <file>", "adapt the LDA head to this user from cloud answers; state is kept in <file>")
    .addOption(boardOption())
    .addOption(radioOption())
    .option("--deadline-seconds <n>", "wait this long for an answer (default: set by the agent)", numberAtLeast(0.1))
    .option("--headless", "print log lines instead of the live view", false)
    .option("--verbose", "log every decision with its reason", false)
    .addOption(engineOption())
    .addOption(speedOption())
    .addOption(secondsOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      '\nExamples:\n  $ dormouse run activity --sensor synthetic --broker mqtt://localhost:1883\n  $ dormouse run activity --identity wrist-1 --broker mqtts://broker.example:8883\n  $ dormouse run activity --sensor replay:data/HAPT#user=1,exp=1 --speed 10\n  $ dormouse run activity --board nrf52840-dk --radio lte-m --sensor synthetic\n  $ dormouse run assistant --text "how long have I been sitting?" --sensor replay:data/HAPT#user=1,exp=1',
    )
    .action((agent: string, options: RunOptions, command: Command) => run(io, agent, options, command));
}

async function run(io: CliIo, name: string, options: RunOptions, command: Command): Promise<void> {
  if (await readsText(name, io.cwd)) return runAssistant(io, name, options, command);
  refuseWithout(command, "an agent that reads texts (assistant)", "--text", "--ask-text", "--share");
  checkObserved(command, options);
  if (parseLinkAddress(options.sensor) !== undefined) refuseWith(command, `--sensor ${options.sensor}`, "--speed");
  const out = createOutput(io, options.json);
  if (options.radio !== undefined && options.board === undefined) {
    throw new ConfigError("RADIO_WITHOUT_BOARD", "--radio prices the asks of a board: give --board, too (dormouse boards lists them).");
  }
  const agent = await loadAgent(name, io.cwd);
  const model = await openAgentModel(agent, { engine: options.engine });
  const identity = readIdentityOption(io, options);
  const ownConfig = options.identity === undefined ? undefined : join(options.identity, NODE_CONFIG_FILE);
  const { config, path, isNew } = openNodeConfig({ path: options.config ?? ownConfig ?? NODE_CONFIG_FILE, cwd: io.cwd });
  const log = openLogOption(io, options, { service: "dormouse-run", site: config.site, node: config.node, agent: agent.definition.name });
  const note = notesTo(out, log);
  if (isNew) note(`New node ${config.node}, kept in ${path}.`);
  const broker = readBroker(io, options, identity, options.broker, config.broker);
  if (options.personalize !== undefined) checkPersonalized({ hasBroker: broker !== undefined, hasBoard: options.board !== undefined });
  if (broker === undefined) refuseWithout(command, "--broker", "--ledger", "--deadline-seconds", "--insecure");
  const hasDiary = options.diary && agent.definition.diary;
  if (broker === undefined && !hasDiary) refuseWithout(command, "--broker", "--data-dir");
  const telemetry = await observe(io, note, options, { service: "dormouse-run", instance: `${config.site}/${config.node}` });
  let summary: Summary | undefined;
  const page = await openPage(io, out, options.http || undefined, { speed: options.speed });
  const ledgers: LedgerFile[] = []; // one for each start of the node
  let reboots = 0;
  const runToTheEnd = async () => {
    for (; ; reboots++) {
      const reboot = new AbortController();
      summary = await runOnce(io, out, options, { agent, model, config, broker, reboot, telemetry, log, ledgers, page });
      if (!reboot.signal.aborted || io.interrupt.aborted) return;
      note("Rebooted on the operator's command.");
    }
  };
  await closeAll(
    runToTheEnd,
    () => page?.close(),
    () => telemetry.close(),
  );
  const { pending } = summary!;
  if (io.interrupt.aborted && pending > 0) note(`Asks that wait in ${options.dataDir} for the next start: ${pending}.`);
  saySummary(out, summary!, broker !== undefined);
  out.document(config.commandKey === undefined ? summary! : { ...summary!, reboots });
  checkLedgers(ledgers, note);
}

interface NodeRun {
  readonly agent: LoadedAgent;
  readonly model: Model;
  readonly config: NodeConfig;
  readonly broker: BrokerOptions | undefined;
  readonly reboot: AbortController;
  readonly telemetry: Telemetry;
  readonly log: Log | undefined;
  readonly page: Dashboard | undefined;
  /** Gets the file of --ledger. */
  readonly ledgers: LedgerFile[];
}

/** From the first frame to the last, or to a reboot. */
async function runOnce(io: CliIo, out: Output, options: RunOptions, node: NodeRun): Promise<Summary> {
  const { agent, model, config, broker, reboot, telemetry, log, page } = node;
  const note = notesTo(out, log);
  const { definition, priorPath } = agent;
  const personalized =
    options.personalize === undefined
      ? undefined
      : openPersonalized({ agent: definition.name, model, priorPath, path: resolve(io.cwd, options.personalize), note });
  const asker = broker === undefined ? undefined : nodeAsker(io, note, options, { ...config, broker, model: model.imageHash });
  if (asker?.ledgerSink) node.ledgers.push(asker.ledgerSink);
  const diary = diaryOf(io, note, options, definition);
  const signal = AbortSignal.any([io.interrupt, reboot.signal]);
  const sensor = openSensor(options.sensor, agent, io.cwd, { clock: io.clock, tell: note, signal });
  const wearable = runWearable(io, out, {
    agent,
    model,
    sensor,
    pace: { speed: options.speed, ...(options.seconds === undefined ? {} : { seconds: options.seconds }) },
    ...(options.deadlineSeconds === undefined ? {} : { deadlineSeconds: options.deadlineSeconds }),
    show: { isHeadless: options.headless, isVerbose: options.verbose, ...(log && { log }) },
    telemetry,
    stop: reboot.signal,
    node: config.node,
    ...(page && { page }),
    ...(options.board === undefined ? {} : { live: { board: loadBoard(options.board), radio: options.radio ?? "ble" } }),
    ...(personalized === undefined ? {} : { personalized }),
    ...(diary === undefined ? {} : { diary }),
    ...(asker === undefined ? {} : { asker }),
    ...(asker === undefined || config.commandKey === undefined
      ? {}
      : {
          commands: openNodeCommands({ ...config, commandKey: config.commandKey }, resolve(io.cwd, options.dataDir), {
            onReboot: () => reboot.abort(),
            note,
            clock: io.clock,
          }),
        }),
  });
  const { loop, view, inbox } = wearable;
  await closeAll(
    () => wearable.ended,
    () => sensor.device?.close(),
    () => diary?.close(),
    () => view.close(),
    () => wearable.close(),
  );
  const power = wearable.governor && { board: options.board, power: wearable.governor.status() };
  const more = { node: config.node, engine: options.engine, ...power, ...(personalized && { personalization: personalized.status() }) };
  const summary = { ...buildSummary(definition.name, loop, definition.sensor.rateHz, loop.lost()), ...more };
  return inbox === undefined ? summary : { ...summary, commands: inbox.counts() };
}

/** The diary of an agent that declares one. */
function diaryOf(io: CliIo, note: (line: string) => void, options: RunOptions, { name, alarm, diary }: AgentDefinition): Diary | undefined {
  if (!options.diary || !diary) return undefined;
  const folder = join(resolve(io.cwd, options.dataDir), DIARY_FOLDER);
  return openDiary({ folder, agent: name, alarm, clock: io.clock, onTrouble: (reason) => note(`The diary is not kept: ${reason}`) });
}
