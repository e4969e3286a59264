import type { Output } from "../../core/system/output.ts";
import { createRandom } from "../../core/system/random.ts";
import { countText, percentText, table } from "../../core/system/table.ts";
import { type CascadeReport, cascadeReport } from "../../eval/cascade-report.ts";
import { decideAll } from "../../eval/decide.ts";
import { type EvalSetting, wearerRoles } from "../../eval/eval-setting.ts";
import type { CascadeDecision } from "../../policy/certify/cascade.ts";
import { type AsShipped, runAsShipped } from "../../simulate/as-shipped.ts";

export interface CascadeOptions {
  readonly alpha: number;
  readonly delta: number;
}

const BOOTSTRAP_SEED = 1;

/**
 * The device and its cloud together, by the stream protocol: unsure decisions are asked with the context of their own recording, the
 * teacher answers, and the surer of the two has the word. Thresholds come from wearers who are not scored. Every exit is at full depth
 * and smooths its own decisions, patch by patch: that needs the session itself. What the agent makes of it, with one smoother for all exits,
 * its debounce, its privacy budget and a network, `asShipped` says: runAgent runs it.
 */
export async function evalCascade(setting: EvalSetting, { alpha, delta }: CascadeOptions): Promise<void> {
  const { out, agent, model, list } = setting;
  const roles = wearerRoles(model.manifest.protocol, list);
  const { scored, tuning, certifying, members } = await decideAll(setting, roles);
  const report = cascadeReport({ scored, tuning, certifying }, { alpha, delta, random: createRandom(BOOTSTRAP_SEED) });
  say(out, report, `${agent.definition.name}, cascade, ${model.engine} core`, `${countText(roles.score.length, `${list} wearer`)}`);
  const asShipped = await runAsShipped(setting, roles.score);
  out.say(asShippedText(asShipped));
  const { windows, edge, cloud, cap, ...rest } = report;
  out.document({
    agent: agent.definition.name,
    protocol: "cascade",
    windows,
    edge,
    cloud: { ...cloud, members: members.length, contextPatches: model.image.contextPatches, meanMacs: meanMacs(scored) },
    ...rest,
    cap: { ...cap, tuning: cap.tuning.map((group, g) => ({ users: roles.tune[g], ...group })) },
    asShipped,
    engine: model.engine,
    imageHash: model.imageHash,
    teacherHashes: members.map(({ imageHash }) => imageHash),
    users: { score: roles.score, tune: roles.tune.flat(), certify: roles.certify },
  });
}

function meanMacs(decisions: readonly CascadeDecision[]): number {
  return decisions.reduce((sum, { cloud }) => sum + cloud.macs, 0) / Math.max(1, decisions.length);
}

function say(out: Output, report: CascadeReport, head: string, wearers: string): void {
  const { edge, cloud, cascade, certified = cascade, guarantee, windows } = report;
  const percent = (share: number, digits = 2): string => percentText(share, digits);
  out.say(`${head}: ${windows} windows of ${wearers}`);
  const rows = [
    ["device alone", percent(edge.accuracy), percent(0, 1), percent(edge.ece)],
    ["cloud alone", percent(cloud.accuracy), percent(1, 1), percent(cloud.ece)],
    ["cascade, capped", percent(cascade.accuracy), percent(cascade.askedFraction, 1), ""],
    ["cascade, certified", percent(certified.accuracy), percent(certified.askedFraction, 1), ""],
  ];
  for (const line of table(["", "accuracy", "asked", "calibration error"], rows)) out.say(line);
  out.say();
  const { alpha, localErrorRate, coverage, wearerInterval: others } = guarantee;
  out.say(
    localErrorRate === null
      ? `certified at ${alpha}: no exit may answer, every decision is asked`
      : `certified at ${alpha}: wrong in ${percent(localErrorRate)} of the ${percent(coverage, 1)} answered on the device ` +
          `(other draws of wearers: ${percent(others.low)} to ${percent(others.high)})`,
  );
}

function asShippedText({ modelAccuracy, accuracy, askedFraction, sensorBytesPerHour }: AsShipped): string {
  return (
    `as it ships, hop by hop: shown label right ${percentText(accuracy, 2)}, model alone ${percentText(modelAccuracy, 2)}, ` +
    `asked ${percentText(askedFraction, 1)}, ${Math.round(sensorBytesPerHour)} B of sensor data per hour`
  );
}
