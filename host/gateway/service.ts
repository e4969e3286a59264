import { join, resolve } from "node:path";
import { liveGovernor } from "../agent/live-governor.ts";
import type { LoadedAgent } from "../agent/loaded-agent.ts";
import type { LoopCounters } from "../agent/loop-types.ts";
import { openNodeCommands } from "../agent/node-commands.ts";
import { openNodeConfig } from "../agent/node-config.ts";
import { openAgentModel } from "../agent/registry.ts";
import { type AgentObservers, type AgentRun, type RunAgentOptions, runAgent } from "../agent/run-agent.ts";
import type { Model } from "../core/session/model.ts";
import type { Clock } from "../core/system/clock.ts";
import { closeAll } from "../core/system/close-all.ts";
import { makePrivateFolder } from "../core/system/private-file.ts";
import { urlText } from "../core/system/secrets.ts";
import { openOutbox } from "../mqtt/outbox/outbox.ts";
import type { BrokerOptions } from "../mqtt/transport/broker-url.ts";
import type { Connect } from "../mqtt/transport/connection.ts";
import { checkPersonalized, openPersonalized } from "../personalize/open-personalized.ts";
import type { PersonalizedSession } from "../personalize/personalized-session.ts";
import { loadBoard } from "../power/board.ts";
import { type Environment, withCredentials } from "../security/broker-credentials.ts";
import { observeAgent } from "../telemetry/observe-agent.ts";
import { openConfiguredTelemetry } from "../telemetry/telemetry.ts";
import { openPackedAgent } from "./packed-agent.ts";
import type { ServiceConfig } from "./service-config.ts";
import { statusLine, stepLine } from "./service-lines.ts";
import type { ServiceManager } from "./service-manager.ts";
import { openSource } from "./service-source.ts";
import { keepAlive } from "./watchdog.ts";

/** Decisions between two status lines for the service manager. */
const STATUS_DECISIONS = 32;

export interface ServiceOptions {
  readonly config: ServiceConfig;
  /** Reads the configuration again, for certificates that were replaced in it. Default: they are used as they are. */
  readonly readConfig?: () => ServiceConfig;
  /** Folder of the packed agent. */
  readonly agentFolder: string;
  /** Folder that survives restarts: the node's identity, pending asks, executed commands. */
  readonly stateFolder: string;
  /** Version of the package, reported as the node's firmware. */
  readonly version: string;
  readonly clock: Clock;
  readonly manager: ServiceManager;
  readonly say: (line: string) => void;
  /** Stops the service gracefully. */
  readonly signal: AbortSignal;
  /** May hold the broker's user and password, and the collector's address. Default none. */
  readonly env?: Environment;
  /** Opens a broker connection. Default createConnection. */
  readonly connect?: Connect;
}

/** State kept over a reboot of the service. */
interface ServiceNode {
  readonly agent: LoadedAgent;
  readonly model: Model;
  readonly node: string;
  readonly observers: AgentObservers;
}

/** Runs one agent as a service, until the signal or the end of its frames. Returns the counts since its last reboot. */
export async function runService(options: ServiceOptions): Promise<LoopCounters> {
  const { config, say, signal, env = {}, stateFolder, version } = options;
  const agent = openPackedAgent(options.agentFolder);
  const model = await openAgentModel(agent, { engine: config.engine });
  makePrivateFolder(stateFolder, { mark: ".outbox" });
  const node = config.node ?? openNodeConfig({ path: join(stateFolder, "node.json") }).config.node;
  const who = { service: "dormouse-gateway", instance: `${config.site}/${node}`, version };
  const telemetry = await openConfiguredTelemetry(env, config, who);
  if (telemetry.metricsUrl !== undefined) say(`metrics at ${telemetry.metricsUrl}`);
  let counters: LoopCounters | undefined;
  const runToTheEnd = async () => {
    for (;;) {
      const reboot = new AbortController();
      counters = await runOnce(options, { agent, model, node, observers: observeAgent(telemetry) }, reboot);
      if (!reboot.signal.aborted || signal.aborted) return;
      say("rebooted on the operator's command");
    }
  };
  await closeAll(
    runToTheEnd,
    () => options.manager.stopping(),
    () => telemetry.close(),
  );
  return counters!;
}

