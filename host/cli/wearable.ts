import { createLoop, loopModel } from "../agent/loop.ts";
import type { Loop } from "../agent/loop-types.ts";
import type { LoadedAgent } from "../agent/registry.ts";
import { paced } from "../agent/sensors/pace.ts";
import type { Sensor } from "../agent/sensors/sensor.ts";
import type { Model } from "../core/model.ts";
import { type AskerOptions, createAsker } from "../mqtt/asker.ts";
import type { CliIo } from "./io.ts";
import type { Output } from "./output.ts";
import { createView, type View, type ViewOptions } from "./view.ts";

/** A replay as fast as it goes waits for answers while more asks than this are pending. */
const UNPACED_PENDING = 64;
/** Beyond the deadline, for the answer's way back. */
const DRAIN_GRACE_MILLIS = 2000;

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
}

export interface Wearable {
  readonly loop: Loop;
  readonly view: View;
  /** Runs until the sensor ends, the seconds are over or the user interrupts; then waits for the answers that are due. */
  run(): Promise<void>;
}

/** Puts sensor, model, loop, asker and view together: what `demo` and `run` share. */
export function createWearable(io: CliIo, out: Output, options: WearableOptions): Wearable {
  const { agent, model, sensor, speed, seconds, deadlineSeconds, asker } = options;
  const { definition } = agent;
  const session = model.createSession();
  const what = loopModel(model);
  const { image } = model;
  const hopFrames = image.hopPatches * image.patchFrames;
  const rateHz = definition.sensor.rateHz;
  let loop: Loop | undefined;
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
    },
    () => loop,
    options.show,
  );
  const isUnpaced = speed === Number.POSITIVE_INFINITY;
  const made = createLoop({
    agent: definition.name,
    stableDecisions: definition.events.stableDecisions,
    holdSeconds: definition.asks.holdSeconds,
    intervalHops: definition.asks.intervalHops,
    deadlineSeconds,
    rateHz,
    model: what,
    session,
    frames: paced(sensor, { clock: io.clock, speed, hopFrames, signal: io.interrupt, ...(seconds === undefined ? {} : { seconds }) }),
    onStep: view.onStep,
    ...(isUnpaced ? { maxPending: UNPACED_PENDING } : {}),
    ...(asker === undefined ? {} : { connect: (events) => createAsker({ ...asker, events, clock: io.clock }) }),
  });
  loop = made;
  return {
    loop: made,
    view,
    async run() {
      await made.run();
      if (made.asker === undefined || made.counters().pending === 0) return;
      view.phase("draining");
      await made.asker.drain(deadlineSeconds * 1000 + DRAIN_GRACE_MILLIS);
    },
  };
}
