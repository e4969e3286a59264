import { defaultMaxListeners, setMaxListeners } from "node:events";
import { join } from "node:path";
import type { LoopCounters } from "../agent/loop-types.ts";
import { openNodeConfig } from "../agent/node-config.ts";
import { RETRY_MILLIS } from "../agent/sensors/device-sensor.ts";
import { openSensor } from "../agent/sensors/open-sensor.ts";
import { sleep } from "../agent/sensors/pace.ts";
import type { Clock } from "../core/system/clock.ts";
import { closeAll } from "../core/system/close-all.ts";
import { makePrivateFolder } from "../core/system/private-file.ts";
import { parseBrokerUrl } from "../mqtt/transport/broker-url.ts";
import { type Connect, createConnection } from "../mqtt/transport/connection.ts";
import type { Environment } from "../security/broker-credentials.ts";
import { openConfiguredTelemetry } from "../telemetry/telemetry.ts";
import { createAgentShelf } from "./agent-shelf.ts";
import { type AnnouncedNode, openAnnouncedNodes } from "./announced-nodes.ts";
import { findPorts, findsSeveral } from "./device-match.ts";
import type { DeviceConfig, GatewayConfig } from "./gateway-config.ts";
import { type GatewayPage, openGatewayPage } from "./gateway-page.ts";
import type { Gateway, NodeEnd, Served } from "./gateway-types.ts";
import { brokerOptions } from "./node-asker.ts";
import { servePort } from "./port-session.ts";
import { checkSensorNode, runSensorNode } from "./sensor-node.ts";
import type { ServiceManager } from "./service-manager.ts";
import { keepAlive, type Progress } from "./watchdog.ts";

export interface GatewayOptions {
  readonly config: GatewayConfig;
  /** Reads the configuration again, for certificates that were replaced in it. Default: they are used as they are. */
  readonly readConfig?: () => GatewayConfig;
  /** Agents as data, of a package, or of a clone. */
  readonly agentsFolder: string;
  /** What paths of agents and recordings are relative to. */
  readonly cwd: string;
  /** The agent of devices that name none. Default activity. */
  readonly defaultAgent?: string | undefined;
  /** Folder that survives restarts: identities, pending asks, executed commands. */
  readonly stateFolder: string;
  /** Version of the package, reported as the nodes' firmware. */
  readonly version: string;
  readonly clock: Clock;
  readonly manager: ServiceManager;
  readonly say: (line: string) => void;
  /** Stops the gateway gracefully. */
  readonly signal: AbortSignal;
  /** May hold the broker's user and password, and the collector's address. Default none. */
  readonly env?: Environment;
  /** Opens a broker connection. Default createConnection. */
  readonly connect?: Connect;
}

/**
 * Runs every device of a configuration as a node of its own, until the signal, or the end of all recordings. A device's fault stays its
 * own. Returns the last counts of each node whose agent ran here.
 */
