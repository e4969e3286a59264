import { createSuspicionRule } from "../../agent/suspicion-rule.ts";
import { createConfirmer } from "../../cloud/confirm/confirmer.ts";
import { openConfirmation, openTeacher } from "../../cloud/open-teacher.ts";
import { ConfigError } from "../../core/system/errors.ts";
import { createRandom } from "../../core/system/random.ts";
import { countText, percentText, table } from "../../core/system/table.ts";
import { loadHapt } from "../../data/hapt.ts";
import { haptAtBelt } from "../../data/hapt-belt.ts";
import { impactFrame } from "../../data/sisfall-impact.ts";
import { alarmsAlone, alarmsOfJudge, type ConfirmOptions, confirmedAlarms, type TrialOutcome } from "../../eval/confirm-alarms.ts";
import { type AlarmFigures, alarmFigures, compareAlarms } from "../../eval/confirm-report.ts";
import { type EvalSetting, recordingsFor, wearerRoles } from "../../eval/eval-setting.ts";
import { spread } from "../../eval/seed-summary.ts";
import { type Judge, type Trial, type WatchedTrial, watchTrials } from "../../eval/watch-trials.ts";

export interface ConfirmEvalOptions {
  readonly lost: number; // share of the asks that no answer comes to
  readonly after: number | undefined; // seconds; undefined: the agent's own
  readonly daily: "hapt" | undefined; // score this daily life instead
  readonly data: string; // absolute
}

/** An answer's way, on a link that is up: a device that must wake its modem first is `simulate`'s. */
const ANSWER_SECONDS = 0.2;
/** Draws of which asks are lost. */
const LOST_SEEDS = 20;
const CURVE = [0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97, 0.99];

/**
 * Alarms of the device alone, of the cloud alone (asked about every hop with movement), of the device with a linear confirmation, and of
 * device and cloud together, over whole recordings. The cascade is the state machine that ships, answered by the provider that a worker runs.
 */
export async function evalConfirmed(setting: EvalSetting, options: ConfirmEvalOptions): Promise<void> {
  const { out, agent, model, list } = setting;
  const { definition, confirmationPath } = agent;
  const { manifest, exits, hopPatches } = model.image;
  const suspicion = definition.suspicion && { ...definition.suspicion, afterSeconds: options.after ?? definition.suspicion.afterSeconds };
  const rule = createSuspicionRule({ ...definition, suspicion }, { labels: manifest.labels, nExits: exits.length });
  if (rule === undefined || confirmationPath === undefined)
    throw new ConfigError(
      "EVAL_OPTIONS",
      `agent ${definition.name} tells alarms without asking: --cascade needs suspicion and confirmation in its agent.ts. Leave --cascade out.`,
    );
  const confirmation = openConfirmation(agent, confirmationPath);
  const users =
    options.daily === undefined ? wearerRoles(manifest.protocol, list).score : unseenHapt(options.data, confirmation.protocol.daily ?? []);
  const trials = options.daily === undefined ? eventTrials(setting, users) : haptTrials(options.data, users);
  out.note(`Streaming ${countText(trials.length, "recording")}, and putting each hop with movement to the cloud …`);
  const progress = out.progress("recordings");
  const watched = await watchTrials(model, trials, {
    ...{ agent: definition.name, rule, scale: confirmation.scale },
    setPoint: {
      ...{ maxExit: exits.length - 1, hopPatches, askAllowed: false, limitReason: "none", askIntervalHops: 1 },
      thresholds: exits.map(() => 0), // the core never goes below the image's own
    },
    judges: { cloud: await openTeacher(agent, model.engine), linear: createConfirmer(confirmation, "linear") },
    onTrial: progress.at,
  });
  progress.end();
  const { rateHz } = definition.sensor;
  const figures = (outcomes: readonly TrialOutcome[]): AlarmFigures => alarmFigures(outcomes, rateHz);
  const run = (more: Partial<ConfirmOptions> = {}, over: typeof confirmedAlarms = confirmedAlarms): TrialOutcome[] => {
    const answerFrames = Math.round(ANSWER_SECONDS * rateHz);
    const { stableDecisions } = definition.events;
    const base = { rule, stableDecisions, judge: "cloud", confirmFrom: 0.5, answerFrames, isLost: () => false } as const;
    return watched.map((trial) => over(trial, { ...base, ...more }));
  };
  const alone = watched.map((trial) => alarmsAlone(trial, { rule, stableDecisions: definition.events.stableDecisions }));
  const linear = run({ judge: "linear", answerFrames: 0 });
  const draws = Array.from({ length: options.lost === 0 || options.lost === 1 ? 1 : LOST_SEEDS }, (_, seed) => {
    const random = createRandom(seed + 1);
    return run({ isLost: () => random.uniform() < options.lost });
  });
  const cascade = draws[0]!;
  const device = figures(alone);
  const curveOf = (judge: Judge): object[] =>
    CURVE.map((confirmFrom) => {
      const { sensitivity, specificity, falseAlarmsPerHour } = figures(run({ judge, confirmFrom }));
      return { confirmFrom, sensitivity, specificity, falseAlarmsPerHour };
    });
  const document = {
    ...{ agent: definition.name, protocol: "confirmed", engine: model.engine, imageHash: model.imageHash, users, lost: options.lost },
    ...{
      suspicion,
      answerSeconds: ANSWER_SECONDS,
      hours: hoursOf(watched, rateHz),
      falls: watched.filter(({ impact }) => impact !== undefined).length,
    },
    device,
    cloud: figures(run({}, alarmsOfJudge)),
    linear: { ...figures(linear), curve: curveOf("linear") },
    cascade: {
      ...figures(cascade),
      curve: curveOf("cloud"),
      mcnemar: {
        device: { falls: compareAlarms(cascade, alone, true), daily: compareAlarms(cascade, alone, false) },
        linear: { falls: compareAlarms(cascade, linear, true), daily: compareAlarms(cascade, linear, false) },
      },
      isAsDeviceAlone: figures(cascade).alarmsHash === device.alarmsHash,
    },
    draws: draws.length === 1 ? undefined : drawsOf(draws.map(figures), device),
  };
  say(setting, document);
  out.document(document);
}

