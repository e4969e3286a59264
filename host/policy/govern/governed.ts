import type { SetPoint } from "../../core/session/session-types.ts";
import { discretionaryWatts } from "../../power/budget.ts";
import { createBudgetGovernor } from "../../power/budget-level.ts";
import { type DegradeLevel, degraded, degradeLevels, firstAnsweringExit, SENSE_ONLY } from "../../power/degrade.ts";
import { createOpsMeter } from "../../power/ops-meter.ts";
import { createThermalGovernor, HEAT_HORIZON_SECONDS } from "../../power/thermal-governor.ts";
import { createAskSizes } from "./ask-sizes.ts";
import { type AskOffer, type Choice, choosePlan } from "./expected-cost.ts";
import type { AgentGovernor, AgentGovernorOptions } from "./governor-types.ts";

/** CBOR around an ask's patches, and an answer: measured on the activity agent's. */
const ASK_HEAD_BYTES = 400;
const ANSWER_BYTES = 160;
/** A report without news: telemetry. */
const REPORT_BYTES = 600;
/** Share of the privacy budget that asks leave to audits: whether the guarantee holds is the last thing to go blind on. */
export const AUDIT_SHARE = 0.25;
/** Between two reports an audit is due so often. It then goes if the radio is up, or costs little. */
const AUDIT_SECONDS = 600;
/** What an audit between reports may cost: this share of what sensor, sleep and load take in that time. */
const CHEAP_AUDIT_SHARE = 0.01;
/** A longer gap in the ticks is no time that the device saw. */
const LONGEST_GAP_SECONDS = 1;
/** The budget's rate follows the battery so often. */
const REPLAN_SECONDS = 900;

/**
 * The governor of one agent: joules, heat, link and what an answer is worth make the set-point of the next decision. It prices every
 * decision by its operations, degrades by the fuller of the two needs (budget, heat), and lets the core ask only where the expected
 * cost says so. All of its time is the sensor's.
 */
