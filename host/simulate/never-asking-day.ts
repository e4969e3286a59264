import { runAgent } from "../agent/run-agent.ts";
import { createRandom } from "../core/system/random.ts";
import type { LoopGovernor } from "../policy/govern/governor-types.ts";
import { createPrivacyBudget } from "../policy/govern/privacy-budget.ts";
import { createOpsMeter } from "../power/ops-meter.ts";
import { createRadio, type Radio } from "../power/radio.ts";
import { createSimulatedClock } from "./clock.ts";
import { countFrames, pacedFrames } from "./paced-frames.ts";
import type { BaselineDay } from "./results.ts";
import { createBoardEnergy, type DaySetting, floorJoules } from "./setting.ts";
import { createSimulatedNetwork } from "./simulated-network.ts";

/**
 * The day of a device that never asks, audits or degrades: the agent's loop with these thresholds. It tells what the governed day tells,
 * by the same network, reports as often, and its shown label is scored in the same way.
 */
export async function neverAskingDay(setting: DaySetting, thresholds: readonly number[], isAlwaysAnswered: boolean): Promise<BaselineDay> {
  const { definition, model, day, seed, trace } = setting;
  const { image } = model;
  const rateHz = image.frameRateMillihertz / 1000;
  const clock = createSimulatedClock();
  const random = createRandom(seed ^ 0x5eed);
  const radio = createRadio(setting.radio);
  const network = createSimulatedNetwork({ clock, trace, radio, random, cloud: undefined });
  const account = createAccount(setting, radio, thresholds, () => network.flush());
  const run = runAgent({
    definition,
    model,
    clock,
    sensor: { name: day.source, rateHz, channels: image.channels, [Symbol.asyncIterator]: () => pacedFrames(setting, clock, () => true) },
    governor: account.governor,
    telemetrySeconds: setting.reportSeconds,
    drainMillis: 0, // simulated time stops after the last frame
    asker: {
      ...{ broker: { url: "mqtt://simulated" }, site: "day", node: "wearer" },
      random: (count) => Uint8Array.from({ length: count }, () => random.integer(256)),
      connect: network.connect,
    },
  });
  await run.ended;
  await clock.advanceTo(day.seconds * 1000);
  radio.advance(day.seconds);
  const { decisions, exits, truth } = run.loop.counters();
  return {
    decisions,
    accuracy: truth.shownRight / Math.max(1, truth.decisions),
    joules: { compute: account.computeJoules, radio: radio.joules, ...floorJoules(setting) },
    decisionSeconds: account.decisionSeconds,
    ...(truth.alarms && { alarmTally: truth.alarms.shown }),
    answeredInDeadline: isAlwaysAnswered ? exits.reduce((a, b) => a + b, 0) : account.sure,
  };
}

/** Prices decisions, sends reports when they are due and allows no ask: a governor that governs nothing. */
function createAccount(setting: DaySetting, radio: Radio, thresholds: readonly number[], flush: () => void) {
  const { model, definition, reportSeconds } = setting;
  const energy = createBoardEnergy(setting);
  const meter = createOpsMeter(model.image);
  const count = countFrames(definition.sensor.rateHz);
  const decisionSeconds: number[] = [];
  const hopFrames = model.image.hopPatches * model.image.patchFrames;
  let lastHop = 0;
  let now = 0;
  let nextReport = reportSeconds;
  let computeJoules = 0;
  let sure = 0;
  const governor: LoopGovernor = {
    privacy: createPrivacyBudget(),
    get seconds() {
      return now;
    },
    admits(tick) {
      const { frames, seconds } = count(tick);
      if (frames - lastHop < hopFrames) return true;
      lastHop = frames - (frames % hopFrames);
      now = seconds;
      if (now < nextReport) return true;
      nextReport = reportSeconds * (Math.floor(now / reportSeconds) + 1);
      radio.advance(now);
      radio.plan(nextReport);
      flush();
      return true;
    },
    onReset: () => meter.reset(),
    onDecision(decision) {
      const ops = meter.read(decision);
      computeJoules += energy.computeJoules(ops);
      decisionSeconds.push(energy.computeSeconds(ops));
      if (decision.why === "exit") sure++;
    },
    isAudit: () => false,
    askPatches: () => 0,
    onAsk() {},
    onOutcome() {},
    setPoint: () => ({ askAllowed: false, thresholds: [...thresholds] }),
    reason: undefined,
  };
  return {
    governor,
    decisionSeconds,
    get computeJoules() {
      return computeJoules;
    },
    get sure() {
      return sure;
    },
  };
}
