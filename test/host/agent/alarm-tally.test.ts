import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AlarmScorer, criticalSuccessIndex, tallyText } from "../../../host/agent/alarm-tally.ts";

const RATE_HZ = 50;

/** Sees decisions, 20 frames apart, that are the event in the given stretches of frames, and hears alarms on the way. */
function scored(
  frames: number,
  events: readonly (readonly [from: number, to: number])[],
  alarms: readonly { side: "shown" | "device"; at: number; about?: number }[],
  first = 1,
): AlarmScorer {
  const scorer = new AlarmScorer("fall", RATE_HZ);
  for (let at = 0; at <= frames; at += 20) {
    const tick = (first + at) >>> 0;
    scorer.see(tick, events.some(([from, to]) => at >= from && at <= to) ? "fall" : "daily");
    for (const one of alarms) if (one.at > at - 20 && one.at <= at) scorer.hear(one.side, (first + (one.about ?? one.at)) >>> 0);
  }
  return scorer;
}

describe("alarms against the truth", () => {
  it("count each stretch of the alarm's label once, and alarms far from any as false", () => {
    const alarms = [990, 1300, 3000].map((at) => ({ side: "shown" as const, at }));
    const scorer = scored(10_000, [[1000, 1100]], [...alarms, { side: "device", at: 7000 }]);
    scorer.finish();
    expect(scorer.tallies()).toEqual({
      label: "fall",
      shown: { events: 1, found: 1, alarms: 3, falseAlarms: 1 },
      device: { events: 1, found: 0, alarms: 1, falseAlarms: 1 },
    });
  });

  it("count an event while the run lasts once its alarm is shown or it is over, and an early alarm as false once no event can follow", () => {
    const told = { side: "shown" as const, at: 1100, about: 1000 };
    expect(scored(1060, [[1000, 1130]], []).tallies()!.shown.events).toBe(0);
    expect(scored(1100, [[1000, 1130]], [{ side: "device", at: 1040 }]).tallies()!.device).toMatchObject({ events: 0, found: 0 });
    expect(scored(1100, [[1000, 1130]], [{ side: "device", at: 1040 }, told]).tallies()).toMatchObject({
      shown: { events: 1, found: 1 },
      device: { events: 1, found: 1 },
    });
    expect(scored(1600, [[1000, 1130]], []).tallies()!.shown).toMatchObject({ events: 1, found: 0 });
    expect(scored(1000, [], [{ side: "shown", at: 900 }]).tallies()!.shown.falseAlarms).toBe(0);
    expect(scored(1200, [], [{ side: "shown", at: 900 }]).tallies()!.shown.falseAlarms).toBe(1);
    expect(scored(1200, [[1000, 1130]], [{ side: "shown", at: 900 }]).tallies()!.shown).toMatchObject({ found: 1, falseAlarms: 0 });
  });

  it("say nothing where the truth is never known", () => {
    const scorer = new AlarmScorer("fall", RATE_HZ);
    scorer.see(1, undefined);
    scorer.hear("shown", 1);
    expect(scorer.tallies()).toBeUndefined();
  });

  it("come to the same counts whenever the ticks wrap, and as a plain search over all events finds", () => {
    const stretch = fc.tuple(fc.nat(200_000), fc.integer({ min: 20, max: 400 }));
    const alarm = fc.record({ side: fc.constantFrom("shown" as const, "device" as const), at: fc.nat(200_000), late: fc.nat(350) });
    fc.assert(
      fc.property(fc.array(stretch, { maxLength: 6 }), fc.array(alarm, { maxLength: 12 }), fc.nat(200_000), (stretches, raised, before) => {
        let end = 0; // events well apart
        const events = stretches
          .toSorted((a, b) => a[0] - b[0])
          .flatMap(([from, length]): [number, number][] => {
            const start = Math.max(20 * Math.ceil(from / 20), end + 1000);
            end = start + 20 * Math.floor(length / 20);
            return start > 199_000 ? [] : [[start, end]];
          });
        const alarms = raised.map(({ side, at, late }) => ({ side, at: at + late, about: at })).toSorted((a, b) => a.at - b.at);
        const scorer = scored(201_000, events, alarms, 0x1_0000_0000 - before);
        scorer.finish();
        const tallies = scorer.tallies()!;
        for (const side of ["shown", "device"] as const) {
          const own = alarms.filter((one) => one.side === side && one.at <= 201_000).map(({ about }) => about);
          const isAbout = (at: number, [from, to]: readonly [number, number]) => at >= from - 4 * RATE_HZ && at <= to + 8 * RATE_HZ;
          expect(tallies[side]).toEqual({
            events: events.length,
            found: events.filter((event) => own.some((at) => isAbout(at, event))).length,
            alarms: own.length,
            falseAlarms: own.filter((at) => !events.some((event) => isAbout(at, event))).length,
          });
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe("a tally in words", () => {
  it("names the events, and says when there was none", () => {
    expect(tallyText({ events: 3, found: 2, alarms: 3, falseAlarms: 1 }, "fall")).toBe("2 of 3 falls told, 1 false alarm");
    expect(tallyText({ events: 0, found: 0, alarms: 0, falseAlarms: 0 }, "fall")).toBe("no fall yet, 0 false alarms");
  });
});

describe("the critical success index", () => {
  it("falls with each missed event and each false alarm", () => {
    const index = (events: number, found: number, falseAlarms: number) =>
      criticalSuccessIndex({ events, found, falseAlarms, alarms: found + falseAlarms });
    expect(index(0, 0, 0)).toBe(1);
    expect(index(16, 16, 0)).toBe(1);
    expect(index(16, 8, 0)).toBe(0.5);
    expect(index(16, 16, 16)).toBe(0.5);
  });
});
