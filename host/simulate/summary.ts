import { type AlarmTally, criticalSuccessIndex } from "../agent/alarm-tally.ts";
import { createRandom } from "../core/system/random.ts";
import { violationRate } from "../policy/certify/violation.ts";
import type { Baselines } from "./baselines.ts";
import { courseDocument } from "./course.ts";
import { type BaselineDay, type GovernedDay, percentile } from "./results.ts";
import { createBoardEnergy, type DaySetting } from "./setting.ts";
import { verdictOn } from "./verdict.ts";

/** Joules rounded to their significant digits. */
function rounded(value: number, digits = 6): number {
  return Number(value.toPrecision(digits));
}

/** Hours that a battery lasts at a day's mean power, self-discharge included. */
export function batteryLifeHours(capacityJoules: number, watts: number, selfDischargeWatts: number): number {
  return capacityJoules / (watts + selfDischargeWatts) / 3600;
}

/** Battery life in hours at this power, from a state of charge (default full). */
type Life = (watts: number, stateOfCharge?: number) => number;

/** Joules by part as the document has them: a load only if the board declares one. */
function joulesDocument({ compute, radio, sensor, sleep, load }: GovernedDay["joules"]): {
  compute: number;
  radio: number;
  sensor: number;
  sleep: number;
  load?: number;
} {
  return {
    compute: rounded(compute),
    radio: rounded(radio),
    sensor: rounded(sensor),
    sleep: rounded(sleep),
    ...(load > 0 ? { load: rounded(load) } : {}),
  };
}

/** Adds the board's load to a baseline, as in the governed day. */
function baselineDocument(day: BaselineDay, setting: DaySetting, life: Life) {
  const { seconds } = setting.day;
  const { compute, radio, sensor, sleep } = day.joules;
  const load = createBoardEnergy(setting).loadWatts * seconds;
  const watts = (compute + radio + sensor + sleep + load) / seconds;
  return {
    decisions: day.decisions,
    accuracy: rounded(day.accuracy),
    energyJoules: joulesDocument({ compute, radio, sensor, sleep, load }),
    batteryLifeHours: rounded(life(watts), 5),
    batteryLifeFromStartHours: rounded(life(watts, setting.stateOfCharge), 5),
    decisionMillis: percentiles(day.decisionSeconds),
    goodputPerSecond: rounded(day.answeredInDeadline / seconds),
    ...(day.alarmTally && { alarms: day.alarmTally }),
  };
}

function percentiles(seconds: readonly number[]): { p50: number; p95: number; p99: number } {
  const millis = (share: number): number => rounded(1000 * percentile(seconds, share));
  return { p50: millis(0.5), p95: millis(0.95), p99: millis(0.99) };
}

