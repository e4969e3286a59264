import type { Wearer } from "../adapt/wearer.ts";
import type { CommandInbox } from "../agent/command-inbox.ts";
import type { AgentGovernor } from "../agent/governor-types.ts";
import type { LoadedAgent } from "../agent/loaded-agent.ts";
import { createLoop, loopAgent, loopModel } from "../agent/loop.ts";
import type { Loop } from "../agent/loop-types.ts";
import { paced } from "../agent/sensors/pace.ts";
import type { Sensor } from "../agent/sensors/sensor.ts";
import type { Model } from "../core/model.ts";
import { noTelemetry, type Telemetry } from "../core/telemetry.ts";
import { type AskerOptions, createAsker } from "../mqtt/asker.ts";
import { createCommandRefuser } from "../mqtt/commands/refuse-commands.ts";
import type { AskerEvents } from "../mqtt/types.ts";
import { METRICS } from "../telemetry/catalogue.ts";
import { traceAsks } from "../telemetry/traced-connect.ts";
import { watchLoop } from "../telemetry/watch.ts";
import type { CliIo } from "./io.ts";
import { type NodeCommandOptions, nodeCommands } from "./node-commands.ts";
import type { Output } from "./output.ts";
import { type LiveBoard, liveGovernor } from "./powered.ts";
import { untilInterrupted } from "./until-interrupted.ts";
import { createView, type View, type ViewOptions } from "./view.ts";

/** A replay as fast as it goes waits for answers while more asks than this are pending. */
const UNPACED_PENDING = 64;
/** Beyond the deadline, for the answer's way back. */
const DRAIN_GRACE_MILLIS = 2000;
/** How long an interrupted run waits for answers that no disk would remember. */
const INTERRUPTED_DRAIN_MILLIS = 2000;

export interface WearableOptions {
  readonly agent: LoadedAgent;
  readonly model: Model;
  readonly sensor: Sensor;
  readonly speed: number;
  readonly seconds?: number;
  readonly deadlineSeconds: number;
  readonly show: ViewOptions;
  /** How to reach the cloud; left out: decides locally and never asks. */
  readonly asker?: Omit<AskerOptions, "events" | "clock">;
  /** Whose evidence is learned. Left out: everybody's holds. */
  readonly wearer?: Wearer;
  /** What to price the run as, and to govern it by. Left out: nothing is governed. */
  readonly live?: LiveBoard;
  readonly telemetry?: Telemetry;
  /** Left out: nobody commands it. */
  readonly commands?: NodeCommandOptions;
  /** Ends the run early, as an interrupt does, and leaves the asks to the outbox. */
  readonly stop?: AbortSignal;
}

export interface Wearable {
  readonly loop: Loop;
  readonly view: View;
  readonly governor: AgentGovernor | undefined;
  readonly inbox: CommandInbox | undefined;
  /** Runs until the sensor ends or the seconds are over, then waits for the answers that are due. An interrupt ends both: asks wait on disk. */
  run(): Promise<void>;
}

/** Puts sensor, model, loop, asker and view together: what `demo` and `run` share. */
export function createWearable(io: CliIo, out: Output, options: WearableOptions): Wearable {
  const { agent, model, sensor, speed, seconds, deadlineSeconds, asker } = options;
  const { definition } = agent;
  const session = options.wearer?.session ?? model.createSession();
  const what = loopModel(model);
  const { image } = model;
  const hopFrames = image.hopPatches * image.patchFrames;
  const rateHz = definition.sensor.rateHz;
  const governor = options.live && liveGovernor(agent, model, options.live);
  const signal = options.stop === undefined ? io.interrupt : AbortSignal.any([io.interrupt, options.stop]);
  let loop: Loop | undefined;
  let inbox: CommandInbox | undefined;
  const view = createView(
    io,
    out,
    {
      agent: definition.name,
      sensor: sensor.name,
      speed,
      rateHz,
      labels: what.labels,
      nExits: what.nExits,
      hopSeconds: hopFrames / rateHz,
      hopMacs: (session.opCount(what.nExits - 1).macs * image.hopPatches) / image.windowPatches,
      arenaBytes: session.arenaBytes,
      imageBytes: model.imageBytes,
      hasBroker: asker !== undefined,
      ...(options.live === undefined ? {} : { board: options.live.board.id }),
    },
    () => loop,
    options.show,
    governor && (() => governor.status()),
  );
  const { telemetry = noTelemetry } = options;
  const traced = traceAsks(telemetry);
  const observed = (events: AskerEvents): AskerEvents => ({
    ...events,
    onOutcome(outcome) {
      const { id, state, latencyMillis } = outcome;
      traced.ended(id, state);
      telemetry.record(METRICS.askSeconds, latencyMillis / 1000, { state });
      events.onOutcome(outcome);
    },
  });
  const refuseCommand = createCommandRefuser({
    reason: "it has no command key: give it an identity that dormouse provision made",
    clock: io.clock,
    tell: (report) => loop?.asker?.telemetry({ command: report }),
  });
  const isUnpaced = speed === Number.POSITIVE_INFINITY;
  const made = createLoop({
    ...loopAgent(definition),
    deadlineSeconds,
    model: what,
    session,
    signal,
    frames: paced(sensor, { clock: io.clock, speed, hopFrames, signal, ...(seconds === undefined ? {} : { seconds }) }),
    onStep: view.onStep,
    ...(options.wearer === undefined ? {} : { learner: options.wearer }),
    ...(governor === undefined ? {} : { governor }),
    ...(isUnpaced ? { maxPending: UNPACED_PENDING } : {}),
    ...(asker === undefined
      ? {}
      : {
          connect: (events) =>
            createAsker({
              ...asker,
              events: observed(events),
              clock: io.clock,
              connect: traced.connect,
              onCommand: (message) => (options.commands === undefined ? refuseCommand(message) : inbox?.receive(message)),
            }),
        }),
  });
  loop = made;
  if (asker !== undefined && options.commands !== undefined) {
    const { site, node } = asker;
    inbox = nodeCommands(io, { site, node, agent: definition.name }, { loop: made, session, image }, options.commands);
  }
  const unwatch = watchLoop(telemetry, made, inbox && (() => inbox.counts()));
  return {
    loop: made,
    view,
    governor,
    inbox,
    async run() {
      await made.run().finally(unwatch);
      if (options.stop?.aborted) return;
      if (made.asker === undefined || made.counters().pending === 0) return;
      const isDurable = asker?.outbox?.isDurable ?? false;
      if (io.interrupt.aborted && isDurable) return;
      view.phase("draining");
      await Promise.race([made.asker.drain(deadlineSeconds * 1000 + DRAIN_GRACE_MILLIS), untilInterrupted({ interrupt: signal })]);
      if (io.interrupt.aborted && !isDurable) await made.asker.drain(INTERRUPTED_DRAIN_MILLIS);
    },
  };
}
