import { describe, expect, it } from "vitest";
import { EXIT_NEVER } from "../../../assembly/layout.ts";
import { writeImage } from "../../../host/core/image/image-write.ts";
import { Model } from "../../../host/core/session/model.ts";
import type { Decision, Session } from "../../../host/core/session/session-types.ts";
import { type Adaptation, createAdapter } from "../../../host/personalize/adapter.ts";
import { createPersonalizedSession } from "../../../host/personalize/personalized-session.ts";
import { randomPatches, seeded } from "../../support/random.ts";
import { modelOn } from "../../support/reference-model.ts";
import { adaptable, windowsFor } from "./support.ts";

const { image, prior } = adaptable();
const bytes = writeImage(image);
const patches = randomPatches(seeded(4), 24, 640);

/** An adapter that has learned windows of class 2. */
function adapted(count = 40) {
  const adapter = createAdapter(image, prior);
  for (const window of windowsFor(image, count)) adapter.learn(window, 2);
  return adapter;
}

const decisionsOf = (session: Session, from = 0): Decision[] =>
  patches.slice(from).flatMap((patch) => session.pushPatch(patch).decision ?? []);

describe("a session with another LDA head", () => {
  it.each(["reference", "scalar", "simd"] as const)("gives the bits of an image with that head: %s", (engine) => {
    const lda = adapted().lda();
    const given = modelOn(engine, bytes).createSession();
    const own = modelOn(engine, writeImage({ ...image, lda })).createSession();
    given.setLda(lda);
    const said = decisionsOf(own);
    expect(decisionsOf(given)).toEqual(said);
    expect(said.length).toBe(40);
    const plain = modelOn(engine, bytes).createSession();
    expect(decisionsOf(plain)).not.toEqual(said);
    plain.reset();
    given.reset();
    given.setLda(image.lda);
    expect(decisionsOf(given)).toEqual(decisionsOf(plain)); // taken back without a trace
  });

  it.each(["reference", "simd"] as const)("refuses what does not fit: %s", (engine) => {
    const session = modelOn(engine, bytes).createSession();
    const { lda } = image;
    expect(() => session.setLda({ ...lda, shift: 41 })).toThrow("shift is 41");
    expect(() => session.setLda({ ...lda, weights: lda.weights.slice(1) })).toThrow(expect.objectContaining({ code: "BAD_TENSOR" }));
    const { lda: _, ...bare } = image;
    const plain = modelOn(engine, writeImage(bare)).createSession();
    expect(() => plain.setLda(lda)).toThrow(expect.objectContaining({ code: "BAD_LDA" }));
  });
});

describe("a personalized session", () => {
  const model = Model.load(bytes);
  const never = image.exits.map(() => EXIT_NEVER);
  const full = { maxExit: 3, hopPatches: 16, askAllowed: false, limitReason: "none", askIntervalHops: 1, thresholds: never } as const;
  const open = (from?: Adaptation) => createPersonalizedSession(model, { image, prior }, { from });

  /** Decisions of the personalized session, the image's own and the adapted one, side by side. */
  function* sideBySide(session: Session, own = adapted()) {
    const [plain, other] = [model.createSession(), model.createSession()];
    other.setLda(own.lda());
    for (const patch of patches) {
      const [is, one, two] = [session, plain, other].map((each) => each.pushPatch(patch).decision);
      if (is && one && two) yield { is, one, two };
    }
  }

  it("takes the adapted head's decision if that is sure and the image is not, else the image's", () => {
    const session = open(adapted().adaptation);
    let [taken, kept, sure] = [0, 0, 0];
    for (const { is, one, two } of sideBySide(session)) {
      const isTaken = one.why !== "exit" && two.why === "exit";
      if (isTaken && one.label !== two.label) taken++;
      else if (one.why === "exit" && one.label !== two.label) sure++;
      else kept++;
      expect(is).toEqual({ ...(isTaken ? two : one), macs: one.macs + two.macs, steps: one.steps + two.steps });
    }
    expect(Math.min(taken, kept, sure)).toBeGreaterThan(0);
    expect(session.status().decided).toBe(taken);
  });

  it.each([
    ["neither head is sure", full],
    ["the decision stopped short of the last exit", { ...full, maxExit: 2, thresholds: [0, 0, 0, 0] }],
  ])("leaves the decision to the image if %s", (_, setPoint) => {
    const [session, alone] = [open(adapted().adaptation), model.createSession()];
    for (const one of [session, alone]) one.setPoint(setPoint);
    const labelsOf = (one: Session) => decisionsOf(one).map(({ label }) => label);
    expect(labelsOf(session)).toEqual(labelsOf(alone));
    expect(session.status().decided).toBe(0);
  });

  it("learns the asked window from an answer that agrees with the image, once, and reports it", () => {
    const learned: number[] = [];
    const options = { onLearned: ({ windows }: Adaptation) => learned.push(Math.max(...windows)) };
    const session = createPersonalizedSession(model, { image, prior }, options);
    const { label } = patches
      .slice(0, 64)
      .flatMap((patch) => session.pushPatch(patch).decision ?? [])
      .at(-1)!;
    session.asked("a");
    const window = session.context().slice(-image.windowPatches * 24);
    for (const patch of patches.slice(64, 96)) session.pushPatch(patch); // decisions go on while the ask is pending
    session.reset();
    for (let i = 0; i < 2; i++) session.ended("a", { label, confidence: 0.9 });
    expect(session.status()).toMatchObject({ learned: 1 });
    expect(learned).toEqual([1]);
    const adapter = createAdapter(image, prior);
    adapter.learn(window, label);
    expect(session.adaptation).toEqual(adapter.adaptation);
  });

  it("learns nothing from answers that disagree, are not confident, never came or belong to another run", () => {
    const session = open();
    const { label } = decisionsOf(session).at(-1)!;
    const answers = [{ label: (label + 1) % 7, confidence: 0.99 }, { label, confidence: 0.49 }, undefined];
    for (const [i, answer] of answers.entries()) {
      session.asked(String(i));
      session.ended(String(i), answer);
    }
    session.ended("another run's", { label, confidence: 0.99 });
    expect(session.status()).toMatchObject({ learned: 0 });
  });

  it("forgets the oldest of more than 64 pending asks", () => {
    const session = open();
    const { label } = decisionsOf(session).at(-1)!;
    for (let i = 0; i <= 64; i++) session.asked(String(i));
    for (let i = 0; i <= 64; i++) session.ended(String(i), { label, confidence: 0.9 });
    expect(session.status()).toMatchObject({ learned: 64 });
  });

  it("gives the image's decisions and bits before it has learned, at twice the work", () => {
    const [session, alone] = [open(), model.createSession()];
    const own = decisionsOf(session);
    expect(own).toEqual(decisionsOf(alone).map((one) => ({ ...one, macs: 2 * one.macs, steps: 2 * one.steps })));
    expect(session.context()).toEqual(alone.context());
    expect(session.snapshot()).toEqual(alone.snapshot());
    expect(session.opCount(3).macs).toBe(2 * alone.opCount(3).macs);
    expect(session.arenaBytes).toBe(2 * alone.arenaBytes);
    expect(() => session.setLda(image.lda)).toThrow(expect.objectContaining({ code: "LDA_TAKEN" }));
  });
});
