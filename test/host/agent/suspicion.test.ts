import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ShownLabel } from "../../../host/agent/shown-label.ts";
import { type SuspectDecision, type SuspicionStep, SuspicionTracker } from "../../../host/agent/suspicion.ts";
import type { SuspicionRule } from "../../../host/agent/suspicion-rule.ts";

const DAILY = 0;
const FALL = 1;
const HOP = 16; // frames
const STABLE = 2;

const rule: SuspicionRule = {
  ...{ label: FALL, atExit: 2, probability: 0.1 },
  ...{ afterFrames: 100, intervalFrames: 100, deadlineFrames: 250, quietFrames: 500 },
};

/** One decision of the device. */
type Hop = Omit<SuspectDecision, "tick">;

const sureDaily: Hop = { label: DAILY, exit: 0, confidenceQ15: 32_440, why: "exit" };
const doubtful: Hop = { label: DAILY, exit: 2, confidenceQ15: 26_000, why: "deferred" }; // leaves fall 0.21
const sureFall: Hop = { label: FALL, exit: 0, confidenceQ15: 32_440, why: "exit" };

/** What the cloud makes of suspicion `number`: an answer after so many frames, or none. */
type Cloud = (number: number) => { readonly label: number; readonly afterFrames: number } | undefined;

interface Told {
  readonly at: number; // the tick at which it came out
  readonly step: SuspicionStep;
}

/** Runs the tracker frame by frame over one decision per hop. */
function run(hops: readonly Hop[], cloud: Cloud, options: { rule?: SuspicionRule; firstTick?: number; canAsk?: boolean } = {}): Told[] {
  const { firstTick = 0, canAsk = true } = options;
  const tracker = new SuspicionTracker(options.rule ?? rule, STABLE);
  const told: Told[] = [];
  const due: { readonly at: number; readonly number: number; readonly label: number }[] = [];
  const take = (at: number, steps: readonly SuspicionStep[]) => {
    for (const step of steps) {
      told.push({ at, step });
      if (step.kind !== "ask") continue;
      const answer = cloud(step.number);
      if (answer) due.push({ at: at + answer.afterFrames, number: step.number, label: answer.label });
    }
  };
  const last = hops.length * HOP;
  for (let frame = 1; frame <= last; frame++) {
    const tick = (firstTick + frame) >>> 0;
    take(frame, tracker.advance(tick));
    for (const one of due.filter(({ at }) => at === frame)) take(frame, tracker.end(one.number, { label: one.label, confidence: 0.9 }));
    if (frame % HOP === 0) take(frame, tracker.decide({ ...hops[frame / HOP - 1]!, tick }, canAsk));
  }
  take(last, tracker.finish());
  return told;
}

/** The device alone: changes of its own rule over the same decisions. */
function alone(hops: readonly Hop[], firstTick = 0) {
  const shown = new ShownLabel({ stableDecisions: STABLE, holdFrames: 0 });
  return hops.flatMap(({ label, why, confidenceQ15 }, i) => {
    const tick = (firstTick + (i + 1) * HOP) >>> 0;
    const change = shown.decide({ label, isSure: why === "exit", isAsked: false, isOnline: false, tick });
    return change ? [{ ...change, confidence: confidenceQ15 / 32768 }] : [];
  });
}

const changesOf = (told: readonly Told[]) => told.flatMap(({ step }) => (step.kind === "change" ? [step.change] : []));
const alarmsOf = (told: readonly Told[]) =>
  told.flatMap(({ at, step }) => (step.kind === "change" && step.change.label === FALL ? [{ at, ...step.change }] : []));
const kindsOf = (told: readonly Told[]) => told.map(({ step }) => (step.kind === "ended" ? step.end : step.kind));
const repeated = (hop: Hop, times: number): Hop[] => Array.from({ length: times }, () => hop);

const fallThenDaily = [...repeated(sureDaily, 3), doubtful, ...repeated(sureFall, 4), ...repeated(sureDaily, 40)];
const never: Cloud = () => undefined;
const says =
  (label: number, afterFrames = 10): Cloud =>
  () => ({ label, afterFrames });

