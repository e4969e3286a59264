import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fallSplit } from "../../agents/fall/train.ts";
import { loadAgent, openAgentModel } from "../../host/agent/registry.ts";
import type { EngineName } from "../../host/core/session/session-types.ts";
import { createRandom } from "../../host/core/system/random.ts";
import { type Recording, selectRecordings } from "../../host/data/recording.ts";
import { isElderly, loadSisFall } from "../../host/data/sisfall.ts";
import { impactFrame } from "../../host/data/sisfall-impact.ts";
import { type AlarmRun, type AlarmTrial, scoreAlarms, streamAlarms } from "../../host/eval/evaluate-alarms.ts";
import { dataDir, noData, requireAll } from "../support/require.ts";

/** Streams trials as `dormouse eval fall` does. */
async function run(trials: readonly Recording[], engine: EngineName): Promise<AlarmRun> {
  const agent = await loadAgent("fall");
  const model = await openAgentModel(agent, { engine });
  const { exits, hopPatches } = model.image;
  return streamAlarms(() => model.createSession(), trials, {
    setPoint: {
      ...{ maxExit: exits.length - 1, hopPatches, askAllowed: false, limitReason: "none", askIntervalHops: 1 },
      thresholds: exits.map(() => 0),
    },
    stableDecisions: agent.definition.events.stableDecisions,
    alarm: model.manifest.labels.indexOf("fall"),
  });
}

/** A wearer who keeps still for `seconds` in a posture, but for a sensor's noise. */
function resting(name: string, gravity: readonly [number, number, number], seconds: number): Recording {
  const n = 50 * seconds;
  const random = createRandom(name.length);
  const frames = new Int16Array(6 * n);
  for (let i = 0; i < n; i++)
    for (let c = 0; c < 6; c++) frames[6 * i + c] = Math.round(2048 * (gravity[c] ?? 0) + (c < 3 ? 15 : 10) * random.normal());
  return { name, subject: "synthetic", channels: 6, frames, labels: new Uint8Array(n).fill(1), segments: [] };
}

describe("the shipped fall image", () => {
  it("keeps the budgets of a microcontroller", async () => {
    const model = await openAgentModel(await loadAgent("fall"));
    expect(model.imageBytes).toBeLessThanOrEqual(32_768);
    expect(model.arenaBytes).toBeLessThanOrEqual(20_480);
    expect(model.manifest.labels).toEqual(["daily", "fall"]);
  });

  it("names the split's wearers in its manifest, each once", async () => {
    const { protocol } = (await openAgentModel(await loadAgent("fall"))).manifest;
    expect(protocol).toEqual(fallSplit);
    const all = Object.values(fallSplit).flat();
    expect(new Set(all).size).toBe(38);
    expect(all).toHaveLength(38);
  });

  it("is silent while a wearer stands, sits back or lies, for ten minutes each", async () => {
    const trials = [
      resting("standing", [1, 0, 0], 600),
      resting("leaning", [0.8, 0, -0.6], 600),
      resting("supine", [0, 0, 1], 600),
      resting("on a side", [0, 1, 0], 600),
    ];
    for (const { name, alarms } of (await run(trials, "simd")).trials) expect({ name, alarms }).toEqual({ name, alarms: [] });
  });
});

const folderOfData = dataDir();
const hasSisFall =
  folderOfData !== undefined && ["sisfall", "SisFall", "SisFall_dataset"].some((name) => existsSync(join(folderOfData, name)));
describe.skipIf(!hasSisFall && !requireAll)(
  "the shipped fall image on the test wearers (no recordings: DORMOUSE_DATA needs sisfall/ in it)",
  () => {
    const percent = (share: number | null): string => (100 * share!).toFixed(2);

    it("alarms as its card says, the same on scalar and simd", async () => {
      if (folderOfData === undefined) throw new Error(noData);
      const data = loadSisFall(folderOfData);
      const trials = selectRecordings(data, fallSplit.test);
      const [simd, scalar] = [await run(trials, "simd"), await run(trials, "scalar")];
      expect(scalar.sha256).toBe(simd.sha256);
      expect(simd.sha256).toBe("952ee3401f4d2eca3d24440eeba9b10f2c50adf5ce295acaabf68d1e58716151"); // recorded: changes around the core leave it
      const card = readFileSync(join((await loadAgent("fall")).folder, "CARD.md"), "utf8");
      expect(card).toContain(simd.sha256.slice(0, 12));
      const groups: [string, (trial: AlarmTrial) => boolean][] = [
        ["all", () => true],
        ["young", ({ subject }) => !isElderly(subject)],
        ["elderly", ({ subject }) => isElderly(subject)],
      ];
      for (const [name, isIn] of groups) {
        const { sensitivity, specificity, falseAlarmsPerHour } = scoreAlarms(simd.trials.filter(isIn), 50);
        expect(card).toMatch(
          new RegExp(`\\| ${name} \\|.*${percent(sensitivity)}.*\\|.*${percent(specificity)}.*\\|.*${falseAlarmsPerHour!.toFixed(2)}`),
        );
      }
      const late = delays(simd.trials, trials);
      expect(card).toContain(`${late[Math.floor(late.length / 2)]!.toFixed(2)} s after the impact`);
    });
  },
);

/** Seconds from each detected fall's impact to its first alarm, ascending. */
function delays(found: readonly AlarmTrial[], trials: readonly Recording[]): number[] {
  return found
    .flatMap(({ isEvent, alarms }, i) => (isEvent && alarms.length > 0 ? [(alarms[0]! - impactFrame(trials[i]!.frames)) / 50] : []))
    .sort((a, b) => a - b);
}
