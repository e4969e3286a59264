import { join } from "node:path";
import { createLoop, loopAgent, loopModel } from "../agent/loop.ts";
import type { Loop, LoopStep } from "../agent/loop-types.ts";
import { openNodeConfig } from "../agent/node-config.ts";
import { openAgentModel } from "../agent/registry.ts";
import { openSensor } from "../agent/sensors/open-sensor.ts";
import { paced } from "../agent/sensors/pace.ts";
import type { SensorFrame } from "../agent/sensors/sensor.ts";
import type { Clock } from "../core/clock.ts";
import { closeAll } from "../core/close-all.ts";
import { makePrivateFolder } from "../core/private-file.ts";
import { urlText } from "../core/secrets.ts";
import { createAsker } from "../mqtt/asker.ts";
import type { BrokerOptions } from "../mqtt/broker-url.ts";
import { createCommandRefuser } from "../mqtt/commands/refuse-commands.ts";
import type { Connect } from "../mqtt/connection.ts";
import { openOutbox } from "../mqtt/outbox.ts";
import type { Asker, AskerEvents } from "../mqtt/types.ts";
import { type Environment, withCredentials } from "../security/broker-credentials.ts";
import { openPackedAgent } from "./packed-agent.ts";
import { openSerialSensor, parseSerialSpec } from "./serial-sensor.ts";
import type { ServiceConfig } from "./service-config.ts";
import type { ServiceManager } from "./service-manager.ts";
import { keepAlive, type Progress } from "./watchdog.ts";

/** Decisions between two status lines for the service manager. */
const STATUS_DECISIONS = 32;

export interface ServiceOptions {
  readonly config: ServiceConfig;
  /** Reads the configuration again, for certificates that were replaced in it. Left out: they are used as they are. */
  readonly readConfig?: () => ServiceConfig;
  /** Folder of the packed agent. */
  readonly agentFolder: string;
  /** Folder that survives restarts: the node's identity, the asks that wait. */
  readonly stateFolder: string;
  readonly firmware: string;
  readonly clock: Clock;
  readonly manager: ServiceManager;
  readonly say: (line: string) => void;
  /** Ends the service in good order. */
  readonly signal: AbortSignal;
  /** May hold the broker's user and password. Default none. */
  readonly env?: Environment;
  /** How brokers are reached. Default createConnection. */
  readonly connect?: Connect;
}