describe("a suspicion", () => {
  it("tells an alarm that one answer dropped, if a later ask about it is lost", () => {
    const daily = Array.from({ length: 40 }, () => sureDaily);
    const hops = [...daily.slice(0, 5), doubtful, sureFall, sureFall, sureFall, ...Array.from({ length: 6 }, () => sureFall), ...daily];
    const told = run(hops, (number) => (number === 2 ? undefined : { label: DAILY, afterFrames: 10 }));
    expect(told.filter(({ step }) => step.kind === "ended").map(({ step }) => (step.kind === "ended" ? step.end : ""))).toContain(
      "expired",
    );
    const own = alone(hops).filter(({ label }) => label === FALL);
    expect(alarmsOf(told).map(({ tick }) => tick)).toEqual(own.map(({ tick }) => tick));
  });

  it("waits for the end of its context, asks at that very frame, and is told once if confirmed", () => {
    const told = run(fallThenDaily, says(FALL));
    const suspected = told.find(({ step }) => step.kind === "suspected")!.at;
    const asked = told.find(({ step }) => step.kind === "ask")!.at;
    expect(asked - suspected).toBe(rule.afterFrames);
    expect(alarmsOf(told)).toEqual([{ at: asked + 10, label: FALL, before: DAILY, source: "cloud", tick: suspected, confidence: 0.9 }]);
  });

  it("shows a confirmed alarm for the quiet time, then the device's own label", () => {
    const told = run(fallThenDaily, says(FALL));
    const [alarm] = alarmsOf(told);
    const back = told.filter(({ step }) => step.kind === "change").at(-1)!;
    expect(back).toMatchObject({ at: alarm!.at + rule.quietFrames, step: { change: { label: DAILY, before: FALL, source: "local" } } });
  });

  it("drops the device's own alarm if dismissed", () => {
    const told = run(fallThenDaily, says(DAILY));
    expect(kindsOf(told)).toContain("dismissed");
    expect(alarmsOf(told)).toEqual([]);
    expect(changesOf(told)).toHaveLength(1); // daily, at the start
  });

  it("is told by the cloud though the device's own rule says nothing", () => {
    const hops = [...repeated(sureDaily, 3), doubtful, ...repeated(sureDaily, 40)];
    expect(alone(hops).filter(({ label }) => label === FALL)).toEqual([]);
    expect(alarmsOf(run(hops, says(FALL)))).toHaveLength(1);
  });

  it("is not raised by a decision that stopped before its exit with another label", () => {
    const shallow = { ...doubtful, exit: 1 };
    const kinds = (why: Hop["why"]) => kindsOf(run([...repeated(sureDaily, 3), ...repeated({ ...shallow, why }, 9)], says(DAILY)));
    expect(kinds("exit")).not.toContain("suspected");
    expect(kinds("thermal")).not.toContain("suspected");
  });

  it("is raised by every alarm of the device's own, even where its probability is below the rule's", () => {
    const strict = { ...rule, probability: 0.999 };
    const told = run(fallThenDaily, says(DAILY), { rule: strict });
    expect(kindsOf(told)).toContain("dismissed");
    expect(alarmsOf(told)).toEqual([]);
  });

  it("holds nothing back while nothing can be asked", () => {
    const told = run(fallThenDaily, says(DAILY), { canAsk: false });
    expect(changesOf(told)).toEqual(alone(fallThenDaily));
    for (const { at, tick } of alarmsOf(told)) expect(at).toBe(tick);
  });

  it("tells the own alarm with its own tick once the deadline has passed", () => {
    const told = run(fallThenDaily, never);
    const suspected = told.find(({ step }) => step.kind === "suspected")!.at;
    const [own] = alone(fallThenDaily).filter(({ label }) => label === FALL);
    expect(alarmsOf(told)).toEqual([{ ...own, at: suspected + rule.afterFrames + rule.deadlineFrames }]);
    expect(told).toContainEqual({
      at: alarmsOf(told)[0]!.at,
      step: { kind: "ended", number: 1, tick: suspected, end: "expired", isOwn: true },
    });
  });

  it("ends without an answer when the state is reset while it waits", () => {
    const tracker = new SuspicionTracker(rule, STABLE);
    tracker.decide({ ...doubtful, tick: 16 }, true);
    expect(tracker.open).toEqual({ number: 1, isAsked: false });
    expect(tracker.reset()).toEqual([{ kind: "ended", number: 1, tick: 16, end: "expired", isOwn: false }]);
    expect(tracker.open).toBeUndefined();
    expect(tracker.end(1, { label: FALL, confidence: 1 })).toEqual([]); // an answer that comes too late
  });
});