/** The document of `simulate`: results, then the metrics of surveys, then details. */
export function dayDocument(setting: DaySetting, governed: GovernedDay, baselines: Baselines | undefined, life: Life) {
  const { day, board, radioKind } = setting;
  const { compute, radio } = governed.joules;
  const answers = governed.decisions;
  const spent = compute + radio;
  const base = baselines && {
    alwaysLocal: baselineDocument(baselines.alwaysLocal, setting, life),
    alwaysCloud: baselineDocument(baselines.alwaysCloud, setting, life),
    fullDepth: baselineDocument(baselines.fullDepth, setting, life),
    mute: baselineDocument(baselines.mute, setting, life),
  };
  const total = (joules: ReturnType<typeof joulesDocument>): number => Object.values(joules).reduce((a, b) => a + b, 0);
  const success = ({ accuracy, alarms }: { accuracy: number; alarms?: AlarmTally | undefined }): number =>
    alarms === undefined ? accuracy : criticalSuccessIndex(alarms);
  const scored = (one: ReturnType<typeof baselineDocument>) => ({ accuracy: success(one), joules: total(one.energyJoules) });
  const own = {
    accuracy: success({ accuracy: governed.accuracy, alarms: governed.alarmTally }),
    joules: governed.meanWatts * day.seconds,
  };
  const verdict = base && verdictOn(own, { fullDepth: scored(base.fullDepth), alwaysLocal: scored(base.alwaysLocal) });
  const latency = percentiles(governed.decisionSeconds);
  const less = (own: number, other: number): number => rounded(1 - own / other, 4);
  return {
    agent: setting.definition.name,
    board: board.id,
    radio: radioKind,
    hours: day.seconds / 3600,
    decisions: governed.decisions,
    accuracy: rounded(governed.accuracy),
    asked: governed.counters.asked,
    asksPerDay: rounded((governed.counters.asked * 86_400) / day.seconds, 4),
    ...(governed.alarmTally && { alarms: governed.alarmTally }),
    ...(governed.counters.suspicions && { suspicions: governed.counters.suspicions }),
    energyJoules: joulesDocument(governed.joules),
    batteryLifeHours: rounded(life(governed.meanWatts), 5),
    batteryLifeFromStartHours: rounded(life(governed.meanWatts, setting.stateOfCharge), 5),
    course: courseDocument(setting, governed, life),
    skinMaxCelsius: rounded(governed.skinMaxCelsius, 5),
    budgetJoules: rounded(governed.budgetJoules),
    overspendJoules: rounded(governed.overspendJoules),
    degradeChanges: governed.degradeChanges,
    ...(base === undefined ? {} : { baselines: base }),
    ...(verdict === undefined
      ? {}
      : {
          verdict: {
            ...verdict,
            accuracyAgainstBest: rounded(verdict.accuracyAgainstBest, 4),
            energyAgainstBest: rounded(verdict.energyAgainstBest, 4),
          },
        }),
    ...(base === undefined || baselines === undefined
      ? {}
      : {
          savings: {
            computeAndRadioAgainstAlwaysCloud: less(spent, baselines.alwaysCloud.joules.radio),
            p99AgainstAlwaysCloud: less(latency.p99, base.alwaysCloud.decisionMillis.p99),
            p50AgainstAlwaysCloud: less(latency.p50, base.alwaysCloud.decisionMillis.p50),
            computeAgainstFullDepth: less(compute, baselines.fullDepth.joules.compute),
            accuracyAgainstFullDepth: rounded(governed.accuracy - baselines.fullDepth.accuracy, 4),
          },
        }),
    metrics: {
      decisionMillis: latency,
      decisionsPerJoule: rounded(answers / spent),
      accuracy: rounded(governed.accuracy),
      accuracyChange: base === undefined ? null : rounded(governed.accuracy - base.fullDepth.accuracy, 4),
      modelAccuracy: rounded(governed.modelAccuracy),
      peakMemoryBytes: governed.arenaBytes + governed.maxOutboxBytes,
      decisionsPerSecond: rounded(governed.decisions / day.seconds),
      goodputPerSecond: rounded(governed.answeredInDeadline / day.seconds),
      accuracyPerWatt: rounded(governed.accuracy / governed.meanWatts),
      meanMilliwatts: rounded(1000 * governed.meanWatts),
    },
    asks: {
      ...{ answered: governed.counters.answered, expired: governed.counters.expired, refused: governed.counters.refused },
      ...{ evicted: governed.counters.evicted, pending: governed.counters.pending, lost: governed.lost, audits: governed.audits },
      ...{
        applied: governed.counters.applied,
        messagesUp: governed.radio.messagesUp,
        bytesUp: governed.radio.bytesUp,
        resends: governed.radio.resends,
      },
    },
    sensorBytesSent: governed.rawBytes,
    exits: governed.counters.exits,
    scored: governed.scored,
    restedShare: rounded(governed.restedShare),
    stateOfChargeAtEnd: rounded(governed.stateOfCharge),
    drift: {
      answers: governed.drift.answers,
      meanDisagreement: rounded(governed.drift.meanDisagreement),
      byLabel: governed.drift.byLabel.map(({ answers: count, meanDisagreement }) => ({
        answers: count,
        meanDisagreement: rounded(meanDisagreement, 3),
      })),
      usualDisagreement: setting.policy.drift.usualDisagreement.map((disagreement) => rounded(disagreement, 3)),
      noticedWithin: governed.drift.noticedWithin.map(({ growth, answers }) => ({
        growth,
        answers: Number.isFinite(answers) ? answers : null,
      })),
      alarms: governed.drift.marks,
      answeredHere: governed.drift.byStep.map(({ answered, wrong }) => ({
        answered,
        wrong,
        wrongShare: answered === 0 ? null : rounded(wrong / answered, 4),
      })),
    },
    guarantee: guaranteeDocument(setting, governed),
    day: {
      ...{ source: day.source, wearers: day.wearers, seed: setting.seed, targetHours: setting.targetSeconds / 3600 },
      ...{ stateOfChargeAtStart: setting.stateOfCharge, privacyBytesPerDay: setting.privacyBytesPerDay },
    },
    engine: setting.model.engine,
    imageHash: setting.model.imageHash,
  };
}

/** The certificate against the day's local answers, and against resampled sets of its wearers. */
function guaranteeDocument({ model, seed }: DaySetting, { answeredHere }: GovernedDay) {
  const { alpha, delta } = model.manifest.guarantee ?? { alpha: null, delta: null };
  const answered = answeredHere.reduce((sum, { weight }) => sum + weight, 0);
  const wrong = answeredHere.reduce((total, { sum }) => total + sum, 0);
  const rate = alpha === null || answered === 0 ? null : rounded(violationRate(answeredHere, alpha, { random: createRandom(seed) }), 4);
  const byWearer = answeredHere.map(({ wearer, sum, weight }) => ({ wearer, answered: weight, wrong: sum }));
  return {
    alpha,
    delta,
    answered,
    wrong,
    wrongShare: answered === 0 ? null : rounded(wrong / answered, 4),
    resampledViolationRate: rate,
    byWearer,
  };
}

export type DayDocument = ReturnType<typeof dayDocument>;
