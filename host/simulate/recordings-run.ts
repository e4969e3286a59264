import type { AgentDefinition } from "../agent/define-agent.ts";
import type { LoopCounters } from "../agent/loop-types.ts";
import { runAgent } from "../agent/run-agent.ts";
import type { SensorFrame } from "../agent/sensors/sensor.ts";
import type { Model } from "../core/session/model.ts";
import { createRandom } from "../core/system/random.ts";
import type { SensedRecording } from "../data/recording.ts";
import { classAt } from "../eval/evaluate-policy.ts";
import { frameAt } from "../eval/protocols.ts";
import type { PersonalizedSession } from "../personalize/personalized-session.ts";
import { createSimulatedClock } from "./clock.ts";
import type { SimulatedCloud } from "./cloud.ts";
import { createSimulatedNetwork } from "./simulated-network.ts";

/** Simulated network of a home's Wi-Fi, always up. */
const ROUND_TRIP_MILLIS = 50;
/** Ticks between two recordings: longer than any gap limit, so that the model's state is reset. */
const RECORDING_GAP_TICKS = 1000;
const SEED = 1;

/** A free radio that is always up: an evaluation measures the effect of answers, not their cost. */
const IDEAL_RADIO = { carry: (atSeconds: number) => atSeconds };

export interface RecordingsRun {
  readonly definition: AgentDefinition;
  readonly model: Model;
  readonly recordings: readonly SensedRecording[]; // of one user, in order
  readonly cloud: SimulatedCloud;
  /** Runs instead of a session of the model. */
  readonly personalized?: PersonalizedSession;
  /** Called after each recording. */
  readonly onRecording?: () => void;
}

/** Results of an agent over recordings. */
export interface RecordingsResult {
  readonly counters: LoopCounters;
  /** Decisions scored against the recordings, in its first recordings (half of them, rounded up) and in the rest. */
  readonly halves: readonly [LoopCounters["truth"], LoopCounters["truth"]];
  readonly sensorBytes: number; // that its asks carried
  readonly asksSent: { readonly sent: number; readonly bytes: number }; // whole payloads
  /** Answers to unsure decisions whose truth the labels name, and how many of them the cloud and the device have right. */
  readonly answers: { readonly scored: number; readonly cloudRight: number; readonly deviceRight: number };
  readonly asksByForm: Readonly<Record<string, number>>;
  readonly alarms: number;
}

/** Runs an agent by `runAgent` over one user's recordings in simulated time, with everything that its definition declares. */
export async function runRecordings(options: RecordingsRun): Promise<RecordingsResult> {
  const { definition, model, recordings, personalized } = options;
  const { image } = model;
  const { rateHz } = definition.sensor;
  const clock = createSimulatedClock();
  const random = createRandom(SEED);
  const asksByForm: Record<string, number> = {};
  let sensorBytes = 0;
  const cloud: SimulatedCloud = {
    ...options.cloud,
    answer(query) {
      const { form = "features", patches } = query;
      asksByForm[form] = (asksByForm[form] ?? 0) + 1;
      sensorBytes += patches.length;
      return options.cloud.answer(query);
    },
  };
  const trace = [{ fromSeconds: 0, isUp: true, rttMillis: ROUND_TRIP_MILLIS, loss: 0 }];
  const network = createSimulatedNetwork({ clock, trace, radio: IDEAL_RADIO, random, cloud, isNewsHeld: false });
  const firstHalf = Math.ceil(recordings.length / 2);
  const hopFrames = image.hopPatches * image.patchFrames;
  const between = image.manifest.labels.indexOf("transition");
  let first: LoopCounters["truth"] | undefined;
  let truth: string | undefined; // of the frame that is in the loop
  const askedTruth = new Map<string, string | undefined>(); // by ask
  const answers = { scored: 0, cloudRight: 0, deviceRight: 0 };

  async function* frames(): AsyncGenerator<SensorFrame> {
    let tick = 0;
    let seen = 0;
    for (const [r, recording] of recordings.entries()) {
      if (r === firstHalf) first = run.loop.counters().truth;
      for (let i = 0; i < recording.labels.length; i++) {
        tick++;
        if (++seen % hopFrames === 0) await clock.advanceTo((seen / rateHz) * 1000);
        if (recording.lost?.[i]) continue;
        truth = image.manifest.labels[classAt(recording, i, between)];
        yield { tick, frame: frameAt(recording, i), truth };
      }
      tick += RECORDING_GAP_TICKS;
      options.onRecording?.();
    }
    await clock.advanceTo((seen / rateHz + definition.asks.deadlineSeconds) * 1000); // the last answers
  }

  const run = runAgent({
    definition,
    model,
    clock,
    sensor: { name: "recordings", rateHz, channels: image.channels, [Symbol.asyncIterator]: frames },
    drainMillis: 0, // simulated time stops after the last frame
    ...(personalized === undefined ? {} : { personalized }),
    observers: {
      step(step) {
        if (step.kind === "ask") askedTruth.set(step.id, truth);
        if (step.kind !== "outcome" || step.answer === undefined) return;
        const right = askedTruth.get(step.outcome.id);
        if (right === undefined) return;
        answers.scored++;
        if (step.answer === right) answers.cloudRight++;
        if (step.local === right) answers.deviceRight++;
      },
    },
    asker: {
      broker: { url: "mqtt://simulated" },
      site: "eval",
      node: "wearer",
      random: (count) => Uint8Array.from({ length: count }, () => random.integer(256)),
      connect: network.connect,
    },
  });
  await run.ended;
  const counters = run.loop.counters();
  const before = first ?? counters.truth;
  const alarms = run.loop.asker?.stats().alarms.raised ?? 0;
  return { counters, halves: [before, less(counters.truth, before)], sensorBytes, asksSent: network.asks, answers, asksByForm, alarms };
}

function less(a: LoopCounters["truth"], b: LoopCounters["truth"]): LoopCounters["truth"] {
  return {
    decisions: a.decisions - b.decisions,
    localRight: a.localRight - b.localRight,
    deviceRight: a.deviceRight - b.deviceRight,
    shownRight: a.shownRight - b.shownRight,
  };
}