const hop = fc.record<Hop>({
  label: fc.constantFrom(DAILY, DAILY, DAILY, FALL, FALL),
  exit: fc.nat(2),
  confidenceQ15: fc.integer({ min: 16_384, max: 32_768 }),
  why: fc.constantFrom("exit", "deferred"),
});
/** Decisions as they come: stretches of the same one. */
const stream = fc
  .array(fc.tuple(hop, fc.integer({ min: 1, max: 12 })), { minLength: 1, maxLength: 30 })
  .map((stretches) => stretches.flatMap(([one, times]) => repeated(one, times)));
const anyRule = fc
  .record({
    probability: fc.constantFrom(0.05, 0.1, 0.5, 0.9),
    afterFrames: fc.integer({ min: 0, max: 200 }),
    intervalFrames: fc.integer({ min: 5, max: 300 }),
    deadlineFrames: fc.integer({ min: 1, max: 400 }),
    quietFrames: fc.constantFrom(0, 100, 500),
  })
  .map((times): SuspicionRule => ({ ...rule, ...times }));
/** Answers by number; undefined: lost. */
const answers = fc.array(
  fc.option(fc.record({ label: fc.constantFrom(DAILY, FALL), afterFrames: fc.integer({ min: 1, max: 500 }) }), { nil: undefined }),
  { minLength: 64, maxLength: 64 },
);
const firstTick = fc.constantFrom(0, 1000, 0xffff_ff00);

describe("suspicions, whatever is decided and answered", () => {
  it("leave the changes of the device alone when every ask is lost: the same ones, in order, with the same ticks", () => {
    fc.assert(
      fc.property(stream, anyRule, firstTick, (hops, own, first) => {
        const told = run(hops, never, { rule: own, firstTick: first });
        expect(changesOf(told)).toEqual(alone(hops, first));
        for (const { at, tick } of alarmsOf(told))
          expect(at - ((tick - first) >>> 0)).toBeLessThanOrEqual(own.afterFrames + own.deadlineFrames);
      }),
      { numRuns: 300 },
    );
  });

  it("drop an alarm of the device alone only if every ask about it was answered", () => {
    fc.assert(
      fc.property(stream, anyRule, answers, (hops, own, cloud) => {
        const told = run(hops, (number) => cloud[number], { rule: own });
        const lost = new Set(told.flatMap(({ step }) => (step.kind === "ended" && step.end === "expired" ? [step.number] : [])));
        const asks = told.flatMap(({ step, at }) =>
          step.kind === "suspected" && lost.has(step.number) ? [{ number: step.number, at }] : [],
        );
        const endOf = (number: number) => told.find(({ step }) => step.kind === "ended" && step.number === number)!.at;
        const alarms = alarmsOf(told);
        for (const { tick, label } of alone(hops)) {
          if (label !== FALL) continue;
          const isAboutALostOne = asks.some(({ number, at }) => at <= tick && tick <= endOf(number));
          if (!isAboutALostOne) continue;
          const isTold = alarms.some((one) => one.tick === tick);
          const isPartOfAnother = alarms.some(({ at }) => Math.abs(at - tick) <= own.quietFrames + own.afterFrames + own.deadlineFrames);
          expect(isTold || isPartOfAnother).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("tell alarms that are the device's own or confirmed, each once, and keep interval, quiet time and ask frame", () => {
    fc.assert(
      fc.property(stream, anyRule, answers, (hops, own, cloud) => {
        const told = run(hops, (number) => cloud[number], { rule: own });
        const ownTicks = alone(hops).flatMap(({ label, tick }) => (label === FALL ? [tick] : []));
        const alarms = alarmsOf(told);
        const local = alarms.filter(({ source }) => source === "local").map(({ tick }) => tick);
        expect(new Set(local).size).toBe(local.length);
        for (const tick of local) expect(ownTicks).toContain(tick);
        const raised = told.flatMap(({ step, at }) => (step.kind === "suspected" ? [{ number: step.number, at }] : []));
        for (const [i, { number, at }] of raised.entries()) {
          if (i > 0) expect(at - raised[i - 1]!.at).toBeGreaterThanOrEqual(own.intervalFrames);
          for (const alarm of alarms) if (alarm.at < at) expect(at - alarm.at).toBeGreaterThanOrEqual(own.quietFrames);
          const ask = told.find(({ step }) => step.kind === "ask" && step.number === number);
          if (ask) expect(ask.at - at).toBe(own.afterFrames);
          expect(told.filter(({ step }) => step.kind === "ended" && step.number === number)).toHaveLength(1);
        }
        let shown: number | undefined;
        for (const change of changesOf(told)) {
          expect(change.before).toBe(shown);
          expect(change.label).not.toBe(shown);
          shown = change.label;
        }
      }),
      { numRuns: 300 },
    );
  });
});
