import { describe, expect, it } from "vitest";
import {
  activityRibbon,
  asksFigure,
  batteryFigure,
  budgetFigure,
  exitsFigure,
  powerFigure,
  temperatureFigure,
} from "../../../../host/cli/simulate/report/day-figures.ts";
import type { GovernedDay, MinuteRow } from "../../../../host/simulate/results.ts";
import { minuteRow, minuteRows } from "./day-rows.ts";

/** What the pictures read of a day. */
function dayOf(rows: readonly MinuteRow[], aliveSeconds = rows.at(-1)!.atSeconds): GovernedDay {
  return { rows, aliveSeconds, joules: rows.at(-1)!.joules } as GovernedDay;
}
const titles = (drawing: string): string[] => [...drawing.matchAll(/<title>([^<]*)<\/title>/g)].map(([, title]) => title!);

describe("the ribbon", () => {
  it("hatches what was only sensed and marks the time after the battery was empty", () => {
    const rows = minuteRows(90, (i) => (i < 30 ? {} : { decisions: 0, level: 4, label: undefined, truth: undefined }));
    const drawn = activityRibbon(dayOf(rows), ["walk", "sit"], 2);
    expect(titles(drawn)).toEqual(["sensed only", "battery empty", "walk", "walk"]);
    expect(drawn).toContain("sensed only: the energy budget was spent");
    expect(drawn).not.toContain("sit<");
    const whole = activityRibbon(dayOf(minuteRows(60)), ["walk"], 1);
    expect(whole).not.toContain("empty");
    expect(whole).not.toContain("hatch");
  });
});

describe("power by part", () => {
  it("gives a remainder shorter than half a quarter of an hour to the last box, by real seconds", () => {
    const rows = [...minuteRows(30), minuteRow(1800.3)];
    expect(titles(powerFigure(dayOf(rows), 0.5))).toEqual(["sensor: 1.00 mW", "sensor: 1.00 mW"]);
  });

  it("draws the agent's own parts without a load that dwarfs them, and all of them", () => {
    const rows = minuteRows(15, (i) => ({ joules: { compute: 0, radio: 0, sensor: 0.06 * (i + 1), sleep: 0, load: 6 * (i + 1) } }));
    const drawn = powerFigure(dayOf(rows), 0.25);
    expect(drawn.match(/<svg /g)).toHaveLength(2);
    expect(titles(drawn)).toEqual(["sensor: 1.00 mW", "sensor: 1.00 mW", "load: 100 mW"]);
  });
});

describe("battery and budget", () => {
  it("draws the charge over the whole axis", () =>
    expect(batteryFigure(dayOf(minuteRows(60, (i) => ({ stateOfCharge: 1 - i / 100 }))), 1)).toMatch(/>0 %<.*>100 %</));

  it("flat figures become a sentence", () => {
    const day = dayOf(minuteRows(60, () => ({ exits: [47, 0] })));
    const still = dayOf(minuteRows(60, () => ({ skinCelsius: 22 })));
    const flat = [budgetFigure(day, 1), batteryFigure(day, 1), exitsFigure(day, 1), asksFigure(day, 1), temperatureFigure(still, 1, 41)];
    for (const drawn of flat) expect(drawn).toMatch(/^<p class="plain">[^<]+<\/p>$/);
  });

  it("names the levels in a lane of their own", () => {
    const drawn = budgetFigure(dayOf(minuteRows(60, (i) => ({ budgetFill: 1 - i / 60, level: i < 30 ? 0 : 1 }))), 1);
    expect(titles(drawn)).toEqual(["full", "ask-less"]);
    expect(drawn).toContain("</i>ask-less</span>");
  });

  it("names the limit of the skin's temperature", () => expect(temperatureFigure(dayOf(minuteRows(60)), 1, 41)).toContain("limit 41 °C"));
});

describe("asks", () => {
  it("counts what was unsure and not asked apart, and marks where the allowance ended", () => {
    const rows = minuteRows(60, (i) => (i < 30 ? { asks: 1 } : { notAsked: 2, isAllowanceSpent: true, isUp: i !== 40 }));
    const drawn = asksFigure(dayOf(rows), 1);
    expect(titles(drawn)).toEqual([
      "no coverage",
      "unsure: asked: 15",
      "unsure: asked: 15",
      "unsure: not asked: 30",
      "unsure: not asked: 30",
      "the allowance for asks was spent",
    ]);
    expect(drawn).toContain("</i>no coverage</span>");
  });
});
