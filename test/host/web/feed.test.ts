import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPaceControl } from "../../../host/agent/sensors/pace-control.ts";
import { DecisionRing } from "../../../host/web/decision-ring.ts";
import { createDeviceTime } from "../../../host/web/device-time.ts";
import { createFleetFeed } from "../../../host/web/fleet-feed.ts";
import type { DecisionRow, FleetFrame, RunFrame } from "../../../host/web/messages.ts";
import { createRunFeed } from "../../../host/web/run-feed.ts";
import { SignalRing } from "../../../host/web/signal-ring.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { ask, COUNTERS, decision, handSensor, INFO, outcome, POWER, scriptedRun } from "./scripted-run.ts";

const ROW: DecisionRow = {
  ...{ seconds: 1.28, label: 3, shown: -1, truth: 4, confidence: 0.5, exit: 2, why: 1, isCloud: true, isGap: false, macs: 300 },
  ...{ level: 2, skinCelsius: Number.NaN, watts: [0.1, 0.2, 0.3, 0.4, 0.5], reason: "unsure" },
};

function feedOf(over: Partial<Parameters<typeof createRunFeed>[0]> = {}) {
  const clock = new ManualClock();
  const frames: RunFrame[] = [];
  const { model } = scriptedRun();
  const feed = createRunFeed({
    clock,
    info: { ...INFO, node: "n", durationSeconds: 0, controls: { canPace: true, canSwitchBroker: true, canAsk: false } },
    channels: model.image.manifest.channels,
    loop: scriptedRun().loop,
    power: () => POWER,
    pace: createPaceControl(1),
    isBrokerUp: () => true,
    send: (_, frame) => frames.push(frame),
    ...over,
  });
  return { clock, feed, frames };
}

describe("the feed of a run", () => {
  it("sends what happens within a tenth of a second as one message, and its status once per second", () => {
    const { clock, feed, frames } = feedOf();
    feed.onStep(ask("a1", 1));
    feed.onStep(decision(1, { why: "ask", label: "sitting", truth: "standing" }));
    feed.onStep(outcome("a1", 1));
    expect(frames).toHaveLength(0);
    clock.advance(100);
    expect(frames).toHaveLength(1);
    expect(frames[0]!.decisions).toMatchObject([{ label: 3, truth: 4, why: 1, confidence: 0.9, isGap: false }]);
    expect(frames[0]!.asks).toMatchObject([{ id: "a1", state: "answered", answer: 4, millis: 40, use: "applied" }]);
    expect(frames[0]!.status.counters).toEqual(COUNTERS);
    clock.advance(3000);
    expect(frames).toHaveLength(4);
    expect(frames[3]!.decisions).toBeUndefined();
    feed.close();
    expect(frames.at(-1)!.status.phase).toBe("done");
    clock.advance(10_000);
    expect(frames).toHaveLength(5);
  });

  it("counts the next try down, and how long the oldest ask has waited", () => {
    const { clock, feed, frames } = feedOf();
    feed.onStep(ask("a1", 1));
    clock.advance(500);
    feed.onStep(ask("a2", 2));
    feed.onStep({ kind: "link", state: "offline", detail: "ECONNREFUSED; next try in 3000 ms", retryMillis: 3000 });
    clock.advance(100);
    expect(frames.at(-1)!.status).toMatchObject({ link: { state: "offline", retryMillis: 2900 }, oldestAskMillis: 600 });
    clock.advance(2000);
    expect(frames.at(-1)!.status.link.retryMillis).toBe(900);
    feed.onStep(outcome("a1", 1));
    clock.advance(100);
    expect(frames.at(-1)!.status.oldestAskMillis).toBe(2200);
    feed.close();
  });

  it("gives power by part, as the mean between two decisions", () => {
    let joules = POWER.joules;
    const { clock, feed, frames } = feedOf({ power: () => ({ ...POWER, joules }) });
    feed.onStep(decision(0));
    joules = { ...joules, compute: joules.compute + 1.28, radio: joules.radio + 2.56 };
    feed.onStep(decision(1));
    clock.advance(100);
    expect(frames[0]!.decisions!.map(({ watts }) => watts.map((one) => Number(one.toFixed(6))))).toEqual([[], [0, 0, 0, 1, 2]]);
    feed.close();
  });

  it("stays the same through a jump of the wall clock, and brings a late page up to date without repeating anything", () => {
    let jump = 0;
    const { clock, feed, frames } = feedOf();
    clock.wall = () => 1_700_000_000_000 + jump;
    feed.onStep(decision(1));
    jump = -86_400_000;
    feed.onStep(decision(2));
    const hello = feed.hello();
    expect(hello.decisions.numbers.seconds).toEqual([0, 1.28]);
    expect(frames[0]!.decisions).toHaveLength(2); // sent to those who were there, before the hello
    clock.advance(2000);
    expect(frames.slice(1).flatMap(({ decisions = [] }) => decisions)).toEqual([]);
    feed.close();
  });

  it("holds no more than its bounds, whatever a run does, and cuts what would not end", () => {
    const { clock, feed, frames } = feedOf();
    const error = { code: "X", message: "<b>".repeat(1000) } as never;
    for (let i = 0; i < 20_000; i++) {
      feed.onStep(decision(i, { reason: `reason ${i}` }));
      if (i % 20 === 0) feed.onStep(ask(`a${i}`, i));
      if (i % 50 === 0) feed.onStep({ kind: "anomaly", error });
    }
    const { decisions, asks, events } = feed.hello();
    expect([decisions.numbers.seconds!.length, decisions.reasons.length, asks.length, events.length]).toEqual([16_384, 512, 200, 200]);
    expect(Math.max(...events.map(({ text }) => text.length))).toBeLessThanOrEqual(400);
    clock.advance(100);
    expect(frames[0]!.events!.length).toBeLessThanOrEqual(200);
    feed.close();
  });

  it("watches the sensor on its way: a few samples per second of its first three channels, in their unit", async () => {
    const { clock, feed, frames } = feedOf();
    const seen: number[] = [];
    for await (const { tick } of feed.tap(handSensor(Array.from({ length: 100 }, (_, tick) => tick)))) seen.push(tick);
    expect(seen).toHaveLength(100);
    clock.advance(1000);
    const { seconds, values } = frames[0]!.signals!;
    expect([seconds, values.length, values[0]!.length]).toEqual([0, 3, 25]); // every fourth frame
    expect(values[2]).toEqual(new Array(25).fill(1));
    feed.close();
  });
});

