import { countText, percentText, table } from "../../core/system/table.ts";
import { FAULT_SEED, type FaultName, faultNames, withFault } from "../../data/sensor-faults.ts";
import { type EvalSetting, recordingsFor, requireScored, wearerRoles } from "../../eval/eval-setting.ts";
import { evaluateStream, evaluateWindows } from "../../eval/evaluate.ts";
import type { Losses } from "../../eval/protocols.ts";

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
  out.document({ agent: agent.definition.name, faults, seed: FAULT_SEED, engine: model.engine, imageHash: model.imageHash, users });
}
