import { describe, expect, it } from "vitest";
import { createLoop } from "../../../host/agent/loop.ts";
import type { LoopStep } from "../../../host/agent/loop-types.ts";
import { MqttError } from "../../../host/core/system/errors.ts";
import { FakeAsker, frames, LABELS, loopOptions } from "./fakes.ts";

const of = <K extends LoopStep["kind"]>(steps: readonly LoopStep[], kind: K) =>
  steps.filter((step): step is Extract<LoopStep, { kind: K }> => step.kind === kind);

/** A loop with a fake asker; `between(index, asker)` runs before each frame. */
function asking(
  script: Parameters<typeof loopOptions>[0],
  between: (index: number, asker: FakeAsker) => void = () => {},
  over: Parameters<typeof loopOptions>[1] = {},
) {
  let asker!: FakeAsker;
  const made = loopOptions(script, {
    connect: (events) => {
      asker = new FakeAsker(events);
      return asker;
    },
    frames: frames(script.length, [], (index) => {
      if (index === 0) asker.events.onLinkState?.("online");
      between(index, asker);
    }),
    ...over,
  });
  const loop = createLoop(made.options);
  return { ...made, loop, asker };
}

describe("the loop", () => {
  it("counts decisions, exits and operations", async () => {
    const { options } = loopOptions([{ exit: 0, macs: 100 }, undefined, { exit: 3, macs: 401 }, { exit: 0, macs: 100 }]);
    const loop = createLoop(options);
    await loop.run();
    expect(loop.counters()).toMatchObject({ decisions: 3, exits: [2, 0, 0, 1], meanMacs: 200, frames: 4, asked: 0, pending: 0 });
  });

  it("tells the event of the alarm's label durably, every other as it comes", async () => {
    const { loop, asker } = asking([{ label: 0 }, { label: 2 }, { label: 0 }], () => {}, { alarm: LABELS[2]! });
    await loop.run();
    expect(asker.alarms).toMatchObject([{ label: LABELS[2], before: LABELS[0] }]);
    expect(asker.told).toMatchObject([{ label: LABELS[0] }, { label: LABELS[0], before: LABELS[2] }]);
  });

  it("tells a learner of its asks and their answers, but of no ask that was turned away", async () => {
    const heard: string[] = [];
    const learner = {
      asked: (id: string) => heard.push(`asked ${Number(id)}`),
      ended: (id: string, answer?: { label: number }) => heard.push(`ended ${Number(id)} ${answer?.label}`),
    };
    const script = [{ label: 3, why: "ask" as const }, { label: 3 }];
    const answered = asking(script, (index, own) => index === 1 && own.end(0, { answer: { label: 4, confidence: 0.99, model: "t" } }), {
      learner,
    });
    await answered.loop.run();
    expect(answered.asker.queries).toHaveLength(1);
    expect(heard).toEqual(["asked 0", "ended 0 4"]);
    heard.length = 0;
    const full = asking(script, () => {}, { learner });
    const ask = full.asker.ask.bind(full.asker);
    full.asker.ask = (query) => {
      const id = ask(query);
      full.asker.end(full.asker.queries.length - 1, { state: "refused", reason: "full" });
      return id;
    };
    await full.loop.run();
    expect(full.asker.queries).toHaveLength(1);
    expect(heard).toEqual(["ended 0 undefined"]);
  });

  it("lets the core ask only where there is somebody to ask", async () => {
    const alone = loopOptions([]);
    createLoop(alone.options);
    expect(alone.session.setPoints[0]).toMatchObject({ askAllowed: false, maxExit: 3, hopPatches: 16, thresholds: [0, 0, 0, 0] });
    const { session } = asking([]);
    expect(session.setPoints[0]).toMatchObject({ askAllowed: true, askIntervalHops: 3 });
  });

  it("asks with the context, the image and what it thought itself", async () => {
    const { loop, asker, steps } = asking([{ label: 3, why: "ask", confidenceQ15: 20000, exit: 3 }]);
    await loop.run();
    expect(asker.queries).toHaveLength(1);
    expect(asker.queries[0]).toMatchObject({
      agent: "activity",
      imageHash: "ab".repeat(32),
      labels: LABELS,
      patchBytes: 24,
      windowPatches: 32,
      local: { label: 3, confidenceQ15: 20000, exit: 3 },
      deadlineMillis: 30_000,
    });
    expect(asker.queries[0]!.patches).toHaveLength(72);
    expect(of(steps, "ask")).toHaveLength(1);
    expect(of(steps, "decision")[0]!.record.reason).toBe("unsure at every exit: asked the cloud");
  });

  it("tells a change of label, and the cloud's answer corrects the last decision", async () => {
    const script = [{ label: 4 }, { label: 3, why: "ask" as const }, { label: 3, why: "deferred" as const }];
    const { loop, asker, steps } = asking(script, (index, fake) => {
      if (index === 2) fake.end(0, { answer: { label: 5, confidence: 0.93, model: "teacher" } });
    });
    await loop.run();
    expect(of(steps, "event").map(({ label, source }) => [label, source])).toEqual([
      ["standing", "local"],
      ["laying", "cloud"],
    ]);
    expect(asker.told).toHaveLength(2);
    expect(asker.told[1]).toMatchObject({ label: "laying", before: "standing", source: "cloud", confidence: 0.93 });
    expect(of(steps, "outcome")[0]).toMatchObject({ use: "applied", local: "sitting", answer: "laying" });
    expect(of(steps, "decision")[2]!.record).toMatchObject({ label: "sitting", shown: "laying", source: "cloud" });
    expect(loop.counters()).toMatchObject({ events: 2, asked: 1, answered: 1, applied: 1 });
  });

  it("keeps the device's own guess when the cloud is less sure of another", async () => {
    const script = [{ label: 4 }, { label: 3, why: "ask" as const, confidenceQ15: 28000 }, { label: 3, why: "deferred" as const }];
    const { loop, asker, steps } = asking(script, (index, fake) => {
      if (index === 2) fake.end(0, { answer: { label: 5, confidence: 0.51, model: "teacher" } });
    });
    await loop.run();
    expect(asker.told[1]).toMatchObject({ label: "sitting", before: "standing" });
    expect(of(steps, "outcome")[0]).toMatchObject({ use: "kept", local: "sitting", answer: "laying" });
    expect(of(steps, "decision")[2]!.record).toMatchObject({ shown: "sitting", source: "local" });
    expect(loop.counters()).toMatchObject({ answered: 1, applied: 0 });
  });

  it("does not let an answer to an ask of an earlier process decide anything", async () => {
    const { loop, steps } = asking(
      [
        { label: 3, why: "ask" },
        { label: 3, why: "deferred" },
      ],
      (index, fake) => {
        if (index !== 1) return;
        const local = { label: 3, confidenceQ15: 9000, exit: 3 };
        const answer = { label: 5, confidence: 0.9, model: "teacher" };
        fake.events.onOutcome({ id: "ff".repeat(16), state: "answered", answer, agent: "activity", tick: 0, local, latencyMillis: 9 });
      },
    );
    await loop.run();
    expect(of(steps, "outcome")[0]).toMatchObject({ use: "superseded" });
    expect(of(steps, "event")).toHaveLength(0);
  });

  it("decides locally while the link is down, and says so", async () => {
    const script = [{ label: 4 }, { label: 3, why: "ask" as const }, { label: 3, why: "deferred" as const }];
    const { loop, asker, steps } = asking(script, (index, fake) => {
      if (index === 1) fake.events.onLinkState?.("offline", "ECONNREFUSED");
    });
    await loop.run();
    expect(of(steps, "link").at(-1)).toMatchObject({ state: "offline", detail: "ECONNREFUSED" });
    expect(of(steps, "decision")[1]!.record.reason).toMatch(/^unsure at .*: the ask waits, the link is offline$/);
    expect(asker.queries).toHaveLength(1); // durable: it goes out when the link is back
    expect(loop.label).toBe("sitting");
  });

  it("follows its own guess again when an ask expires", async () => {
    const doubt = { label: 3, why: "deferred" as const };
    const { loop, steps } = asking([{ label: 4 }, { label: 3, why: "ask" }, doubt, doubt, doubt], (index, fake) => {
      if (index === 3) fake.end(0, { state: "expired" });
    });
    await loop.run();
    expect(of(steps, "decision").map(({ record }) => record.shown)).toEqual(["standing", "standing", "standing", "standing", "sitting"]);
    expect(loop.counters()).toMatchObject({ expired: 1, answered: 0, applied: 0 });
  });

  it("follows its own guess, and asks again, when the answer comes after its hold", async () => {
    const doubt = { label: 3, why: "deferred" as const };
    const script = [{ label: 4 }, { label: 3, why: "ask" as const }, doubt, doubt, { label: 3, why: "ask" as const }, doubt];
    const { loop, session, steps } = asking(
      script,
      (index, fake) => {
        if (index === 4) fake.end(0, { answer: { label: 5, confidence: 0.9, model: "teacher" } });
      },
      { holdSeconds: 0.02 },
    );
    await loop.run();
    expect(of(steps, "outcome")[0]).toMatchObject({ use: "superseded" });
    expect(session.setPoints.map(({ askAllowed }) => askAllowed)).toEqual([true, false, true, false]);
    expect(loop.label).toBe("sitting");
  });

  it("follows its own guess, and may ask again, when an ask is turned away at once", async () => {
    const doubt = { label: 3, why: "ask" as const };
    const { loop, asker, session } = asking([{ label: 4 }, doubt, doubt]);
    const ask = asker.ask.bind(asker);
    asker.ask = (query) => {
      const id = ask(query);
      asker.end(asker.queries.length - 1, { state: "evicted", reason: "the outbox is full of alarms" });
      return id;
    };
    await loop.run();
    expect(loop.label).toBe("sitting");
    expect(session.setPoints.at(-1)).toMatchObject({ askAllowed: true });
    expect(loop.counters()).toMatchObject({ asked: 2, evicted: 2 });
  });

  it("counts held frames, resets and ignored ticks, and forgets what it knew at a reset", async () => {
    const { options, steps } = loopOptions([{ held: true }, { reset: true }, { ignored: true }, { label: 1 }]);
    const loop = createLoop(options);
    await loop.run();
    expect(loop.counters()).toMatchObject({ gaps: 1, resets: 1, ignored: 1 });
    expect(of(steps, "gap").map(({ isReset }) => isReset)).toEqual([false, true]);
  });

  it("counts and passes on what the asker finds odd", async () => {
    const { loop, steps } = asking([{ label: 1 }], (_, fake) => {
      fake.events.onAnomaly?.(new MqttError("ANSWER_UNKNOWN", "an answer to a question never asked was ignored."));
    });
    await loop.run();
    expect(loop.counters().anomalies).toBe(1);
    expect(of(steps, "anomaly")[0]!.error.code).toBe("ANSWER_UNKNOWN");
  });

  it("scores itself a hop later, where the wearer's truth is known and has a word in the model", async () => {
    const truths = ["walking", "walking", "transition", undefined, "walking", "walking"];
    const script = [{ label: 0 }, { label: 1 }, { label: 0 }, { label: 0 }, { label: 0 }, { label: 0 }];
    const { options } = loopOptions(script, { frames: frames(6, truths) });
    const loop = createLoop(options);
    await loop.run();
    expect(loop.counters().truth).toMatchObject({ decisions: 3, localRight: 2, shownRight: 2 });
  });

  it("scores what was shown after the cloud's answer", async () => {
    const script = [
      { label: 3, why: "ask" as const },
      { label: 3, why: "deferred" as const },
    ];
    const truths = ["laying", undefined];
    let asker!: FakeAsker;
    const { options } = loopOptions(script, {
      connect: (events) => {
        asker = new FakeAsker(events);
        return asker;
      },
      frames: frames(2, truths, (index) => {
        if (index === 0) asker.events.onLinkState?.("online");
        else asker.end(0, { answer: { label: 5, confidence: 0.9, model: "teacher" } });
      }),
    });
    const loop = createLoop(options);
    await loop.run();
    expect(loop.counters().truth).toEqual({ decisions: 1, localRight: 0, deviceRight: 0, shownRight: 1 });
  });

  it("does not ask while the cloud's word holds, and asks again when the doubt changes", async () => {
    const script = [{ label: 3, why: "ask" as const }, { label: 3, why: "deferred" as const }, { label: 4, why: "deferred" as const }, {}];
    const { loop, session, steps } = asking(script, (index, fake) => {
      if (index === 1) fake.end(0, { answer: { label: 5, confidence: 0.9, model: "teacher" } });
    });
    await loop.run();
    expect(session.setPoints.map(({ askAllowed }) => askAllowed)).toEqual([true, false, true]); // no word between the ask and the end of its hold
    expect(of(steps, "decision")[1]!.record.reason).toMatch(/^unsure at .*: the cloud's word holds$/);
  });

  it("finds no ask lost while each is in a state of the ledger", async () => {
    const { loop } = asking([{ label: 3, why: "ask" }]);
    await loop.run();
    expect(loop.lost()).toBe(0);
  });

  it("keeps a bounded log of decisions with their reasons", async () => {
    const { options } = loopOptions(
      Array.from({ length: 20 }, () => ({ label: 0 })),
      { logEntries: 8 },
    );
    const loop = createLoop(options);
    await loop.run();
    expect(loop.log()).toHaveLength(8);
    expect(loop.log()[7]).toMatchObject({ tick: 19, reason: "sure enough at exit 1 of 4" });
  });

  it("sends telemetry at its interval of device time", async () => {
    const { loop, asker } = asking(
      Array.from({ length: 120 }, () => ({ label: 0 })),
      () => {},
      { telemetrySeconds: 1 },
    );
    await loop.run();
    expect(asker.telemetries).toHaveLength(2);
    expect(asker.telemetries[0]).toMatchObject({ decisions: 50 });
  });

  it("waits for answers in an unpaced replay, so that a burst evicts nothing", async () => {
    const script = Array.from({ length: 6 }, () => ({ label: 3, why: "ask" as const }));
    const { loop, asker } = asking(script, () => {}, { maxPending: 2 });
    let isDone = false;
    const done = loop.run().then(() => {
      isDone = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(asker.queries).toHaveLength(3);
    for (let i = 0; !isDone && i < 12; i++) {
      if (i < asker.queries.length) asker.end(i, { answer: { label: 3, confidence: 0.9, model: "teacher" } });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await done;
    expect(asker.queries).toHaveLength(6);
  });
});