function eventTrials(setting: EvalSetting, users: readonly (string | number)[]): Trial[] {
  const label = setting.model.manifest.labels.indexOf(setting.agent.definition.alarm!) + 1;
  return recordingsFor(setting, users).map((recording) => ({
    recording,
    impact: recording.labels.includes(label) ? impactFrame(recording.frames) : undefined,
  }));
}

/** HAPT's wearers that the confirmation has not learned from; its protocol names them as "HAPT 7". */
function unseenHapt(data: string, learned: readonly string[]): string[] {
  const subjects = new Set(loadHapt(data).recordings.map(({ subject }) => subject));
  return [...subjects].filter((subject) => !learned.includes(`HAPT ${subject}`)).sort((a, b) => Number(a) - Number(b));
}

function haptTrials(data: string, users: readonly (string | number)[]): Trial[] {
  return loadHapt(data)
    .recordings.filter(({ subject }) => users.includes(subject))
    .map((one) => ({ recording: haptAtBelt(one), impact: undefined }));
}

function hoursOf(trials: readonly WatchedTrial[], rateHz: number): number {
  return trials.reduce((sum, { frames, impact }) => sum + (impact === undefined ? frames : 0), 0) / rateHz / 3600;
}

/** Over all draws of which asks are lost. */
function drawsOf(draws: readonly AlarmFigures[], device: AlarmFigures): object {
  const sensitivities = draws.map(({ sensitivity }) => sensitivity ?? 1);
  const falseAlarms = draws.map((one) => one.falseAlarms);
  return {
    draws: draws.length,
    sensitivity: { least: Math.min(...sensitivities), mean: spread(sensitivities).mean },
    falseAlarms: { most: Math.max(...falseAlarms), mean: spread(falseAlarms).mean },
    isNeverBelowDevice: device.sensitivity === null || sensitivities.every((sensitivity) => sensitivity >= device.sensitivity!),
  };
}

type ConfirmDocument = Readonly<Record<"device" | "cloud" | "linear" | "cascade", AlarmFigures>> & {
  readonly hours: number;
  readonly falls: number;
  readonly users: readonly (string | number)[];
};

function say({ out, agent, model }: EvalSetting, document: ConfirmDocument): void {
  out.say(
    `${agent.definition.name}, ${model.engine} core: ${document.falls} falls, ${document.hours.toFixed(2)} h of daily recordings, ${countText(document.users.length, "wearer")}`,
  );
  const share = (value: number | null, digits = 2): string => (value === null ? "–" : percentText(value, digits));
  const names = {
    device: "device alone",
    cloud: "cloud alone, every hop with movement",
    linear: "device, linear confirmation",
    cascade: "device and cloud",
  };
  const rows = (["device", "cloud", "linear", "cascade"] as const).map((key) => {
    const { sensitivity, specificity, falseAlarms, falseAlarmsPerHour, askedShare, latencySeconds } = document[key];
    const late = latencySeconds === null ? "–" : `${latencySeconds.p50.toFixed(2)} / ${latencySeconds.p95.toFixed(2)} s`;
    return [
      names[key],
      share(sensitivity),
      share(specificity),
      falseAlarms,
      falseAlarmsPerHour?.toFixed(2) ?? "–",
      key === "linear" ? share(0) : share(askedShare),
      late,
    ];
  });
  for (const line of table(
    ["", "sensitivity", "specificity", "false alarms", "per hour", "asked", "alarm after impact, median / 95 %"],
    rows,
  ))
    out.say(line);
}