export async function runGateway(options: GatewayOptions): Promise<ReadonlyMap<string, LoopCounters>> {
  const { config, say, signal, env = {}, stateFolder, version, clock, manager } = options;
  const agents = createAgentShelf(options.agentsFolder, options.cwd, config.engine);
  makePrivateFolder(stateFolder, { mark: ".outbox" });
  const own = openNodeConfig({ path: join(stateFolder, "node.json") }).config.node;
  const taken = new Set<string>(); // names of nodes that run
  /** One listener per entry, which waits for its ports, and one per node that runs: Node warns of more as of a leak. */
  const expectListeners = () => setMaxListeners(defaultMaxListeners + config.devices.length + taken.size, signal);
  const devices = config.devices.map((device, i) => ({
    device,
    agentName: device.agent ?? options.defaultAgent ?? "activity",
    nodeOf: (id: string) => nodeName(device, id, own, config.devices.length === 1 ? undefined : i + 1),
  }));
  const who = { service: "dormouse-gateway", instance: `${config.site}/${devices.length === 1 ? devices[0]!.nodeOf("*") : own}`, version };
  const telemetry = await openConfiguredTelemetry(env, config, who);
  if (telemetry.metricsUrl !== undefined) say(`metrics at ${telemetry.metricsUrl}`);
  let page: GatewayPage | undefined;
  const tracked = new Map<string, () => Progress>();
  const past = { arrived: 0, done: 0 }; // of devices that have gone
  let stopWatchdog = () => {};

  const run = async (): Promise<void> => {
    const labels = new Set<string>();
    const announced = openAnnouncedNodes(stateFolder);
    const unchecked = { ...options, config, env, agents, announced, telemetry, page, onStatus: manager.status };
    for (const one of devices) {
      const shelved = await agents.open(one.agentName);
      for (const label of shelved.model.image.manifest.labels) labels.add(label);
      checkSensorNode(unchecked, one, shelved);
    }
    if (config.broker !== undefined) parseBrokerUrl(brokerOptions(config.broker, {}, env));
    if (config.http !== undefined) {
      page = await openGatewayPage(clock, config.http, [...labels]);
      say(`watch it at ${page.url}`);
    }
    const gateway: Gateway = { ...unchecked, page };
    const patterns = devices.map(({ nodeOf }) => nodeOf("*").split("*"));
    const isKept = ({ site, node, prefix }: AnnouncedNode) =>
      site === config.site &&
      prefix === config.homeAssistant &&
      patterns.some(([before = "", after]) => (after === undefined ? node === before : node.startsWith(before) && node.endsWith(after)));
    if (config.broker !== undefined) {
      const broker = brokerOptions(config.broker, {}, env);
      if (!(await announced.forget(isKept, broker, options.connect ?? createConnection, clock)))
        say("nodes that left the configuration could not be taken back: the broker did not answer. It is tried at the next start.");
    }
    if (manager.watchdogMillis !== undefined)
      stopWatchdog = keepAlive({
        ...{ clock, watchdogMillis: manager.watchdogMillis, alive: manager.alive },
        progress: () => [...tracked.values()].reduce((sum, read) => add(sum, read()), past),
        onStuck: () => say("frames wait and none is processed: the watchdog is not fed"),
      });
    manager.ready(`${devices.length} devices configured`);
    expectListeners();
    await Promise.all(devices.map((one) => superviseDevice(gateway, one)));
  };

  /** Serves whatever a device's match finds, again and again. */
  async function superviseDevice(gateway: Gateway, { device, agentName, nodeOf }: (typeof devices)[number]): Promise<void> {
    const { match } = device;
    if (match.kind === "frames") {
      await serve(gateway, { device, agentName, node: nodeOf("") }, async (served) => {
        const sensor = openSensor(match.sensor, await agents.open(agentName).then(({ agent }) => agent), options.cwd);
        return runSensorNode(gateway, served, sensor, { speed: 1 });
      });
      return;
    }
    const active = new Map<string, Promise<unknown>>();
    while (!signal.aborted) {
      for (const port of findPorts(match)) {
        const key = JSON.stringify(port.address);
        if (active.has(key)) continue;
        const serving = serve(gateway, { device, agentName, node: nodeOf(port.id) }, (served) => servePort(gateway, served, port));
        active.set(
          key,
          serving.finally(() => active.delete(key)),
        );
      }
      await sleep(clock, RETRY_MILLIS, signal);
    }
    await Promise.all(active.values());
  }

  /** Serves one node until it ends for good. What fails is said, and tried again a little later, as often as it takes. */
  async function serve(
    gateway: Gateway,
    who: Pick<Served, "device" | "agentName" | "node">,
    run: (served: Served) => Promise<NodeEnd>,
  ): Promise<void> {
    const { node, device } = who;
    const said = sentences;
    const tell = (line: string) => say(`${node}: ${line}`);
    if (taken.has(node)) {
      const line = `${node}: another device runs under this name, so this one is left out. Give each device a node of its own, or write node with a *.`;
      if (said.get(node) !== line) say(line);
      said.set(node, line);
      return;
    }
    taken.add(node);
    expectListeners();
    try {
      for (let isAgain = true; isAgain && !signal.aborted; ) {
        try {
          const end = await run({ ...who, say: tell, signal, track: (progress) => tracked.set(node, progress) });
          if (end.counters !== undefined) counters.set(node, end.counters);
          isAgain = end.isRebooted;
          said.delete(node);
          if (isAgain && !signal.aborted) tell("rebooted on the operator's command");
        } catch (error) {
          const line = error instanceof Error ? error.message : String(error);
          if (!signal.aborted && said.get(node) !== line) tell(`${line} Trying again every ${RETRY_MILLIS / 1000} s.`);
          said.set(node, line);
          if (device.match.kind !== "frames") return; // its port is looked for again
          await sleep(clock, RETRY_MILLIS, signal);
        }
      }
    } finally {
      const progress = tracked.get(node)?.();
      if (progress !== undefined) Object.assign(past, add(past, { arrived: progress.done, done: progress.done })); // what waits has gone with it
      tracked.delete(node);
      taken.delete(node);
      expectListeners();
      gateway.page?.gone(node);
    }
  }
  const sentences = new Map<string, string>(); // last said of a node
  const counters = new Map<string, LoopCounters>();

  await closeAll(
    run,
    () => stopWatchdog(),
    () => manager.stopping(),
    () => page?.close(),
    () => telemetry.close(),
  );
  return counters;
}

const add = (a: Progress, b: Progress): Progress => ({ arrived: a.arrived + b.arrived, done: a.done + b.done });

/** The name of a node: as configured, a * replaced by what the match found; else the gateway's own, numbered where there are several. */
function nodeName({ node, match }: DeviceConfig, id: string, own: string, number: number | undefined): string {
  const part = id.replace(/[^A-Za-z0-9_*-]/g, "-").slice(0, 24);
  if (node !== undefined) return node.replace("*", part);
  return [own, ...(number === undefined ? [] : [number]), ...(findsSeveral(match) ? [part] : [])].join("-");
}
