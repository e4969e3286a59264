import { countText, percentText, table } from "../../core/system/table.ts";
import { selectRecordings } from "../../data/recording.ts";
import { FAULT_SEED, type FaultName, faultNames, withFault } from "../../data/sensor-faults.ts";
import { type EvalSetting, recordingsFor, requireScored, wearerRoles } from "../../eval/eval-setting.ts";
import { evaluateStream, evaluateWindows } from "../../eval/evaluate.ts";
import type { Losses } from "../../eval/protocols.ts";
import { type CleanFigures, evaluateSensorFault, evaluateSound, type FaultFigures } from "../../eval/sensor-faults.ts";

/** Every sensor fault against the sound sensor, by both protocols, at the last exit. */
export function evalFaults(setting: EvalSetting): void {
  const { out, agent, model, list } = setting;
  const users = wearerRoles(model.manifest.protocol, list).score;
  const sound = recordingsFor(setting, users);
  const conditions: readonly (FaultName | undefined)[] = [undefined, ...faultNames];
  const faults = conditions.map((fault) => {
    const dataset = { recordings: fault ? withFault(sound, fault, FAULT_SEED) : sound };
    const score = (run: typeof evaluateWindows, protocol: string) => {
      const progress = out.progress(`${fault ?? "no fault"}, ${protocol}: windows`);
      const losses: Losses = { held: 0, resets: 0 };
      const { windows, exits, sha256 } = run(model, dataset, { users, losses, onWindow: progress.at });
      progress.end();
      requireScored(windows, users);
      const { accuracy, macroF1 } = exits.at(-1)!;
      return { windows, accuracy, macroF1, ...losses, hash: sha256 };
    };
    return { fault: fault ?? "none", window: score(evaluateWindows, "window"), stream: score(evaluateStream, "stream") };
  });
  out.say(`${agent.definition.name}, faulty sensors, ${model.engine} core: ${countText(users.length, `${list} wearer`)}, last exit`);
  const rows = faults.map(({ fault, window, stream }) => [
    fault,
    percentText(window.accuracy, 2),
    percentText(stream.accuracy, 2),
    `${stream.held} held, ${stream.resets} resets`,
  ]);
  for (const line of table(["fault", "window", "stream", "gaps of the stream"], rows)) out.say(line);
  const monitor = watchFaults(setting, faultNames);
  const { engine, imageHash } = model;
  out.document({ agent: agent.definition.name, faults, ...(monitor && { monitor }), seed: FAULT_SEED, engine, imageHash, users });
}

/** What the plausibility monitor makes of sound and faulty sensors. */
export interface MonitorFigures {
  readonly sound: CleanFigures;
  readonly faults: readonly FaultFigures[];
}

/** Runs the agent's streams with each fault, and says when the monitor flags it. Undefined for an image without rules. */
export function watchFaults({ out, model, dataset, list }: EvalSetting, names: readonly FaultName[]): MonitorFigures | undefined {
  if (model.image.plausibility === undefined) return undefined;
  const users = wearerRoles(model.manifest.protocol, list).score;
  const wearers = users.map((user) => selectRecordings(dataset, [user])).filter((recordings) => recordings.length > 0);
  const sound = evaluateSound(model, wearers);
  const faults = names.map((fault) => {
    out.note(`  ${fault}, watched …`);
    return evaluateSensorFault(model, wearers, fault);
  });
  out.say();
  out.say(
    `plausibility monitor: ${countText(sound.flags, "flag")} in ${sound.hours.toFixed(1)} h of sound sensors, at most ${sound.flagsPerWeekBound.toFixed(0)} per week (95 %)`,
  );
  const rows = faults.map((one) => [
    one.fault,
    `${one.flaggedIn10Minutes} of ${one.streams}`,
    secondsText(one.seconds.p50),
    secondsText(one.seconds.p90),
    one.faults.join(" ") || "none",
    percentText(one.answeredWrongShare, 1),
    percentText(one.wrongShare, 1),
    `${one.withheld} of ${one.decisions}`,
  ]);
  const head = ["fault", "flagged in 10 min", "median", "9 in 10", "as", "answers wrong", "and of all", "withheld"];
  for (const line of table(head, rows)) out.say(line);
  const activities = faults.flatMap(({ fault, activities: own }) =>
    own.map((one) => [fault, one.activity, `${one.flaggedIn10} of ${one.stretches}`, secondsText(one.medianSeconds)]),
  );
  out.say();
  for (const line of table(["fault", "stretch of 10 s or more", "flagged in 10 s", "median"], activities)) out.say(line);
  return { sound, faults };
}

function secondsText(seconds: number | null): string {
  return seconds === null ? "never" : `${seconds.toFixed(1)} s`;
}
