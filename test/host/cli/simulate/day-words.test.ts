import { describe, expect, it } from "vitest";
import { batteryText, clockText, comparisonSentences, courseSentences, dayTable } from "../../../../host/cli/simulate/day-words.ts";
import type { DayDocument } from "../../../../host/simulate/summary.ts";

/** What the words read of a document. */
function documentOf(over: Record<string, unknown> = {}): DayDocument {
  return {
    ...{ hours: 10, accuracy: 0.98, batteryLifeHours: 286, batteryLifeFromStartHours: 286 },
    energyJoules: { compute: 3, radio: 7, sensor: 80, sleep: 10 },
    metrics: { decisionMillis: { p50: 1.25, p99: 1400 } },
    day: { targetHours: 168, stateOfChargeAtStart: 1 },
    course: { decidedShare: 1, silentFromSeconds: null, batteryEmptyAtSeconds: null, floorHours: 600, load: null },
    ...over,
  } as unknown as DayDocument;
}
const local = {
  ...{ accuracy: 0.9835, batteryLifeHours: 551, batteryLifeFromStartHours: 551, decisionMillis: { p50: 1, p99: 2 } },
  energyJoules: { compute: 4, radio: 0, sensor: 80, sleep: 10 },
};

describe("the words of a day", () => {
  it("say from when on nothing was decided, when the battery was empty, and that the target cannot be met", () => {
    const course = { decidedShare: 0.134, silentFromSeconds: 4800, batteryEmptyAtSeconds: 26_400, floorHours: 7.3, load: "display" };
    expect(courseSentences(documentOf({ course }))).toEqual([
      "Decided on 13.4 % of the 10 h, nothing from 01:20 on: the energy budget was spent.",
      "The battery was empty at 07:20.",
      "The target of 168 h cannot be met on this battery: sensor, sleep and display alone empty it in 7.3 h.",
    ]);
    expect(courseSentences(documentOf())).toEqual([]);
    expect(clockText(86_400 + 3660)).toBe("1 d 01:01");
  });

  it("tell the battery from where it started, and from full", () => {
    expect(batteryText(documentOf())).toBe("286 h of battery (target 168 h)");
    const started = { batteryLifeHours: 590, batteryLifeFromStartHours: 177, day: { targetHours: 168, stateOfChargeAtStart: 0.3 } };
    expect(batteryText(documentOf(started))).toBe("177 h of battery from 30 % (590 h from full; target 168 h)");
    expect(dayTable(documentOf(started)).head[2]).toBe("battery h from 30 %");
  });

  it.each([
    [
      0.0002,
      0.02,
      true,
      "the governed day is as good as the best that never asks (early exits, never asks): 98.00 % right against 98.35 %, 2.0 % more energy.",
    ],
    [
      -0.003,
      0.02,
      false,
      "better without the governor (early exits, never asks): governed 98.00 % right against 98.35 %, 2.0 % more energy.",
    ],
    [
      -0.003,
      -0.1,
      false,
      "a trade against the best that never asks (early exits, never asks): governed 98.00 % right against 98.35 %, 10.0 % less energy.",
    ],
  ])("say who is best: %f more right, %f more energy", (accuracyAgainstBest, energyAgainstBest, isAsGood, text) => {
    const baselines = { fullDepth: local, alwaysLocal: local, alwaysCloud: local, mute: local };
    const verdict = { best: "alwaysLocal", accuracyAgainstBest, energyAgainstBest, isAsGood };
    expect(comparisonSentences(documentOf({ baselines, verdict }))[0]).toBe(`Verdict: ${text}`);
  });

  it("name the baselines that beat the day, and what telling costs", () => {
    const mute = { ...local, batteryLifeFromStartHours: 590 };
    const [, text, , last] = comparisonSentences(
      documentOf({ baselines: { fullDepth: local, alwaysLocal: local, alwaysCloud: local, mute } }),
    );
    expect(last).toBe(
      "Not comparable: with early exits and a radio that is never on, telling nobody, 590 h of battery; telling costs 304 h.",
    );
    expect(text).toBe(
      "Without a governor, early exits, never asks: 551 h of battery, 98.35 % right; governed, compute and radio take 150.0 % more.",
    );
    expect(comparisonSentences(documentOf())).toEqual([]);
  });

  it("have a column of the load where there is one, and the total before the parts", () => {
    expect(dayTable(documentOf()).head.slice(1, 8)).toEqual([
      "right",
      "battery h",
      "total J",
      "compute J",
      "radio J",
      "sensor J",
      "sleep J",
    ]);
    const { head, rows } = dayTable(documentOf({ energyJoules: { compute: 0.2, radio: 5, sensor: 38.6, sleep: 180.2, load: 5400 } }));
    expect(head).toContain("load J");
    expect(rows[0]).toEqual(["governed", "98.00 %", "286", "5,624.0", "0.2", "5.0", "38.6", "180.2", "5,400.0", "1.3 / 1,400"]);
  });
});
