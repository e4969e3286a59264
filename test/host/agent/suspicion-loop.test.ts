import { describe, expect, it } from "vitest";
import { createLoop } from "../../../host/agent/loop.ts";
import type { LoopStep, SuspicionLoopStep } from "../../../host/agent/loop-types.ts";
import { suspicionText } from "../../../host/agent/suspicion-text.ts";
import type { Decision } from "../../../host/core/session/session-types.ts";
import { FakeAsker, frames, loopOptions, MODEL } from "./fakes.ts";

const LABELS = ["daily", "fall"];
const [DAILY, FALL] = [0, 1];
const rule = {
  ...{ label: FALL, atExit: 2, probability: 0.1 },
  ...{ afterFrames: 5, intervalFrames: 5, deadlineFrames: 250, quietFrames: 20 },
};
const daily: Partial<Decision> = { label: DAILY };
const doubtful: Partial<Decision> = { label: DAILY, exit: 2, why: "deferred", confidenceQ15: 26_214 };
const fall: Partial<Decision> = { label: FALL };
/** Daily, a doubt at tick 2, a fall by the device's own rule at tick 4, then daily again. */
const script = [daily, daily, doubtful, fall, fall, fall, ...Array.from({ length: 30 }, () => daily)];

interface Case {
  readonly script?: readonly (Partial<Decision> | { reset: true })[];
  readonly link?: "online" | "offline";
  /** Runs before each frame. */
  readonly between?: (index: number, asker: FakeAsker) => void;
}

async function run({ script: own = script, link = "online", between }: Case) {
  let asker!: FakeAsker;
  const { options, steps, session } = loopOptions(own, {
    ...{ agent: "fall", alarm: "fall", stableDecisions: 2, suspicion: rule, model: { ...MODEL, labels: LABELS, nExits: 3 } },
    connect: (events) => {
      asker = new FakeAsker(events);
      return asker;
    },
    frames: frames(own.length, [], (index) => {
      if (index === 0) asker.events.onLinkState?.(link);
      between?.(index, asker);
    }),
  });
  const loop = createLoop(options);
  await loop.run();
  return { loop, asker, steps, session };
}

const states = (steps: readonly LoopStep[]) => steps.flatMap((step) => (step.kind === "suspicion" ? [step.state] : []));
const words = (steps: readonly LoopStep[]) =>
  steps.filter((step): step is SuspicionLoopStep => step.kind === "suspicion").map((step) => suspicionText(step, LABELS));
const answer = (label: number) => ({ answer: { label, confidence: 0.97, model: "cloud" } });
const answered = (label: number) => (index: number, asker: FakeAsker) => {
  if (index === 10) asker.end(0, answer(label));
};

describe("the loop of an agent that suspects", () => {
  it("asks once, with the context at the end of the wait, about the suspicion's decision", async () => {
    const { asker, session } = await run({ between: answered(FALL) });
    expect(asker.queries).toHaveLength(1);
    const [query] = asker.queries;
    expect(query).toMatchObject({ tick: 2, local: { label: DAILY, exit: 2, confidenceQ15: 26_214 }, labels: LABELS, deadlineMillis: 5000 });
    expect(query!.patches.length).toBe(session.context().length);
    expect(session.setPoints.every(({ askAllowed }) => !askAllowed)).toBe(true); // the core never asks by itself
  });

  it("tells a confirmed alarm once, of the cloud and at the suspicion's tick", async () => {
    const { asker, steps, loop } = await run({ between: answered(FALL) });
    expect(states(steps)).toEqual(["waiting", "asked", "told"]);
    expect(asker.alarms).toEqual([{ label: "fall", before: "daily", confidence: 0.97, source: "cloud", tick: 2 }]);
    expect(words(steps).at(-1)).toBe("suspicion 1: the cloud says fall 97 % in 34 ms: alarm");
    expect(loop.counters()).toMatchObject({
      asked: 1,
      answered: 1,
      applied: 1,
      suspicions: { raised: 1, told: 1, dismissed: 0, expired: 0 },
    });
  });

  it("tells nothing if the cloud dismisses, and shows its own label all along", async () => {
    const { asker, steps } = await run({ between: answered(DAILY) });
    expect(states(steps)).toEqual(["waiting", "asked", "dismissed"]);
    expect(words(steps).at(-1)).toBe("suspicion 1: the cloud says daily 97 % in 34 ms: dismissed");
    expect(asker.alarms).toEqual([]);
    const shown = new Set(steps.flatMap((step) => (step.kind === "decision" && step.record.shown ? [step.record.shown] : [])));
    expect([...shown]).toEqual(["daily"]);
  });

  it("follows its own rule if the ask is refused, with the tick of its own alarm", async () => {
    const refused = (index: number, asker: FakeAsker) => {
      if (index === 10) asker.end(0, { state: "refused", reason: "labels: other ones" });
    };
    const { asker, steps } = await run({ between: refused });
    expect(asker.alarms).toMatchObject([{ label: "fall", source: "local", tick: 4 }]);
    expect(words(steps).at(-1)).toBe("suspicion 1: no answer (labels: other ones), the device decides alone: alarm");
  });

  it("holds nothing back while the link is down: the alarm comes at its own tick", async () => {
    const { asker, steps } = await run({ link: "offline" });
    expect(states(steps)).toEqual([]);
    const told = steps.findIndex((step) => step.kind === "event" && step.label === "fall");
    expect(steps.slice(0, told).filter(({ kind }) => kind === "decision")).toHaveLength(5); // ticks 0 to 4
    expect(asker.alarms).toMatchObject([{ source: "local", tick: 4 }]);
  });

  it("follows its own rule if the link is down when the ask is due", async () => {
    const cut = (index: number, asker: FakeAsker) => {
      if (index === 5) asker.events.onLinkState?.("offline");
    };
    const { asker, steps } = await run({ between: cut });
    expect(states(steps)).toEqual(["waiting", "expired"]);
    expect(asker.alarms).toMatchObject([{ source: "local", tick: 4 }]);
  });

  it("follows its own rule if a loss of frames resets the state before the ask", async () => {
    const { asker, steps } = await run({ script: [daily, daily, doubtful, fall, fall, { reset: true }, ...script] });
    expect(states(steps).slice(0, 2)).toEqual(["waiting", "expired"]);
    expect(asker.alarms[0]).toMatchObject({ source: "local", tick: 4 });
  });

  it("tells what it held back when no answer can come any more", async () => {
    const { asker, loop, steps } = await run({ between: () => {} });
    expect(asker.alarms).toEqual([]);
    loop.finish();
    expect(states(steps)).toEqual(["waiting", "asked", "expired"]);
    expect(asker.alarms).toMatchObject([{ source: "local", tick: 4 }]);
    asker.end(0, answer(FALL)); // too late
    expect(asker.alarms).toHaveLength(1);
  });
});
