import { describe, expect, it } from "vitest";
import { EXIT_NEVER } from "../../../assembly/layout.ts";
import { writeImage } from "../../../host/core/image/image-write.ts";
import { Model } from "../../../host/core/session/model.ts";
import type { Decision, Session } from "../../../host/core/session/session-types.ts";
import { createAdapter } from "../../../host/personalize/adapter.ts";
import { createWearer } from "../../../host/personalize/wearer.ts";
import { randomPatches, seeded } from "../../support/random.ts";
import { modelOn } from "../../support/reference-model.ts";
import { adaptable, windowsFor } from "./support.ts";

const { image, prior } = adaptable();
const bytes = writeImage(image);
const patches = randomPatches(seeded(4), 24, 640);

/** Evidence of a wearer who taught windows of class 2. */
function taught(count = 40) {
  const adapter = createAdapter(image, prior, { priorWindows: 1 });
  for (const window of windowsFor(image, count)) adapter.learn(window, 2);
  return adapter;
}

const decisionsOf = (session: Session, from = 0): Decision[] =>
  patches.slice(from).flatMap((patch) => session.pushPatch(patch).decision ?? []);

describe("a session with other evidence", () => {
  it.each(["reference", "scalar", "simd"] as const)("gives the bits of an image with that evidence: %s", (engine) => {
    const lda = taught().lda();
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

describe("a wearer's session", () => {
  const model = Model.load(bytes);
  const never = image.exits.map(() => EXIT_NEVER);
  const full = { maxExit: 3, hopPatches: 16, askAllowed: false, limitReason: "none", askIntervalHops: 1, thresholds: never } as const;

  it("decides as the image does until its own evidence has won its disputes, then as that does where the two differ", () => {
    const wearer = createWearer(model, { image, prior }, taught().taught);
    const alone = model.createSession();
    for (const session of [wearer.session, alone]) session.setPoint(full); // sure of nothing
    let won = 0;
    let changed = 0;
    for (const patch of [...patches, ...patches]) {
      const { decision } = wearer.session.pushPatch(patch);
      const plain = alone.pushPatch(patch).decision;
      if (!decision || !plain) continue;
      if (decision.label !== plain.label) {
        changed++;
        expect(decision.label).toBe(2); // what was taught
        expect(won).toBeGreaterThan(2);
      }
      if (won === 4 || !wearer.isCurious() || decision.patch % 128 === 0) continue; // every eighth is explored
      wearer.asked(`a${won}`);
      expect(wearer.isCurious()).toBe(false); // one at a time
      wearer.ended(`a${won++}`, { label: 2, confidence: 1 });
    }
    expect(won).toBe(4);
    expect(changed).toBeGreaterThan(0);
    expect(wearer.status()).toMatchObject({ disputes: 4, decidedByOwn: changed });
    wearer.session.reset();
    decisionsOf(wearer.session);
    expect(wearer.status().decidedByOwn).toBe(changed); // after a reset it has to win again
    expect(wearer.session.opCount(3).macs).toBe(2 * alone.opCount(3).macs);
    expect(() => wearer.session.setLda(image.lda)).toThrow("finds its own evidence");
  });

  it("decides at once what its own evidence is sure of and the image is not", () => {
    const own = taught();
    const wearer = createWearer(model, { image, prior }, own.taught);
    const alone = model.createSession();
    const other = model.createSession();
    other.setLda(own.lda());
    let taken = 0;
    for (const patch of patches) {
      const { decision } = wearer.session.pushPatch(patch);
      const plain = alone.pushPatch(patch).decision;
      const sure = other.pushPatch(patch).decision;
      if (!decision || !plain || !sure) continue;
      const isOwn = plain.why !== "exit" && sure.why === "exit" && sure.label !== plain.label;
      if (isOwn) taken++;
      const { macs, steps } = decision;
      expect(decision).toEqual({ ...(isOwn ? sure : plain), macs, steps });
    }
    expect(taken).toBeGreaterThan(0);
    expect(wearer.status()).toMatchObject({ decidedByOwn: taken, disputes: 0 });
  });

  it("leaves a decision that stopped short to the image", () => {
    const own = taught();
    const wearer = createWearer(model, { image, prior }, own.taught);
    wearer.session.setPoint({ ...full, maxExit: 2 }); // sure of nothing, and there is another exit
    const labels = decisionsOf(wearer.session).map(({ label }) => label);
    const alone = model.createSession();
    alone.setPoint({ ...full, maxExit: 2 });
    expect(labels).toEqual(decisionsOf(alone).map(({ label }) => label));
    for (const patch of patches.slice(0, 20)) wearer.session.pushPatch(patch);
    expect(wearer.isCurious()).toBe(false);
    expect(wearer.status().decidedByOwn).toBe(0);
  });

  it("never decides what the image is sure of", () => {
    const wearer = createWearer(model, { image, prior }, taught().taught);
    const alone = model.createSession();
    let [sure, differs] = [0, 0];
    for (const [i, patch] of patches.entries()) {
      const { decision } = wearer.session.pushPatch(patch);
      const plain = alone.pushPatch(patch).decision;
      if (!decision || !plain) continue;
      if (plain.why === "exit") {
        sure++;
        expect(decision).toEqual({ ...plain, macs: decision.macs, steps: decision.steps });
        continue;
      }
      if (decision.label !== plain.label) differs++;
      wearer.asked(String(i));
      wearer.ended(String(i), { label: 2, confidence: 0 }); // sides with what was taught
    }
    expect(sure).toBeGreaterThan(3);
    expect(differs).toBeGreaterThan(0);
  });

  it("leaves aside the answer to a dispute from before a reset", () => {
    const wearer = createWearer(model, { image, prior }, taught().taught);
    wearer.session.setPoint(full);
    for (const patch of patches) {
      if (wearer.session.pushPatch(patch).decision && wearer.isCurious()) break;
    }
    wearer.asked("a");
    wearer.session.reset();
    wearer.ended("a", { label: 2, confidence: 1 });
    decisionsOf(wearer.session);
    expect(wearer.status()).toMatchObject({ decidedByOwn: 0, disputes: 0 });
  });

  it("wonders about every eighth decision and every dispute, within its allowances", () => {
    for (const from of [undefined, taught().taught]) {
      const wearer = createWearer(model, { image, prior }, from);
      wearer.session.setPoint({ ...full, hopPatches: 1 });
      let asked = 0;
      let decisions = 0;
      for (let round = 0; round < 2; round++)
        for (const patch of patches) {
          if (!wearer.session.pushPatch(patch).decision) continue;
          decisions++;
          if (!wearer.isCurious()) continue;
          wearer.asked(String(++asked));
          wearer.ended(String(asked), { label: 0, confidence: 0 }); // never teaches, and loses its disputes
        }
      const refilled = Math.floor(decisions / 256);
      const { disputes } = wearer.status();
      expect(disputes).toBe(from ? 16 + refilled : 0);
      expect(asked - disputes).toBeLessThanOrEqual(32 + refilled);
      expect(asked - disputes).toBeGreaterThan(from ? 0 : 31);
    }
  });

  it("learns from answers that agree, tells of it, and counts the work of both sessions", () => {
    const told: number[] = [];
    const wearer = createWearer(model, { image, prior }, undefined, ({ windows }) => told.push(windows[label]!));
    wearer.session.setPoint(full);
    const alone = model.createSession();
    alone.setPoint(full);
    let label = -1;
    for (const patch of patches.slice(0, 128)) {
      const { decision } = wearer.session.pushPatch(patch);
      const plain = alone.pushPatch(patch).decision;
      if (decision) expect(decision).toEqual({ ...plain!, macs: 2 * plain!.macs, steps: 2 * plain!.steps });
      label = decision?.label ?? label;
    }
    expect(wearer.isCurious()).toBe(true); // the eighth decision
    wearer.asked("a");
    wearer.ended("a", { label, confidence: 0.9 });
    const { learned, windows } = wearer.status();
    expect(learned).toBeGreaterThan(0);
    expect(windows[label]).toBe(learned);
    expect(told).toEqual([learned]);
    wearer.ended("a", { label, confidence: 0.9 }); // once
    expect(wearer.status().learned).toBe(learned);
  });

  it("saves up no allowance while it is not curious", () => {
    const wearer = createWearer(model, { image, prior });
    wearer.session.setPoint({ ...full, hopPatches: 1 });
    for (let round = 0; round < 4; round++) decisionsOf(wearer.session);
    let asked = 0;
    for (const patch of patches) {
      if (!wearer.session.pushPatch(patch).decision || !wearer.isCurious()) continue;
      wearer.asked(String(++asked));
      wearer.ended(String(asked), { label: 0, confidence: 0 });
    }
    expect(asked).toBeGreaterThanOrEqual(32);
    expect(asked).toBeLessThanOrEqual(32 + Math.ceil(patches.length / 256));
  });

  it("gives the bits of a session that was never adapted while nothing was taught", () => {
    const wearer = createWearer(model, { image, prior });
    const alone = model.createSession();
    const labelsOf = (session: Session) =>
      decisionsOf(session).map(({ label, exit, confidenceQ15, why }) => ({ label, exit, confidenceQ15, why }));
    expect(labelsOf(wearer.session)).toEqual(labelsOf(alone));
    expect(wearer.session.context()).toEqual(alone.context());
    expect(wearer.session.snapshot()).toEqual(alone.snapshot());
  });
});
