import { governBoard } from "../agent/board-governor.ts";
import type { LoopStep } from "../agent/loop-types.ts";
import { runAgent } from "../agent/run-agent.ts";
import type { SensorFrame } from "../agent/sensors/sensor.ts";
import { createRandom } from "../core/system/random.ts";
import { createSteadyClock } from "../mqtt/outbox/log-time.ts";
import { memoryOutbox } from "../mqtt/outbox/outbox.ts";
import { answersToNotice } from "../policy/govern/drift-monitor.ts";
import { createSimulatedClock } from "./clock.ts";
import { pacedFrames } from "./paced-frames.ts";
import type { GovernedDay, MinuteRow } from "./results.ts";
import type { DaySetting } from "./setting.ts";
import { createSimulatedNetwork } from "./simulated-network.ts";

const ROW_SECONDS = 60;

/** Simulates a day of loop, asker, outbox and governor. Equal settings give equal bytes. */
export async function governedDay(setting: DaySetting): Promise<GovernedDay> {
  const { definition, model, day, policy, seed, ambientCelsius } = setting;
  const { image } = model;
  const rateHz = image.frameRateMillihertz / 1000;
  const clock = createSimulatedClock();
  const random = createRandom(seed ^ 0x5eed);
  const governed = governBoard(definition, model, setting.board, {
    ...setting,
    network: { roundTripSeconds: () => network.rttMillis() / 1000, flush: () => network.flush() },
  });
  const { governor, device, battery, thermal, radio, drift, privacy } = governed;
  const { budget } = device;
  const network = createSimulatedNetwork({ clock, trace: setting.trace, radio, random, cloud: setting.cloud });

  const seconds = { decided: [] as number[], answeredInDeadline: 0 };
  const rows: MinuteRow[] = [];
  const driftMarks: { step: number; atSeconds: number; answers: number }[] = [];
  const byStep = [0, 1, 2].map(() => ({ answered: 0, wrong: 0 }));
  const byWearer = new Map<string, { sum: number; weight: number }>();
  const askedAt = new Map<string, number>();
  let minute = freshMinute();
  let auditsSeen = 0;
  let isAsked = false; // about the decision reported next
  let maxOutboxBytes = 0;
  const outbox = memoryOutbox({ maxEntries: 256, maxBytes: 1 << 20 }, createSteadyClock(clock));
  const { deadlineSeconds } = definition.asks;
  const onStep = (step: LoopStep): void => {
    if (step.kind === "ask") {
      askedAt.set(step.id, governor.decisionSeconds);
      isAsked = true;
    } else if (step.kind === "suspicion" && step.state === "asked") {
      minute.asks++; // between two decisions
    } else if (step.kind === "outcome") {
      const computed = askedAt.get(step.outcome.id);
      askedAt.delete(step.outcome.id);
      if (computed === undefined) return; // an audit changes no label
      const latency = step.outcome.latencyMillis / 1000;
      seconds.decided.push(computed + Math.min(latency, deadlineSeconds));
      if (step.outcome.state === "answered" && latency <= deadlineSeconds) seconds.answeredInDeadline++;
    } else if (step.kind === "decision") {
      const { record } = step;
      minute.decisions++;
      minute.exits[record.exit]!++;
      minute.label = record.shown ?? record.label;
      minute.truth = record.truth;
      if (isAsked) minute.asks++;
      else {
        if (record.why !== "exit") minute.notAsked++;
        minute.audits += governor.audits - auditsSeen;
        seconds.decided.push(governor.decisionSeconds);
      }
      auditsSeen = governor.audits;
      isAsked = false;
      if (record.why === "exit") {
        seconds.answeredInDeadline++;
        if (record.truth !== undefined && image.manifest.labels.includes(record.truth)) {
          const isWrong = record.label !== record.truth;
          const own = byWearer.get(day.wearerOf(record.tick)) ?? { sum: 0, weight: 0 };
          byWearer.set(day.wearerOf(record.tick), { sum: own.sum + (isWrong ? 1 : 0), weight: own.weight + 1 });
          byStep[drift.step]!.answered++;
          if (isWrong) byStep[drift.step]!.wrong++;
        }
      }
      maxOutboxBytes = Math.max(maxOutboxBytes, outbox.bytes);
    }
  };
  function freshMinute() {
    return {
      decisions: 0,
      asks: 0,
      notAsked: 0,
      audits: 0,
      exits: image.exits.map(() => 0),
      label: undefined as string | undefined,
      truth: undefined as string | undefined,
    };
  }

  let nextRow = ROW_SECONDS;
  let aliveSeconds = day.seconds;
  const stepsSeen = { drift: 0 };
  async function* paced(): AsyncGenerator<SensorFrame> {
    yield* pacedFrames(setting, clock, (at) => {
      if (battery.stateOfCharge <= 0) {
        aliveSeconds = Math.min(day.seconds, at);
        return false;
      }
      if (at >= nextRow) row(nextRow);
      return true;
    });
    await clock.advanceTo(aliveSeconds * 1000);
    row(aliveSeconds);
  }
  function row(at: number): void {
    const { stateOfCharge, skinCelsius, budgetFill, level, duty, driftStep } = governor.status();
    rows.push({
      atSeconds: at,
      ...minute,
      joules: device.joules(),
      stateOfCharge: stateOfCharge!,
      skinCelsius: skinCelsius!,
      ambientCelsius: ambientCelsius(at),
      budgetFill,
      level,
      duty,
      isUp: network.isUp(),
      isAllowanceSpent: governor.isAllowanceSpent,
    });
    if (driftStep > stepsSeen.drift) {
      stepsSeen.drift = driftStep;
      driftMarks.push({ step: driftStep, atSeconds: at, answers: drift.alarms[driftStep - 1]! });
    }
    minute = freshMinute();
    nextRow = at + ROW_SECONDS;
  }

  const run = runAgent({
    definition,
    model,
    clock,
    sensor: { name: day.source, rateHz, channels: image.channels, [Symbol.asyncIterator]: paced },
    governor,
    observers: { step: onStep },
    telemetrySeconds: setting.reportSeconds,
    drainMillis: 0, // simulated time stops after the last frame
    asker: {
      ...{ broker: { url: "mqtt://simulated" }, site: "day", node: "wearer", outbox },
      random: (count) => Uint8Array.from({ length: count }, () => random.integer(256)),
      connect: network.connect,
    },
  });
  const { loop } = run;
  await run.ended;
  // Deliver the last answers; the device's account ended with the day. A device with an empty battery receives none.
  if (aliveSeconds === day.seconds) await clock.advanceTo((day.seconds + deadlineSeconds) * 1000);
  const counters = loop.counters();
  const { truth } = counters;
  const joules = device.joules();
  const spent = joules.compute + joules.radio + joules.sensor + joules.sleep + joules.load;
  return {
    decisions: counters.decisions,
    scored: truth.decisions,
    accuracy: truth.shownRight / Math.max(1, truth.decisions),
    modelAccuracy: truth.localRight / Math.max(1, truth.decisions),
    counters,
    audits: governor.audits,
    lost: loop.lost(),
    joules,
    meanWatts: spent / aliveSeconds,
    aliveSeconds,
    decisionSeconds: seconds.decided,
    answeredInDeadline: seconds.answeredInDeadline,
    skinMaxCelsius: thermal.maxSkinCelsius,
    stateOfCharge: battery.stateOfCharge,
    budgetJoules: budget.grantedJoules,
    overspendJoules: budget.overspendJoules,
    degradeChanges: governor.levelChanges,
    restedShare: governor.restedFrames / Math.max(1, counters.frames),
    arenaBytes: model.arenaBytes,
    maxOutboxBytes,
    alarms: loop.asker?.stats().alarms.raised ?? 0,
    ...(truth.alarms && { alarmTally: truth.alarms.shown }),
    rawBytes: privacy.sentBytes,
    radio: { messagesUp: network.messagesUp, bytesUp: network.bytesUp, resends: network.resends },
    drift: {
      answers: drift.answers,
      meanDisagreement: drift.meanDisagreement,
      byLabel: drift.byLabel(),
      marks: driftMarks,
      byStep,
      noticedWithin: [2, 3, 5].map((growth) => ({
        growth,
        answers: answersToNotice(meanOf(policy.drift.usualDisagreement), growth, policy.drift.usualDisagreement.length),
      })),
    },
    answeredHere: [...byWearer].map(([wearer, own]) => ({ wearer, ...own })),
    rows,
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
}
