import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadAgent } from "../../../host/agent/registry.ts";
import { openTeacher } from "../../../host/cloud/open-teacher.ts";
import { Model } from "../../../host/core/session/model.ts";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import type { SyntheticParameters } from "../../../host/data/synthetic.ts";
import { readPolicy } from "../../../host/policy/govern/policy-file.ts";
import { loadBoard, loadRadio } from "../../../host/power/board.ts";
import { type RadioKind, radioKinds } from "../../../host/power/board-power.ts";
import { poweredBoard } from "../../../host/power/powered-board.ts";
import { baselineDays, neverAskingDays } from "../../../host/simulate/baselines.ts";
import { createSimulatedCloud } from "../../../host/simulate/cloud.ts";
import { sensedOnly } from "../../../host/simulate/course.ts";
import { daySchedule, recordedDay, syntheticDay } from "../../../host/simulate/day.ts";
import { governedDay } from "../../../host/simulate/governed-day.ts";
import { seededTrace } from "../../../host/simulate/network-trace.ts";
import { type BaselineDay, percentile } from "../../../host/simulate/results.ts";
import type { DaySetting } from "../../../host/simulate/setting.ts";
import { batteryLifeHours, dayDocument } from "../../../host/simulate/summary.ts";
import { verdictOn } from "../../../host/simulate/verdict.ts";
import { syntheticRecording } from "../../support/recording.ts";

const parameters = JSON.parse(readFileSync(join(packageRoot(), "agents/activity/synthetic.json"), "utf8")) as SyntheticParameters;
const agent = await loadAgent("activity");
const model = await Model.open(agent.modelPath);
const cloud = createSimulatedCloud(await openTeacher(agent));
const { labels } = model.manifest;

function setting(over: Partial<DaySetting> & { hours?: number; radioKind?: RadioKind; seed?: number } = {}): DaySetting {
  const { hours = 0.1, radioKind = "ble", seed = 1 } = over;
  const board = poweredBoard(loadBoard("nrf52840-dk"));
  const radio = loadRadio(board, radioKind);
  return {
    ...{ definition: agent.definition, model, board, radioKind, radio, seed, cloud },
    day: syntheticDay({ parameters, labels: ["walking"], hours, seed }), // no schedule: from one activity to the next
    trace: seededTrace({ seed, seconds: hours * 3600, rttMillis: radio.roundTripMillis.value }),
    policy: readPolicy(agent.policyPath!, model.imageHash),
    ambientCelsius: () => 22,
    ...{ stateOfCharge: 1, targetSeconds: 168 * 3600, privacyBytesPerDay: 4_194_304, reportSeconds: 60 },
    ...over,
  };
}