/** Runs one agent as a service, until the signal or the end of its frames. Returns what it counted. */
export async function runService(options: ServiceOptions): Promise<ReturnType<Loop["counters"]>> {
  const { config, clock, manager, say, signal } = options;
  const agent = openPackedAgent(options.agentFolder);
  const { definition } = agent;
  const model = await openAgentModel(agent, { engine: config.engine });
  makePrivateFolder(options.stateFolder, { mark: ".outbox" });
  const node = config.node ?? openNodeConfig({ path: join(options.stateFolder, "node.json") }).config.node;
  const { broker } = config;
  const source = openSource(options, agent);
  const stop = () => source.close();
  signal.addEventListener("abort", stop, { once: true });
  let asker: Asker | undefined;
  let stopWatchdog = () => {};
  let loop: Loop;
  const connect = (at: BrokerOptions) => (events: AskerEvents) => {
    asker = createAsker({
      broker: at,
      site: config.site,
      node,
      outbox: openOutbox({ path: join(options.stateFolder, `${node}.outbox`) }),
      presence: { firmware: options.firmware, model: model.imageHash },
      events,
      clock,
      onCommand: createCommandRefuser({
        clock,
        tell: (report) => asker?.telemetry({ command: report }),
      }),
      ...(options.connect === undefined ? {} : { connect: options.connect }),
    });
    return asker;
  };
  try {
    loop = createLoop({
      ...loopAgent(definition),
      model: loopModel(model),
      session: model.createSession(),
      frames: source.frames,
      onStep: (step) => {
        const line = lineOf(step, config.isVerbose);
        if (line !== undefined) say(line);
        if (step.kind === "decision" && loop.counters().decisions % STATUS_DECISIONS === 1) manager.status(statusOf(loop));
      },
      ...(broker === undefined ? {} : { connect: connect(renewable(broker, options)) }),
    });
    say(
      `agent ${definition.name} (${model.imageHash.slice(0, 12)}) as ${config.site}/${node}, sensor ${source.name}, broker ${broker === undefined ? "none" : urlText(broker.url)}`,
    );
    manager.ready(`${definition.name}: waiting for ${source.name}`);
    if (manager.watchdogMillis !== undefined) {
      stopWatchdog = keepAlive({
        clock,
        watchdogMillis: manager.watchdogMillis,
        progress: source.progress,
        alive: manager.alive,
        onStuck: () => say("frames wait and none is taken: no sign of life to the watchdog"),
      });
    }
    await loop.run();
  } finally {
    await closeAll(
      () => manager.stopping(),
      () => stopWatchdog(),
      () => signal.removeEventListener("abort", stop),
      () => source.close(),
      () => asker?.close(),
    );
  }
  say(statusOf(loop));
  return loop.counters();
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

interface Source {
  readonly name: string;
  readonly frames: AsyncIterable<SensorFrame>;
  progress(): Progress;
  close(): void;
}

/** The configured sensor: a device pushes frames at its own pace, a recording or a synthetic wearer is paced by the clock. */
function openSource({ config, clock, say, signal, ...options }: ServiceOptions, agent: ReturnType<typeof openPackedAgent>): Source {
  const { rateHz, channels } = agent.definition.sensor;
  const serial = parseSerialSpec(config.sensor);
  if (serial !== undefined) {
    const sensor = openSerialSensor(serial, { rateHz, channels }, { clock, tell: say });
    if (signal.aborted) sensor.close();
    const { queue } = sensor;
    return {
      name: sensor.name,
      frames: sensor,
      progress: () => ({ arrived: queue.arrived - queue.dropped, done: queue.taken }),
      close: sensor.close,
    };
  }
  const sensor = openSensor(config.sensor, agent, options.stateFolder);
  let taken = 0;
  async function* frames(): AsyncGenerator<SensorFrame> {
    for await (const frame of paced(sensor, { clock, speed: 1, hopFrames: Math.max(1, Math.round(rateHz / 5)), signal })) {
      taken++;
      yield frame;
    }
  }
  return { name: sensor.name, frames: frames(), progress: () => ({ arrived: taken, done: taken }), close: () => undefined };
}

function statusOf(loop: Loop): string {
  const { decisions, frames, events, asked, answered, pending } = loop.counters();
  return `${loop.label ?? "no label yet"}; ${frames} frames, ${decisions} decisions, ${events} events, ${asked} asked, ${answered} answered, ${pending} waiting`;
}

/** One line a step for the journal, or undefined for what is not worth one. */
function lineOf(step: LoopStep, isVerbose: boolean): string | undefined {
  switch (step.kind) {
    case "decision":
      return isVerbose ? `decision ${step.record.label} ${step.record.confidence.toFixed(3)}: ${step.record.reason}` : undefined;
    case "event":
      return `event ${step.label} (${step.source}, ${step.confidence.toFixed(3)})`;
    case "ask":
      return `ask ${step.id.slice(0, 8)} ${step.label} ${step.confidence.toFixed(3)}`;
    case "outcome":
      return `ask ${step.outcome.id.slice(0, 8)} ${step.outcome.state}${step.answer === undefined ? "" : `: ${step.answer}`}`;
    case "link":
      return `broker ${step.state}${step.detail === undefined ? "" : `: ${step.detail}`}`;
    case "gap":
      return step.isReset ? "frames were lost: the model begins anew" : undefined;
    case "anomaly":
      return `${step.error.code}: ${step.error.message}`;
  }
}