describe("device time", () => {
  it("never goes back, and shortens long gaps, whatever the ticks do", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2 ** 32 - 1), { maxLength: 50 }), (ticks) => {
        const timeOf = createDeviceTime(50);
        const times = ticks.map(timeOf);
        for (let i = 1; i < times.length; i++) {
          expect(times[i]!).toBeGreaterThanOrEqual(times[i - 1]!);
          expect(times[i]! - times[i - 1]!).toBeLessThanOrEqual(30);
        }
      }),
    );
    const wrapped = createDeviceTime(50);
    expect([wrapped(2 ** 32 - 50), wrapped(0)]).toEqual([0, 1]);
  });
});

describe("rings", () => {
  it("a decision ring gives back what it was given, and finds times, after any number of decisions", () => {
    fc.assert(
      fc.property(fc.nat(40), fc.double({ min: 0, max: 60, noNaN: true }), (count, at) => {
        const ring = new DecisionRing(16);
        for (let i = 0; i < count; i++) ring.push({ ...ROW, seconds: i * 1.5, exit: i % 4, reason: `r${i % 5}` });
        const first = Math.max(0, count - 16);
        expect(ring.length).toBe(Math.min(16, count));
        for (let i = 0; i < ring.length; i++)
          expect(ring.row(i)).toMatchObject({ seconds: (first + i) * 1.5, exit: (first + i) % 4, reason: `r${(first + i) % 5}` });
        const found = ring.indexAt(at);
        if (found >= 0) expect(ring.number("seconds", found)).toBeLessThanOrEqual(at);
        if (found + 1 < ring.length) expect(ring.number("seconds", found + 1)).toBeGreaterThan(at);
        const copy = new DecisionRing(16);
        copy.load(JSON.parse(JSON.stringify(ring.snapshot())));
        expect(copy.snapshot()).toEqual(ring.snapshot());
      }),
    );
  });

  it("a smaller decision ring takes the newest of a snapshot", () => {
    const ring = new DecisionRing(8);
    for (let i = 0; i < 8; i++) ring.push({ ...ROW, seconds: i });
    const small = new DecisionRing(3);
    small.load(ring.snapshot());
    expect([small.length, small.number("seconds", 0), small.row(2).seconds, small.row(0).skinCelsius]).toEqual([3, 5, 7, Number.NaN]);
  });

  it("a signal ring knows the time of each sample, and hands them on", () => {
    const ring = new SignalRing(2, 10, 30);
    for (let i = 0; i < 45; i++) ring.push(i / 10, [i, -i]);
    expect([ring.length, ring.value(1, 0), Number(ring.secondsAt(0).toFixed(6))]).toEqual([30, -15, 1.5]);
    const copy = new SignalRing(2, 10, 30);
    copy.append(ring.last(5));
    expect([copy.length, copy.value(0, 4), Number(copy.secondsAt(0).toFixed(6))]).toEqual([5, 44, 4]);
  });
});

describe("the feed of a fleet", () => {
  it("sends what has changed, cell by cell, and names who is gone", () => {
    const clock = new ManualClock();
    const fleet = createFleetFeed(clock, ["walking"]);
    const frames: FleetFrame[] = [];
    fleet.onFrame((frame) => frames.push(frame));
    const row = { node: "a", state: "awake", label: "walking", stateOfCharge: 0.9, skinCelsius: 30, model: "m", asks: 0 } as const;
    fleet.set(row);
    fleet.set({ ...row, node: "b" });
    clock.advance(250);
    fleet.set({ ...row, asks: 1 });
    fleet.remove("b");
    fleet.remove("c"); // never was
    clock.advance(250);
    fleet.set({ ...row, asks: 1 });
    clock.advance(250);
    expect(frames).toEqual([
      { rows: [row, { ...row, node: "b" }], gone: [] },
      { rows: [{ node: "a", asks: 1 }], gone: ["b"] },
    ]);
    for (let i = 0; i < 3000; i++) fleet.set({ ...row, node: `n${i}` });
    expect(fleet.hello().rows).toHaveLength(2000);
    expect(fleet.set({ ...row, node: "one too many" })).toBe(false);
    fleet.close();
    expect(clock.timers).toBe(0);
  });
});
