import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadAgent, openAgentModel } from "../../../host/agent/registry.ts";
import { openTeacher } from "../../../host/cloud/open-teacher.ts";
import type { SyntheticParameters } from "../../../host/data/synthetic.ts";
import { policyFromCertificate } from "../../../host/policy/govern/policy-file.ts";
import { loadBoard, loadRadio } from "../../../host/power/board.ts";
import type { RadioKind } from "../../../host/power/board-power.ts";
import { poweredBoard } from "../../../host/power/powered-board.ts";
import { createSimulatedCloud, type SimulatedCloud } from "../../../host/simulate/cloud.ts";
import { recordedDay, syntheticDay } from "../../../host/simulate/day.ts";
import { governedDay } from "../../../host/simulate/governed-day.ts";
import { syntheticRecording } from "../../support/recording.ts";

const agent = await loadAgent("fall");
const model = await openAgentModel(agent);
const { labels } = model.manifest;
const all = JSON.parse(readFileSync(agent.syntheticPath!, "utf8")) as SyntheticParameters;
/** Without a label of the weekday: every 10 min part is of everything, a fall in each. */
const parameters = { ...all, wearers: all.wearers.map(({ upstairs: _, ...motions }) => motions) };
const teacher = createSimulatedCloud(await openTeacher(agent));

async function fallDay(radioKind: RadioKind, cloud: SimulatedCloud | undefined) {
  const board = poweredBoard(loadBoard("nrf52840-dk"));
  const hours = 0.2; // a part of 10 min, and one of 2
  return governedDay({
    ...{ definition: agent.definition, model, board, radioKind, seed: 3, cloud },
    radio: loadRadio(board, radioKind),
    day: syntheticDay({ parameters, labels, hours, seed: 3 }),
    trace: [{ fromSeconds: 0, isUp: true, rttMillis: 100, loss: 0 }],
    policy: policyFromCertificate(model),
    ambientCelsius: () => 22,
    ...{ stateOfCharge: 1, targetSeconds: 168 * 3600, privacyBytesPerDay: 4_194_304, reportSeconds: 3600 },
  });
}

describe("a day of a wearer who falls", () => {
  it("finds each fall, asks once per suspicion and pays the radio for it", async () => {
    const [ble, lte] = [await fallDay("ble", teacher), await fallDay("lte-m", teacher)];
    for (const { alarmTally, counters, alarms, audits } of [ble, lte]) {
      expect(alarmTally).toMatchObject({ events: 2, found: 2, falseAlarms: 0 });
      expect(alarms).toBe(alarmTally!.alarms);
      const { raised, told, dismissed, expired } = counters.suspicions!;
      expect(told + dismissed + expired).toBe(raised);
      expect(dismissed).toBeGreaterThan(0);
      expect(counters.asked - audits).toBeLessThanOrEqual(raised);
      expect(counters.applied).toBe(counters.answered - audits);
    }
    expect(lte.rows.reduce((sum, { asks }) => sum + asks, 0)).toBe(lte.counters.asked - lte.audits);
    expect(lte.joules.radio).toBeGreaterThan(10 * ble.joules.radio);
  });

  it("finds what the device alone finds where nobody answers", async () => {
    const { alarmTally, counters } = await fallDay("ble", undefined);
    expect(alarmTally).toMatchObject({ events: 2, found: 2 });
    expect(counters.suspicions).toMatchObject({ told: 0, dismissed: 0, expired: counters.suspicions!.raised });
  });
});

describe("a day of trials", () => {
  it("leaves a gap after each, so that the model's state begins anew", () => {
    const trial = syntheticRecording({ ...all, falls: undefined } as never, ["standing", "laying"], { seed: 1, frames: 1000 });
    const day = (isApart: boolean) =>
      [...recordedDay({ recordings: [trial], labels: ["other"], hours: 1 / 60, rateHz: 50, seed: 1, isApart }).frames()].map(
        ({ tick }) => tick,
      );
    const gaps = (ticks: number[]) => ticks.filter((tick, i) => i > 0 && tick - ticks[i - 1]! > 1).length;
    expect(gaps(day(false))).toBe(0);
    expect(gaps(day(true))).toBeGreaterThan(1);
    expect(day(true).at(-1)).toBeLessThan(60 * 50);
  });
});
