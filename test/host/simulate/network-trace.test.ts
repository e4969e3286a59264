import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError } from "../../../host/core/system/errors.ts";
import { createSimulatedClock } from "../../../host/simulate/clock.ts";
import { parseTrace, seededTrace, traceReader } from "../../../host/simulate/network-trace.ts";

describe("a network trace", () => {
  it("is read from lines of time, up, round trip and loss", () => {
    const trace = parseTrace("time,up,rttMillis,loss\n0,1,40,0.01\n# tunnel\n60,0,0,1\n90.5, 1, 80, 0\n", "t.csv");
    expect(trace).toEqual([
      { fromSeconds: 0, isUp: true, rttMillis: 40, loss: 0.01 },
      { fromSeconds: 60, isUp: false, rttMillis: 0, loss: 1 },
      { fromSeconds: 90.5, isUp: true, rttMillis: 80, loss: 0 },
    ]);
    const at = traceReader(trace);
    expect([0, 59.9, 60, 1000, 5].map((seconds) => at(seconds).isUp)).toEqual([true, true, false, true, true]);
  });

  it.each([
    ["", /no line of numbers/],
    ["0,1,40", /1: "0,1,40" is not four numbers/],
    ["0,2,40,0", /up is 2/],
    ["0,1,40,1.5", /loss lies in 0…1/],
    ["5,1,40,0", /does not ascend from 0/],
    ["0,1,40,0\n9,1,40,0\n8,1,40,0", /t\.csv:3: time 8/],
    ["0,1,,0", /not four numbers/],
  ])("names the line that is wrong in %j", (text, message) => {
    expect(() => parseTrace(text, "t.csv")).toThrow(message);
  });

  it("never fails in any other way, whatever the text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.,\n-]*$/)), (text) => {
        try {
          for (const { rttMillis, loss } of parseTrace(text, "t")) expect(rttMillis >= 0 && loss >= 0 && loss <= 1).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
    );
  });

  it("comes from its seed, and is up most of the time", () => {
    const options = { seconds: 86_400, rttMillis: 60 };
    const trace = seededTrace({ seed: 5, ...options });
    expect(seededTrace({ seed: 5, ...options })).toEqual(trace);
    expect(seededTrace({ seed: 6, ...options })).not.toEqual(trace);
    const at = traceReader(trace);
    const up = Array.from({ length: 8640 }, (_, i) => at(i * 10)).filter(({ isUp }) => isUp);
    expect(up.length / 8640).toBeGreaterThan(0.9);
    expect(up.length).toBeLessThan(8640);
  });
});

describe("simulated time", () => {
  it("runs what falls due in the order of its time, then of its making, also what that sets off", async () => {
    const clock = createSimulatedClock();
    const seen: string[] = [];
    const note = (what: string) => () => void seen.push(`${what}@${clock.now()}`);
    clock.after(30, note("c"));
    clock.after(10, () => {
      note("a")();
      clock.after(5, note("a2"));
    });
    clock.after(10, note("b"));
    clock.after(20, note("never"))();
    clock.after(100, note("late"));
    await clock.advanceTo(50);
    expect(seen).toEqual(["a@10", "b@10", "a2@15", "c@30"]);
    expect(clock.now()).toBe(50);
  });

  it("waits for work outside of it", async () => {
    const clock = createSimulatedClock();
    const seen: number[] = [];
    clock.after(10, () =>
      clock.hold(new Promise((resolve) => setImmediate(resolve)).then(() => void clock.after(5, () => void seen.push(clock.now())))),
    );
    await clock.advanceTo(100);
    expect(seen).toEqual([15]);
  });

  it("keeps any set of timers in order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(1000), { maxLength: 80 }), async (times) => {
        const clock = createSimulatedClock();
        const seen: number[] = [];
        for (const at of times) clock.after(at, () => void seen.push(at));
        await clock.advanceTo(1000);
        expect(seen).toEqual([...times].sort((a, b) => a - b));
      }),
      { numRuns: 50 },
    );
  });
});
