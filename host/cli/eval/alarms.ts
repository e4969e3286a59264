import { ConfigError } from "../../core/system/errors.ts";
import { bytesText, countText, percentText, table } from "../../core/system/table.ts";
import { isElderly } from "../../data/sisfall.ts";
import { type EvalSetting, recordingsFor, wearerRoles } from "../../eval/eval-setting.ts";
import { type AlarmScore, type AlarmTrial, countHours, scoreAlarms, streamAlarms } from "../../eval/evaluate-alarms.ts";

/** How good an agent's alarms are: every trial of SisFall from a reset state, by the runtime's own policy, nothing asked. */
export function evalAlarms(setting: EvalSetting, alarm: string): void {
  const { out, agent, model, list } = setting;
  const { manifest, exits, hopPatches } = model.image;
  const { name, sensor, events } = agent.definition;
  const users = wearerRoles(manifest.protocol, list).score;
  const progress = out.progress("trials");
  const { trials, sha256 } = streamAlarms(() => model.createSession(), recordingsFor(setting, users), {
    setPoint: {
      ...{ maxExit: exits.length - 1, hopPatches, askAllowed: false, limitReason: "none", askIntervalHops: 1 },
      thresholds: exits.map(() => 0), // the core never goes below the image's own
    },
    stableDecisions: events.stableDecisions,
    isSmoothed: model.image.smoothing !== undefined,
    alarm: alarmClass(manifest.labels, alarm, name),
    onTrial: progress.at,
  });
  progress.end();
  const falls = trials.filter(({ isEvent }) => isEvent);
  const daily = trials.filter(({ isEvent }) => !isEvent);
  const scoreOf = (group: readonly AlarmTrial[]): AlarmScore => scoreAlarms(group, sensor.rateHz);
  const namesOf = (group: readonly AlarmTrial[]): string[] => group.map((trial) => trial.name);
  const document = {
    agent: name,
    ...scoreOf(trials),
    young: scoreOf(trials.filter(({ subject }) => !isElderly(subject))),
    elderly: scoreOf(trials.filter(({ subject }) => isElderly(subject))),
    imageBytes: model.imageBytes,
    parameters: manifest.parameters,
    arenaBytes: model.arenaBytes,
    engine: model.engine,
    imageHash: model.imageHash,
    decisionsHash: sha256,
    trials: { falls: falls.length, daily: daily.length },
    hours: countHours(daily, sensor.rateHz),
    subjects: users,
    missed: namesOf(falls.filter(({ alarms }) => alarms.length === 0)),
    falseAlarms: namesOf(daily.filter(({ alarms }) => alarms.length > 0)),
  };
  out.say(
    `${name}, ${model.engine} core: ${falls.length} falls, ${daily.length} daily trials (${document.hours.toFixed(2)} h) of ${countText(users.length, `${list} wearer`)}`,
  );
  out.say(`${manifest.parameters} parameters, image ${bytesText(model.imageBytes)}, arena ${bytesText(model.arenaBytes)}`);
  out.say();
  const row = (group: string, score: AlarmScore): string[] => [
    group,
    ...[score.sensitivity, score.specificity].map((share) => (share === null ? "–" : percentText(share, 2))),
    score.falseAlarmsPerHour?.toFixed(2) ?? "–",
  ];
  const rows = [row("all", document), row("young", document.young), row("elderly", document.elderly)];
  for (const line of table(["wearers", "sensitivity", "specificity", "false alarms per hour"], rows)) out.say(line);
  out.say();
  out.say(`missed: ${document.missed.join(" ") || "none"}`);
  out.say(`false alarms: ${document.falseAlarms.join(" ") || "none"}`);
  out.say(`decisions hash ${document.decisionsHash}`);
  out.document(document);
}

function alarmClass(labels: readonly string[], alarm: string, agent: string): number {
  const found = labels.indexOf(alarm);
  if (found >= 0) return found;
  throw new ConfigError(
    "ALARM_UNKNOWN",
    `agent ${agent} has the alarm "${alarm}", but the labels of its model are ${labels.join(", ")}. Set alarm to one of these in its agent.ts.`,
  );
}