describe("a simulated day", () => {
  it("is the same bytes for the same seed, and others for another", async () => {
    const run = async (seed: number) => JSON.stringify(await governedDay(setting({ seed })));
    const first = await run(3);
    expect(await run(3)).toBe(first);
    expect(await run(4)).not.toBe(first);
  });

  it("accounts for every decision, ask and joule", async () => {
    const given = setting();
    const day = await governedDay(given);
    const { counters, joules } = day;
    expect(day.decisions).toBe(Math.floor((360 * 50) / 64));
    expect(counters.exits.reduce((a, b) => a + b, 0)).toBe(day.decisions);
    expect(counters.answered + counters.expired + counters.refused + counters.evicted + counters.pending).toBe(counters.asked);
    expect(counters.asked).toBeGreaterThan(0);
    expect(day.lost).toBe(0);
    expect(day.rawBytes).toBeGreaterThanOrEqual((counters.asked - 1) * 1000);
    expect(day.overspendJoules).toBe(0);
    const spent = joules.compute + joules.radio + joules.sensor + joules.sleep + joules.load;
    expect(day.meanWatts).toBeCloseTo(spent / given.day.seconds, 9);
    expect(day.rows.at(-1)!.joules.compute).toBeCloseTo(joules.compute, 9);
    expect(day.rows).toHaveLength(6);
    expect(day.skinMaxCelsius).toBeGreaterThan(22);
  });

  it("degrades in its order, overspends nothing and rests where the battery shall last too long", async () => {
    const day = await governedDay(
      setting({ targetSeconds: 900 * 3600, hours: 1, trace: [{ fromSeconds: 0, isUp: true, rttMillis: 100, loss: 0 }] }),
    );
    const levels = day.rows.map(({ level }) => level);
    expect(Math.max(...levels)).toBe(4);
    expect(day.restedShare).toBeGreaterThan(0.1);
    expect(day.overspendJoules).toBe(0);
    expect(day.decisions).toBeGreaterThan(0);
    expect(day.degradeChanges).toBeGreaterThan(0);
  });

  it("ends with its battery: nothing is decided, spent or answered after it", async () => {
    const given = setting({ stateOfCharge: 0.0001 });
    const day = await governedDay(given);
    expect(day.aliveSeconds).toBeGreaterThan(60);
    expect(day.aliveSeconds).toBeLessThan(given.day.seconds);
    expect(day.stateOfCharge).toBe(0);
    expect(day.rows.at(-1)!.atSeconds).toBe(day.aliveSeconds);
    expect(day.decisions).toBeLessThanOrEqual(Math.floor((day.aliveSeconds * 50) / 64));
    const { course, ...document } = dayDocument(given, day, undefined, (watts, charge = 1) => batteryLifeHours(charge * 2000, watts, 0));
    expect(course.batteryEmptyAtSeconds).toBe(day.aliveSeconds);
    expect(course.decidedShare).toBeLessThanOrEqual(day.aliveSeconds / given.day.seconds);
    expect(course.floorHours).toBeGreaterThan(0);
    expect(document.batteryLifeFromStartHours).toBeCloseTo(0.0001 * document.batteryLifeHours, 6);
  });

  it("tells from when on it only sensed, and which stretches", async () => {
    const given = setting({ targetSeconds: 9000 * 3600, hours: 1 });
    const day = await governedDay(given);
    const { course } = dayDocument(given, day, undefined, (watts) => batteryLifeHours(2000, watts, 0));
    expect(course.silentFromSeconds).toBeGreaterThan(0);
    expect(sensedOnly(day.rows).at(-1)).toEqual({ from: course.silentFromSeconds, to: 3600 });
    expect(course.decidedShare).toBeCloseTo(1 - day.restedShare, 5);
    expect(day.rows.reduce((sum, row) => sum + row.decisions, 0)).toBe(day.decisions);
  });

  it("counts what was unsure and not asked, and sees the allowance end", async () => {
    const day = await governedDay(setting({ privacyBytesPerDay: 1000 }));
    expect(day.rows.every(({ isAllowanceSpent }) => isAllowanceSpent)).toBe(true);
    expect(day.rows.reduce((sum, { asks }) => sum + asks, 0)).toBe(0);
    expect(day.rows.reduce((sum, { notAsked }) => sum + notAsked, 0)).toBeGreaterThan(0);
  });

  it("bears a declared load in its baselines as well", async () => {
    const board = poweredBoard(loadBoard("smart-glasses"));
    const given = setting({ board, hours: 0.02 });
    const document = dayDocument(given, await governedDay(given), await baselineDays(given), (watts) => batteryLifeHours(2000, watts, 0));
    expect(document.baselines!.alwaysLocal.energyJoules.load).toBeCloseTo(0.15 * 72, 6);
    expect(document.baselines!.alwaysLocal.batteryLifeHours).toBeLessThan(2000 / 0.15 / 3600);
  });

  it("is never in debt by more than one operation, for any charge, radio and network", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          radioKind: fc.constantFrom(...radioKinds),
          seed: fc.nat(1000),
          stateOfCharge: fc.double({ min: 0.005, max: 0.2, noNaN: true }),
          targetSeconds: fc.integer({ min: 100, max: 900 }).map((hours) => hours * 3600),
          reportSeconds: fc.integer({ min: 20, max: 200 }),
        }),
        async (over) => {
          const { overspendJoules } = await governedDay(setting({ hours: 0.3, ...over }));
          expect(overspendJoules).toBeLessThanOrEqual(1e-12);
        },
      ),
      { numRuns: 5, examples: [[{ radioKind: "lte-m", seed: 0, stateOfCharge: 0.005, targetSeconds: 100 * 3600, reportSeconds: 118 }]] },
    );
  });

  it("keeps deciding through a day without coverage", async () => {
    const day = await governedDay(setting({ trace: [{ fromSeconds: 0, isUp: false, rttMillis: 0, loss: 1 }] }));
    expect(day.counters.answered).toBe(0);
    expect(day.decisions).toBeGreaterThan(250);
    expect(percentile(day.decisionSeconds, 0.99)).toBeLessThan(0.2);
  });

  it("is as good as the best baseline that never asks and tells the same, and shows what the net says", async () => {
    const given = setting({ radioKind: "lte-m", hours: 0.95, reportSeconds: 1800 });
    const [governed, never] = [await governedDay(given), await neverAskingDays(given)];
    expect(governed.audits).toBeGreaterThan(0);
    expect(Math.abs(governed.accuracy - governed.modelAccuracy)).toBeLessThanOrEqual(0.0002);
    const scored = ({ accuracy, joules }: Pick<BaselineDay, "accuracy" | "joules">) => ({
      accuracy,
      joules: Object.values(joules).reduce((a, b) => a + b, 0),
    });
    const verdict = verdictOn(scored(governed), { fullDepth: scored(never.fullDepth), alwaysLocal: scored(never.alwaysLocal) });
    expect(verdict).toMatchObject({ best: "alwaysLocal", isAsGood: true });
    expect(never.alwaysLocal.joules.radio).toBeGreaterThan(0.1); // it reports
  });

  it("stands beside its baselines: less compute than full depth, less in all than sending every window", async () => {
    const given = setting({ radioKind: "lte-m", hours: 0.05 });
    const [governed, baselines] = [await governedDay(given), await baselineDays(given)];
    const { fullDepth, alwaysCloud, alwaysLocal } = baselines;
    expect(governed.joules.compute).toBeLessThan(fullDepth.joules.compute);
    expect(governed.joules.compute + governed.joules.radio).toBeLessThan(0.3 * alwaysCloud.joules.radio);
    expect(alwaysLocal.joules.compute).toBeLessThan(fullDepth.joules.compute);
    expect(fullDepth.decisions).toBe(alwaysCloud.decisions);
    expect(alwaysCloud.joules.compute).toBe(0);
    const document = dayDocument(given, governed, baselines, (watts) => batteryLifeHours(2000, watts, 0));
    expect(Object.keys(document)).toEqual(
      expect.arrayContaining([
        "board",
        "radio",
        "hours",
        "decisions",
        "accuracy",
        "asked",
        "energyJoules",
        "batteryLifeHours",
        "skinMaxCelsius",
        "budgetJoules",
        "overspendJoules",
        "degradeChanges",
        "baselines",
      ]),
    );
    expect(JSON.parse(JSON.stringify(document))).toEqual(document); // no NaN, nothing undefined
  });
});

