import { resolve } from "node:path";
import { liveGovernor } from "../agent/live-governor.ts";
import { openNodeCommands } from "../agent/node-commands.ts";
import { type RunAgentOptions, runAgent } from "../agent/run-agent.ts";
import { mapAxes } from "../agent/sensors/map-axes.ts";
import type { Sensor } from "../agent/sensors/sensor.ts";
import { closeAll } from "../core/system/close-all.ts";
import { urlText } from "../core/system/secrets.ts";
import { checkPersonalized, openPersonalized } from "../personalize/open-personalized.ts";
import type { PersonalizedSession } from "../personalize/personalized-session.ts";
import { loadBoard } from "../power/board.ts";
import { observeAgent } from "../telemetry/observe-agent.ts";
import { withAttributes } from "../telemetry/with-attributes.ts";
import type { ShelvedAgent } from "./agent-shelf.ts";
import type { Gateway, NodeEnd, Served } from "./gateway-types.ts";
import { nodeAsker } from "./node-asker.ts";
import { statusLine, stepLine } from "./service-lines.ts";

/** Decisions between two status lines for the service manager. */
const STATUS_DECISIONS = 32;

/** What of a device's configuration can only be wrong: said before anything starts. */
export function checkSensorNode(gateway: Gateway, { device }: Pick<Served, "device">, { agent, model }: ShelvedAgent): void {
  const { broker } = gateway.config;
  if (device.personalize !== undefined) checkPersonalized({ hasBroker: broker !== undefined, hasBoard: device.board !== undefined });
  if (device.board !== undefined) liveGovernor(agent, model, { board: loadBoard(device.board), radio: device.radio });
}

/** Runs an agent on a sensor as a node, until the frames end, the signal aborts or an operator reboots it. Resolves to whether it was rebooted. */
export async function runSensorNode(gateway: Gateway, served: Served, sensor: Sensor, pace?: RunAgentOptions["pace"]): Promise<NodeEnd> {
  const { config, clock } = gateway;
  const { device, node, say } = served;
  const { agent, model } = await gateway.agents.open(served.agentName);
  const { definition } = agent;
  const { name } = definition;
  const reboot = new AbortController();
  const personalized = personalizedSession(gateway, served, { agent, model });
  const board = device.board === undefined ? undefined : loadBoard(device.board);
  const governor = board && liveGovernor(agent, model, { board, radio: device.radio });
  const firmware = `dormouse-edge ${gateway.version}`;
  const presence = { firmware, model: model.imageHash, agent: name, ...(board && { board: board.id }) };
  const asker = nodeAsker(gateway, served, presence, { agent: name, labels: model.image.manifest.labels, alarm: definition.alarm });
  const commands = asker && nodeCommandsOf(gateway, served, () => reboot.abort());
  const turned = device.axes === undefined ? sensor : mapAxes(sensor, device.axes);
  const shown = gateway.page?.show({ node, agent, model, sensor: turned, governor, hasBroker: asker !== undefined });
  let frames = 0;
  const counted = countFrames(shown?.sensor ?? turned, () => frames++);
  served.track(() => {
    const { arrived = frames, taken = frames } = sensor.device?.progress() ?? {};
    return { arrived, done: taken };
  });
  const telemetry = withAttributes(gateway.telemetry, { node });
  const run = runAgent({
    definition,
    model,
    clock,
    signal: AbortSignal.any([served.signal, reboot.signal]),
    sensor: counted,
    telemetrySeconds: config.reportSeconds,
    ...(pace && { pace }),
    ...(device.setPoint && { setPoint: device.setPoint }),
    ...(governor && { governor }),
    ...(personalized && { personalized }),
    ...(asker && { asker }),
    ...(commands && { commands }),
    observers: {
      ...observeAgent(telemetry),
      step(step) {
        shown?.view.onStep(step);
        const line = stepLine(step, config.isVerbose);
        if (line !== undefined) say(line);
        if (step.kind !== "decision" || run === undefined) return;
        if (run.loop.counters().decisions % STATUS_DECISIONS === 1) gateway.onStatus(`${node}: ${statusLine(run.loop)}`);
      },
    },
  });
  shown?.start(run.loop);
  const where = config.broker === undefined ? "none" : urlText(config.broker.url);
  say(`agent ${name} (${model.imageHash.slice(0, 12)}) as ${config.site}/${node}, sensor ${sensor.name}, broker ${where}`);
  await closeAll(
    () => run.ended,
    () => run.close(),
    () => shown?.close(),
  );
  say(statusLine(run.loop));
  return { isRebooted: reboot.signal.aborted, counters: run.loop.counters() };
}

function countFrames(sensor: Sensor, onFrame: () => void): Sensor {
  async function* counted() {
    for await (const frame of sensor) {
      onFrame();
      yield frame;
    }
  }
  return { ...sensor, [Symbol.asyncIterator]: counted };
}

/** Whose commands a node obeys: its own operator's, or the gateway's. */
function nodeCommandsOf({ config, clock, stateFolder }: Gateway, { device, node, say }: Served, onReboot: () => void) {
  const { commandKey = config.commandKey, commandFloor = config.commandFloor } = device;
  if (commandKey === undefined) return undefined;
  return openNodeCommands({ node, commandKey, commandFloor }, stateFolder, { onReboot, note: say, clock });
}

/** The personalized session that the configuration asks for. */
function personalizedSession(
  { stateFolder }: Gateway,
  { device, say }: Served,
  { agent: { definition, priorPath }, model }: ShelvedAgent,
): PersonalizedSession | undefined {
  if (device.personalize === undefined) return undefined;
  return openPersonalized({ agent: definition.name, model, priorPath, path: resolve(stateFolder, device.personalize), note: say });
}