export function createAgentGovernor(options: AgentGovernorOptions): AgentGovernor {
  const { image, device, rateHz, table, prices, drift, privacy, asks, reportSeconds } = options;
  const { energy, budget, battery, thermal, radio, ambientCelsius } = device;
  const meter = createOpsMeter(image);
  const hopFrames = image.hopPatches * image.patchFrames;
  const hopSeconds = hopFrames / rateHz;
  const windowFrames = image.windowPatches * image.patchFrames;
  const sizes = createAskSizes(image, asks, privacy);
  const last = image.exits.length - 1;
  const first = Math.max(firstAnsweringExit(image), options.leastExit ?? 0);
  const levelJoules = degradeLevels.map((_, level) => {
    const { maxExit, hopPatches } = degraded(image, level as DegradeLevel, 1);
    return (energy.computeJoules(meter.steady(maxExit, hopPatches)) * image.hopPatches) / hopPatches;
  });
  const joulesPerMac = levelJoules[0]! / meter.steady(last, image.hopPatches).macs;
  const mayAskingHelp = table.asked.decisions === 0 || table.asked.leastGain > 0;
  const budgetGovernor = createBudgetGovernor(budget);
  const heat = thermal && createThermalGovernor(thermal);
  let frames = 0; // of device time, lost ones included
  let lastTick: number | undefined;
  let lastHop = 0;
  let decisionSeconds = 0;
  let level: DegradeLevel = 0;
  let duty = 1;
  let cause: "none" | "budget" | "thermal" = "none";
  let levelChanges = 0;
  let restedFrames = 0;
  let restFrames = 0; // of a duty below 1: to come
  let workedFrames = 0; // since the last rest
  let isUnsure = false;
  let isAuditDue = false;
  let awaitedUntil = 0; // an answer may come until then
  let audits = 0;
  let choice: Choice | undefined;
  let nextReport = reportSeconds;
  let nextAudit = AUDIT_SECONDS;
  let nextPlan = 0;
  let plannedAt = 0;
  let idleJoules = 0; // of the radio, at the last plan
  let radioJoules = 0; // of the radio, at the last hop
  let radioWatts = 0; // its mean over the horizon of heat
  let budgetWatts = 0;
  const now = (): number => frames / rateHz;
  const floorWatts = energy.sleepWatts + energy.sensorWatts + energy.loadWatts;

  function replan(): void {
    const idle = ((radio?.idleJoules ?? 0) - idleJoules) / (now() - plannedAt);
    idleJoules = radio?.idleJoules ?? 0;
    plannedAt = now();
    nextPlan = now() + REPLAN_SECONDS;
    if (battery === undefined || options.targetSeconds === undefined) return;
    const left = Math.max(3600, options.targetSeconds - now());
    budgetWatts = discretionaryWatts(battery.usableJoules(ambientCelsius(now())), left, floorWatts + idle);
    budget.setRate(budgetWatts);
  }

  /** An exchange lasts a second or so and heats as its mean does: exponential, by the time that has passed. */
  function meanRadioWatts(seconds: number): number {
    const joules = (radio?.joules ?? 0) - radioJoules;
    radioJoules += joules;
    const kept = Math.exp(-seconds / HEAT_HORIZON_SECONDS);
    return radioWatts * kept + (joules / seconds) * (1 - kept);
  }

  /** Once a hop: time passes, what is due is sent, and both needs say how much is to be given up. */
  function govern(): void {
    const seconds = now() - device.atSeconds;
    device.advance(now());
    radioWatts = meanRadioWatts(seconds);
    if (now() >= nextPlan) replan();
    if (now() >= nextReport)
      report(); // before the bucket is judged: it may be its last operation
    else if (now() >= nextAudit && isAuditCheap()) dueAudit();
    const byBudget = budgetGovernor.judge();
    const byHeat = heat?.judge(seconds, ambientCelsius(now()), (at) => levelJoules[at]! / hopSeconds, floorWatts + radioWatts);
    const next = Math.max(byBudget, byHeat?.level ?? 0) as DegradeLevel;
    if (next !== level) levelChanges++;
    level = next;
    duty = byHeat?.duty ?? 1;
    cause = level === 0 && duty === 1 ? "none" : byBudget >= (byHeat?.level ?? 0) && duty === 1 ? "budget" : "thermal";
  }

  function report(): void {
    nextReport = reportSeconds * (Math.floor(now() / reportSeconds) + 1);
    planRadio();
    if (!budget.isOpen || radio === undefined) return;
    device.reserve(radio.priceJoules(now(), { bytesUp: REPORT_BYTES, bytesDown: 0, waitSeconds: 0 }));
    if (options.carries) radio.carry(now(), REPORT_BYTES, 0);
    options.onReport?.();
    dueAudit(); // the radio is up
  }

  /** The next use is known if no label is asked for and no answer is awaited. */
  function planRadio(): void {
    radio?.plan(mayAskingHelp || now() < awaitedUntil ? undefined : nextReport);
  }

  function dueAudit(): void {
    isAuditDue = true;
    nextAudit = now() + AUDIT_SECONDS;
  }

  function isAuditCheap(): boolean {
    if (radio === undefined) return false;
    const joules = radio.priceJoules(now(), exchange(sizes.bytes(now()), options.roundTripSeconds()));
    return radio.isUp(now()) || joules <= CHEAP_AUDIT_SHARE * floorWatts * AUDIT_SECONDS;
  }

  function exchange(bytes: number, latencySeconds: number) {
    return { bytesUp: bytes + ASK_HEAD_BYTES, bytesDown: ANSWER_BYTES, waitSeconds: latencySeconds };
  }

  /** What asks may still send this day; the rest is for audits. */
  const allowedBytes = (): number => privacy.leftBytes - AUDIT_SHARE * privacy.bytesPerDay;

  function offer(isPossible: boolean, priceFactor: number): AskOffer {
    const bytes = sizes.bytes(now());
    const spareBytes = Math.min(privacy.pacedBytes(now()), allowedBytes());
    const roundTrip = options.roundTripSeconds();
    const latencySeconds = roundTrip + (radio?.readySeconds(now()) ?? 0);
    const need = exchange(bytes, roundTrip);
    const laterSeconds = Math.max(0, nextReport - now());
    return {
      isPossible: isPossible && bytes > 0 && bytes <= spareBytes,
      nowJoules: radio?.priceJoules(now(), need) ?? 0,
      laterJoules:
        radio === undefined ? 0 : Math.max(0, radio.priceJoules(nextReport, need) - radio.priceJoules(nextReport, exchange(0, 0))),
      laterSeconds,
      latencySeconds,
      deadlineSeconds: asks.deadlineSeconds,
      bytes,
      priceFactor,
    };
  }

  return {
    privacy,
    get seconds() {
      return now();
    },
    admits(tick) {
      const gap = lastTick === undefined ? 1 : (tick - lastTick) >>> 0;
      lastTick = tick;
      frames += gap <= LONGEST_GAP_SECONDS * rateHz ? gap : 1;
      if (frames - lastHop >= hopFrames) {
        lastHop = frames - (frames % hopFrames);
        govern();
      }
      if (level === SENSE_ONLY || restFrames > 0) {
        restFrames = Math.max(0, restFrames - 1);
        restedFrames++;
        return false;
      }
      if (duty < 1 && ++workedFrames >= windowFrames) {
        restFrames = Math.round((workedFrames * (1 - duty)) / duty);
        workedFrames = 0;
      }
      return true;
    },
    onReset() {
      meter.reset();
    },
    onDecision(decision) {
      const ops = meter.read(decision);
      decisionSeconds = energy.computeSeconds(ops);
      device.compute(ops);
      isUnsure = decision.why !== "exit";
    },
    isAudit() {
      if (!isAuditDue || !budget.isOpen || sizes.bytes(now()) === 0) return false;
      isAuditDue = false;
      audits++;
      return true;
    },
    askPatches: () => (budget.isOpen ? sizes.patches(now()) : 0),
    onAsk(sensorBytes) {
      awaitedUntil = now() + asks.deadlineSeconds;
      planRadio();
      if (radio === undefined) return;
      const need = exchange(sensorBytes, options.roundTripSeconds());
      device.reserve(radio.priceJoules(now(), need));
      if (options.carries) radio.carry(now(), need.bytesUp, need.bytesDown);
    },
    onOutcome({ isAudit, label, disagreement }) {
      awaitedUntil = 0;
      planRadio();
      if (isAudit && disagreement !== undefined) drift.onAnswer(label, disagreement);
    },
    setPoint({ canAsk, link }): Partial<SetPoint> {
      const limits = degraded(image, level, asks.intervalHops);
      choice = choosePlan({
        table,
        prices,
        isUnsure,
        exits: { first: Math.min(first, limits.maxExit), last: limits.maxExit },
        joulesPerMac,
        ask: offer(canAsk && link === "online" && budget.isOpen, limits.askPriceFactor),
        settledDecisions: Math.max(1, asks.holdSeconds / hopSeconds),
      });
      return {
        maxExit: choice.maxExit,
        hopPatches: limits.hopPatches,
        askIntervalHops: limits.askIntervalHops,
        askAllowed: canAsk && choice.ask === "now",
        limitReason: cause,
        thresholds: image.exits.map(() => drift.thresholdQ15),
      };
    },
    get reason() {
      const parts: string[] = [];
      if (level > 0) parts.push(`${degradeLevels[level]} (${cause === "thermal" ? "heat" : "budget"})`);
      if (duty < 1) parts.push(`working ${Math.round(duty * 100)} % of the time (heat)`);
      if (drift.step > 0) parts.push(`thresholds tightened: the cloud doubts the device more than it did`);
      if (isUnsure && choice?.ask === "never")
        parts.push(mayAskingHelp ? "an ask costs more than it is worth" : "asking was not measured to help");
      if (isUnsure && choice?.ask === "later") parts.push("the ask waits for the next report");
      return parts.length === 0 ? undefined : parts.join(", ");
    },
    status: () => ({
      stateOfCharge: battery?.stateOfCharge,
      batteryVolts: battery?.volts,
      skinCelsius: thermal?.skinCelsius,
      limitCelsius: thermal?.limitCelsius,
      forecastCelsius: thermal?.forecast(device.watts, ambientCelsius(now()), HEAT_HORIZON_SECONDS),
      budgetFill: budget.fill,
      budgetJoules: budget.balanceJoules,
      budgetWatts,
      watts: device.watts,
      joules: device.joules(),
      level,
      duty,
      driftStep: drift.step,
    }),
    get decisionSeconds() {
      return decisionSeconds;
    },
    get levelChanges() {
      return levelChanges;
    },
    get restedFrames() {
      return restedFrames;
    },
    get audits() {
      return audits;
    },
    get isAllowanceSpent() {
      return allowedBytes() < sizes.contextBytes;
    },
  };
}