describe("a day of recordings", () => {
  const recordings = [1, 2].map((seed) => ({
    ...syntheticRecording(parameters, ["walking", "sitting", "standing"], { seed, frames: 4000 }),
    subject: `w${seed}`,
  }));

  it("is as long as it should be, deals its parts to the wearers in turn and knows who wears it", () => {
    const day = recordedDay({ recordings, labels, hours: 0.5, rateHz: 50, seed: 1 });
    const wearers = new Set<string>();
    let frames = 0;
    let gaps = 0;
    let last = -1;
    for (const { tick } of day.frames()) {
      if (tick !== last + 1) gaps++;
      last = tick;
      frames++;
      wearers.add(day.wearerOf(tick));
    }
    expect(frames).toBe(0.5 * 3600 * 50);
    expect(gaps).toBe(2); // three parts of ten minutes
    expect([...wearers].sort()).toEqual(["w1", "w2"]);
  });

  it("has 24 hours in its schedule, and whole recordings where the labels are others", () => {
    const seconds = (names: readonly string[]) => daySchedule(names, 24).reduce((sum, part) => sum + part.seconds, 0);
    expect(seconds(labels)).toBe(86_400);
    expect(seconds(["daily", "fall"])).toBe(86_400);
    expect(daySchedule(["daily", "fall"], 24).every(({ label }) => label === undefined)).toBe(true);
    expect(() => recordedDay({ recordings: [], labels, hours: 1, rateHz: 50, seed: 1 })).toThrow(/no recording/);
  });
});
