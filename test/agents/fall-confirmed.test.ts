import { describe, expect, it } from "vitest";
import { fallSplit } from "../../agents/fall/train.ts";
import { loadAgent, openAgentModel } from "../../host/agent/registry.ts";
import { createSuspicionRule } from "../../host/agent/suspicion-rule.ts";
import { createConfirmer } from "../../host/cloud/confirm/confirmer.ts";
import { openConfirmation, openTeacher } from "../../host/cloud/open-teacher.ts";
import { selectRecordings } from "../../host/data/recording.ts";
import { loadSisFall } from "../../host/data/sisfall.ts";
import { impactFrame } from "../../host/data/sisfall-impact.ts";
import { alarmsAlone, confirmedAlarms } from "../../host/eval/confirm-alarms.ts";
import { alarmFigures } from "../../host/eval/confirm-report.ts";
import { watchTrials } from "../../host/eval/watch-trials.ts";
import { dataDir, noData, requireAll } from "../support/require.ts";

describe("the confirmation of falls", () => {
  it("has learned from no test wearer, and from HAPT's fit wearers alone", async () => {
    const agent = await loadAgent("fall");
    const { protocol, labels, label, afterFrames } = openConfirmation(agent, agent.confirmationPath!);
    expect({ ...protocol, daily: [] }).toEqual({ ...fallSplit, daily: [] });
    expect(protocol.daily).toHaveLength(13);
    expect(labels[label]).toBe(agent.definition.suspicion!.label);
    expect(afterFrames).toBe(agent.definition.suspicion!.afterSeconds * agent.definition.sensor.rateHz);
  });

  it("finds the falls from a chair of a wearer that it has not learned from, or leaves the device's own alarms if all asks are lost", async (context) => {
    const data = dataDir();
    if (data === undefined && !requireAll) context.skip(noData);
    const agent = await loadAgent("fall");
    const model = await openAgentModel(agent);
    const { exits, hopPatches, manifest } = model.image;
    const rule = createSuspicionRule(agent.definition, { labels: manifest.labels, nExits: exits.length })!;
    const confirmation = openConfirmation(agent, agent.confirmationPath!);
    const falls = selectRecordings(loadSisFall(data!), ["SA11"]).filter(({ name }) => /^F1[34]/.test(name));
    const trials = await watchTrials(
      model,
      falls.map((recording) => ({ recording, impact: impactFrame(recording.frames) })),
      {
        ...{ agent: "fall", rule, scale: confirmation.scale },
        setPoint: {
          ...{ maxExit: exits.length - 1, hopPatches, askAllowed: false, limitReason: "none", askIntervalHops: 1 },
          thresholds: exits.map(() => 0),
        },
        judges: { cloud: await openTeacher(agent), linear: createConfirmer(confirmation, "linear") },
      },
    );
    const alarms = { rule, stableDecisions: agent.definition.events.stableDecisions };
    const run = (isLost: boolean) =>
      alarmFigures(
        trials.map((trial) =>
          confirmedAlarms(trial, { ...alarms, judge: "cloud", confirmFrom: 0.5, answerFrames: 10, isLost: () => isLost }),
        ),
        50,
      );
    const device = alarmFigures(
      trials.map((trial) => alarmsAlone(trial, alarms)),
      50,
    );
    expect(device.missed).toEqual(["F14_SA11_R05"]);
    expect(run(false).missed).toEqual([]);
    expect(run(false).latencySeconds!.p50).toBeLessThan(2.5);
    expect(run(true).alarmsHash).toBe(device.alarmsHash);
  });
});
