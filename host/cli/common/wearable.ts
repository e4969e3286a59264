import { type LiveBoard, liveGovernor } from "../../agent/live-governor.ts";
import type { LoadedAgent } from "../../agent/loaded-agent.ts";
import type { Loop } from "../../agent/loop-types.ts";
import { type AgentRun, type RunAgentOptions, runAgent } from "../../agent/run-agent.ts";
import { joinViews, type View, type ViewInfo } from "../../agent/run-view.ts";
import { windowOps } from "../../core/image/op-count.ts";
import { noTelemetry, type Telemetry } from "../../core/session/telemetry.ts";
import type { Output } from "../../core/system/output.ts";
import type { CliIo } from "../../core/system/surroundings.ts";
import type { AgentGovernor } from "../../policy/govern/governor-types.ts";
import { observeAgent } from "../../telemetry/observe-agent.ts";
import type { Dashboard } from "../../web/dashboard.ts";
import { createView, type ViewOptions } from "../view/view.ts";

export interface WearableOptions extends Omit<RunAgentOptions, "definition" | "clock" | "governor" | "observers" | "signal"> {
  readonly agent: LoadedAgent;
  readonly pace: NonNullable<RunAgentOptions["pace"]>;
  readonly show: ViewOptions;
  /** The board that prices and governs the run. Left out: nothing is governed. */
  readonly live?: LiveBoard;
  readonly telemetry?: Telemetry;
  /** Its name, for the page. */
  readonly node: string;
  /** The page that shows the run, too. The caller closes it. */
  readonly page?: Dashboard;
  /** Ends the run early, as an interrupt does. */
  readonly stop?: AbortSignal;
}

export interface Wearable extends AgentRun {
  readonly view: View;
  readonly governor: AgentGovernor | undefined;
}

/** `runAgent` with a view, telemetry and a board's governor: what `demo` and `run` share. */
export function runWearable(io: CliIo, out: Output, options: WearableOptions): Wearable {
  const { agent, live, show, stop, telemetry = noTelemetry, node, page, ...parts } = options;
  const { model, sensor, pace, personalized } = parts;
  const { definition } = agent;
  const { image } = model;
  const { rateHz } = definition.sensor;
  const governor = live && liveGovernor(agent, model, live);
  const last = image.exits.length - 1;
  const { macs } = personalized?.opCount(last) ?? windowOps(image, last);
  let loop: Loop | undefined;
  const info: ViewInfo = {
    agent: definition.name,
    sensor: sensor.name,
    speed: pace.speed,
    rateHz,
    labels: image.manifest.labels,
    nExits: image.exits.length,
    hopSeconds: (image.hopPatches * image.patchFrames) / rateHz,
    hopMacs: (macs * image.hopPatches) / image.windowPatches,
    arenaBytes: personalized?.arenaBytes ?? model.arenaBytes,
    imageBytes: model.imageBytes,
    hasBroker: parts.asker !== undefined,
    ...(definition.alarm === undefined ? {} : { alarm: definition.alarm }),
    ...(live === undefined ? {} : { board: live.board.id }),
    ...(page && { pageUrl: page.url }),
  };
  const power = governor && (() => governor.status());
  const terminal = createView(io, out, info, () => loop, show, power);
  const shown = page?.show({ info, node, model, sensor, loop: () => loop, power });
  const view = shown === undefined ? terminal : joinViews(terminal, shown.view);
  const run = runAgent({
    ...parts,
    ...(page && shown && { sensor: shown.sensor, pace: { ...pace, control: page.pace } }),
    definition,
    clock: io.clock,
    signal: stop === undefined ? io.interrupt : AbortSignal.any([io.interrupt, stop]),
    ...(governor === undefined ? {} : { governor }),
    observers: { ...observeAgent(telemetry), step: (step) => view.onStep(step), draining: () => view.phase("draining") },
  });
  loop = run.loop;
  return { ...run, view, governor };
}
