import { describe, expect, it } from "vitest";
import { ShownLabel, type ShownLabelOptions } from "../../../host/agent/shown-label.ts";

const SITTING = 3;
const STANDING = 4;

function shown(options: Partial<ShownLabelOptions> = {}) {
  const made = new ShownLabel({ stableDecisions: 2, holdFrames: 1000, ...options });
  let tick = 0;
  const next = (): number => {
    tick += 64;
    return tick;
  };
  return {
    made,
    sure: (label: number) => made.decide({ label, isSure: true, isAsked: false, isOnline: true, tick: next() }),
    unsure: (label: number, isAsked: boolean) => made.decide({ label, isSure: false, isAsked, isOnline: true, tick: next() }),
    answer: (label: number, localLabel: number, back = 0) => made.answer({ label, localLabel, tick: tick - back * 64 }),
    end: (back = 0) => made.noAnswer(tick - back * 64),
    skip: (frames: number) => {
      tick += frames;
    },
  };
}

describe("the steady label", () => {
  it("changes only once enough sure decisions in a row agree", () => {
    const t = shown();
    expect(t.sure(STANDING)).toBeUndefined();
    expect(t.sure(STANDING)).toMatchObject({ label: STANDING, before: undefined, source: "local" });
    expect(t.sure(SITTING)).toBeUndefined();
    expect(t.sure(STANDING)).toBeUndefined();
    expect(t.sure(SITTING)).toBeUndefined();
    expect(t.made.label).toBe(STANDING);
    expect(t.sure(SITTING)).toMatchObject({ label: SITTING, before: STANDING });
  });

  it("does not follow unsure guesses while an answer is on its way", () => {
    const t = shown();
    t.sure(STANDING);
    t.sure(STANDING);
    for (let i = 0; i < 5; i++) expect(t.unsure(SITTING, i === 0)).toBeUndefined();
    expect(t.made.label).toBe(STANDING);
  });

  it("follows unsure guesses where nobody can be asked", () => {
    const t = shown();
    t.unsure(SITTING, false);
    expect(t.unsure(SITTING, false)).toBeUndefined();
    expect(t.unsure(SITTING, false)).toMatchObject({ label: SITTING, source: "local" }); // one more than sure ones need
  });

  it("counts unsure guesses like sure ones where the image smooths its labels", () => {
    const t = shown({ isSmoothed: true });
    t.unsure(SITTING, false);
    expect(t.unsure(SITTING, false)).toMatchObject({ label: SITTING, source: "local" });
    const single = shown({ isSmoothed: true, stableDecisions: 1 });
    for (const label of [SITTING, STANDING, SITTING]) expect(single.unsure(label, false)).toMatchObject({ label });
    expect(single.unsure(STANDING, true)).toBeUndefined(); // an answer is on its way
  });

  it("follows unsure guesses again once no answer will come", () => {
    const t = shown();
    t.unsure(SITTING, true);
    expect(t.made.isAsked).toBe(true);
    t.end();
    expect(t.made.isAsked).toBe(false);
    for (let i = 0; i < 2; i++) expect(t.unsure(SITTING, false)).toBeUndefined();
    expect(t.unsure(SITTING, false)).toMatchObject({ label: SITTING });
  });

  it("follows unsure guesses while the link is down, and does not repeat its question", () => {
    const t = shown();
    t.unsure(SITTING, true);
    t.made.stopWaiting();
    for (let i = 0; i < 2; i++) t.unsure(SITTING, false);
    expect(t.made.isAsked).toBe(true);
    expect(t.unsure(SITTING, false)).toMatchObject({ label: SITTING });
  });

  it("goes on waiting when an ask about an earlier doubt ends", () => {
    const t = shown();
    t.unsure(SITTING, true);
    t.sure(STANDING);
    t.unsure(SITTING, true);
    t.end(2);
    expect(t.made.isAsked).toBe(true);
  });

  it("takes the cloud's word at once, and holds it while the model repeats its doubt", () => {
    const t = shown();
    t.unsure(SITTING, true);
    expect(t.answer(STANDING, SITTING)).toMatchObject({ use: "applied", change: { label: STANDING, source: "cloud" } });
    for (let i = 0; i < 5; i++) t.unsure(SITTING, false);
    expect(t.made.label).toBe(STANDING);
    expect(t.made.source).toBe("cloud");
  });

  it("drops the cloud's word when the model becomes sure, doubts something else, or the hold is over", () => {
    const sure = shown();
    sure.unsure(SITTING, true);
    sure.answer(STANDING, SITTING);
    sure.sure(SITTING);
    expect(sure.sure(SITTING)).toMatchObject({ label: SITTING, source: "local" });

    const held = shown({ holdFrames: 200 });
    held.unsure(SITTING, true);
    held.answer(STANDING, SITTING);
    held.made.stopWaiting();
    held.skip(300);
    for (let i = 0; i < 2; i++) held.unsure(SITTING, false);
    expect(held.unsure(SITTING, false)).toMatchObject({ label: SITTING, source: "local" });
  });

  it("ignores an answer that comes after the model has made up its mind", () => {
    const t = shown();
    t.unsure(SITTING, true);
    t.sure(STANDING);
    t.sure(STANDING);
    expect(t.answer(SITTING, SITTING, 2)).toEqual({ use: "superseded", change: undefined });
    expect(t.made.label).toBe(STANDING);
  });

  it("ignores an answer to an earlier doubt of the same name", () => {
    const t = shown();
    t.unsure(SITTING, true);
    t.sure(STANDING);
    t.unsure(SITTING, true);
    expect(t.answer(STANDING, SITTING, 2).use).toBe("superseded");
    expect(t.answer(STANDING, SITTING).use).toBe("applied");
  });

  it("follows unsure guesses again once an answer came after its hold, and waits for no second one", () => {
    const t = shown({ holdFrames: 100 });
    t.sure(STANDING);
    t.sure(STANDING);
    t.unsure(SITTING, true);
    t.unsure(SITTING, false);
    t.unsure(SITTING, false);
    expect(t.answer(STANDING, SITTING, 2)).toEqual({ use: "superseded", change: undefined });
    expect(t.made.isAsked).toBe(false);
    t.unsure(SITTING, true);
    expect(t.made.isAsked).toBe(true);
    expect(t.unsure(SITTING, false)).toBeUndefined();
    expect(t.unsure(SITTING, false)).toMatchObject({ label: SITTING, source: "local" });
    expect(t.answer(STANDING, SITTING)).toMatchObject({ use: "applied", change: { label: STANDING, source: "cloud" } }); // one in time counts
  });

  it("calls an answer that agrees a confirmation", () => {
    const t = shown();
    t.unsure(SITTING, true);
    expect(t.answer(SITTING, SITTING)).toMatchObject({ use: "confirmed", change: { label: SITTING, source: "cloud" } });
  });

  it("lets the device's own label count where the cloud was less sure of another, as decided here", () => {
    const made = new ShownLabel({ stableDecisions: 1, holdFrames: 1000 });
    made.decide({ label: SITTING, isSure: false, isAsked: true, isOnline: true, tick: 64 });
    const { use, change } = made.answer({ label: STANDING, localLabel: SITTING, tick: 64, isKept: true });
    expect(use).toBe("kept");
    expect(change).toMatchObject({ label: SITTING, source: "local" });
  });

  it("keeps the order of ticks over the wrap of the counter", () => {
    const made = new ShownLabel({ stableDecisions: 1, holdFrames: 1000 });
    made.decide({ label: SITTING, isSure: false, isAsked: true, isOnline: true, tick: 0xffff_ffc0 });
    made.decide({ label: SITTING, isSure: false, isAsked: false, isOnline: true, tick: 0 });
    expect(made.answer({ label: STANDING, localLabel: SITTING, tick: 0xffff_ffc0 }).use).toBe("applied");
  });

  it("believes no answer across a reset of the model", () => {
    const t = shown();
    t.unsure(SITTING, true);
    t.made.reset();
    expect(t.answer(STANDING, SITTING).use).toBe("superseded");
  });
});