/** From the first frame to the last, or to a reboot. */
async function runOnce(options: ServiceOptions, service: ServiceNode, reboot: AbortController): Promise<LoopCounters> {
  const { config, clock, manager, say } = options;
  const { agent, model, node, observers } = service;
  const { definition } = agent;
  const signal = AbortSignal.any([options.signal, reboot.signal]);
  const personalized = personalizedOf(options, service);
  const source = openSource(config.sensor, agent, options.stateFolder, { clock, tell: say, signal });
  let run: AgentRun | undefined;
  let stopWatchdog = () => {};
  try {
    const started = runAgent({
      definition,
      model,
      clock,
      signal,
      sensor: source.sensor,
      ...(source.pace === undefined ? {} : { pace: source.pace }),
      ...(config.board === undefined
        ? {}
        : { governor: liveGovernor(agent, model, { board: loadBoard(config.board), radio: config.radio }) }),
      ...(personalized === undefined ? {} : { personalized }),
      ...askerAndCommands(options, service, () => reboot.abort()),
      observers: {
        ...observers,
        step(step) {
          const line = stepLine(step, config.isVerbose);
          if (line !== undefined) say(line);
          if (step.kind !== "decision" || run === undefined) return;
          if (run.loop.counters().decisions % STATUS_DECISIONS === 1) manager.status(statusLine(run.loop));
        },
      },
    });
    run = started;
    say(
      `agent ${definition.name} (${model.imageHash.slice(0, 12)}) as ${config.site}/${node}, sensor ${source.sensor.name}, broker ${config.broker === undefined ? "none" : urlText(config.broker.url)}`,
    );
    manager.ready(`${definition.name}: waiting for ${source.sensor.name}`);
    if (manager.watchdogMillis !== undefined) {
      stopWatchdog = keepAlive({
        clock,
        watchdogMillis: manager.watchdogMillis,
        progress: source.progress,
        alive: manager.alive,
        onStuck: () => say("frames wait and none is processed: the watchdog is not fed"),
      });
    }
    await started.ended;
  } finally {
    await closeAll(
      () => stopWatchdog(),
      () => source.sensor.device?.close(),
      () => run?.close(),
    );
  }
  say(statusLine(run.loop));
  return run.loop.counters();
}

/** The personalized session that the configuration asks for. */
function personalizedOf({ config, stateFolder, say }: ServiceOptions, { agent, model }: ServiceNode): PersonalizedSession | undefined {
  if (config.personalize === undefined) return undefined;
  checkPersonalized({ hasBroker: config.broker !== undefined, hasBoard: config.board !== undefined });
  const { definition, priorPath } = agent;
  return openPersonalized({ agent: definition.name, model, priorPath, path: resolve(stateFolder, config.personalize), note: say });
}

/** Options for asks and commands. Undefined without a broker. */
function askerAndCommands(
  options: ServiceOptions,
  { model, node }: ServiceNode,
  onReboot: () => void,
): Pick<RunAgentOptions, "asker" | "commands"> {
  const { config, clock, stateFolder, version, connect, say } = options;
  if (config.broker === undefined) return {};
  const { commandKey, commandFloor } = config;
  const commands =
    commandKey === undefined
      ? undefined
      : openNodeCommands({ node, commandKey, ...(commandFloor === undefined ? {} : { commandFloor }) }, stateFolder, {
          onReboot,
          note: say,
          clock,
        });
  const asker = {
    broker: renewable(config.broker, options),
    site: config.site,
    node,
    outbox: openOutbox({ path: join(stateFolder, `${node}.outbox`) }),
    presence: { firmware: `dormouse-edge ${version}`, model: model.imageHash },
    ...(connect === undefined ? {} : { connect }),
  };
  return { asker, ...(commands === undefined ? {} : { commands }) };
}

/** The broker as configured; with certificates and password as they are configured when a connection begins. */
function renewable(broker: NonNullable<ServiceConfig["broker"]>, { env = {}, readConfig }: ServiceOptions): BrokerOptions {
  const at = brokerOptions(broker, env);
  if (readConfig === undefined) return at;
  const renew = () => {
    const { url: _, ...renewed } = brokerOptions(readConfig().broker ?? broker, env);
    return renewed;
  };
  return { ...at, renew };
}

/** The broker with its credentials, without the keys that are not given. */
function brokerOptions({ url, passwordFile, ...rest }: NonNullable<ServiceConfig["broker"]>, env: Environment): BrokerOptions {
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  return withCredentials({ url, ...(Object.fromEntries(given) as Partial<BrokerOptions>) }, env, passwordFile);
}
