import { describe, expect, it } from "vitest";
import type { Adapter } from "../../../host/adapt/adapter.ts";
import { createLessons } from "../../../host/adapt/lessons.ts";
import { createTrial } from "../../../host/adapt/trial.ts";
import { adaptable } from "./support.ts";

const { image } = adaptable();
const patchBytes = 24;

/** A context of patches up to `patch`, each of which holds its number's last digits. */
const context = (patch: number, rows = Math.min(patch, image.contextPatches)) =>
  Int8Array.from({ length: rows * patchBytes }, (_, i) => (patch - rows + Math.floor(i / patchBytes) + 1) % 100);

function lessons() {
  const learned: { label: number; last: number }[] = [];
  const adapter = {
    learn(window: Int8Array, label: number) {
      expect(window).toHaveLength(image.windowPatches * patchBytes);
      learned.push({ label, last: window.at(-1)! });
      return true;
    },
  } as Adapter;
  return { learned, made: createLessons(adapter, image) };
}

const sure = (label: number) => ({ label, confidence: 0.95 });

describe("lessons", () => {
  it("teach every window of the stretch that an answer confirms, as far as the context goes, and none twice", () => {
    const { learned, made } = lessons();
    made.decided(1, 16);
    for (let patch = 32; patch <= 96; patch += 16) made.decided(4, patch);
    made.asked("a", context(96));
    expect(made.ended("a", sure(4))).toBe(5);
    expect(learned.map(({ last }) => last)).toEqual([32, 48, 64, 80, 96]);
    made.decided(4, 112);
    made.decided(4, 128);
    made.asked("b", context(128));
    expect(made.ended("b", sure(4))).toBe(2);
    expect(learned.slice(5).map(({ last }) => last)).toEqual([112 % 100, 128 % 100]);
    for (let patch = 144; patch <= 400; patch += 16) made.decided(4, patch);
    made.asked("c", context(400));
    expect(made.ended("c", sure(4))).toBe(7); // a context of 128 patches holds seven windows of 32, one a hop
    expect(made.windows).toBe(14);
  });

  it("teach nothing that device and cloud do not agree on, or that the cloud is not sure of, or never answered", () => {
    const { learned, made } = lessons();
    const answers = [sure(3), { label: 4, confidence: 0.69 }, undefined];
    for (const [i, answer] of answers.entries()) {
      made.decided(4, 64 + 16 * i);
      made.asked(String(i), context(64 + 16 * i));
      expect(made.ended(String(i), answer)).toBe(0);
    }
    expect(made.ended("of another run", sure(4))).toBe(0);
    expect(learned).toEqual([]);
  });

  it("forget the stretch when the state begins anew, and asks beyond their bound", () => {
    const { made } = lessons();
    made.decided(2, 640);
    made.reset();
    made.decided(2, 32);
    made.asked("first", context(32));
    for (let i = 0; i < 64; i++) {
      made.decided(2, 48 + 16 * i);
      made.asked(`later ${i}`, context(48 + 16 * i));
    }
    expect(made.ended("first", sure(2))).toBe(0);
    expect(made.ended("later 0", sure(2))).toBe(1);
  });
});

describe("a trial", () => {
  it("lets the wearer's own evidence speak once it is ahead, and no longer", () => {
    const trial = createTrial();
    const labels = { own: 1, image: 2 };
    expect(trial.isOwn).toBe(false);
    trial.dispute(labels, 1);
    expect(trial.isOwn).toBe(true);
    trial.dispute(labels, 0); // sides with neither
    trial.dispute({ own: 3, image: 3 }, 3); // no dispute
    expect(trial.isOwn).toBe(true);
    trial.dispute(labels, 2);
    expect(trial.isOwn).toBe(false);
    for (let i = 0; i < 20; i++) trial.dispute(labels, 1);
    for (let i = 0; i < 4; i++) trial.dispute(labels, 2);
    expect(trial.isOwn).toBe(false); // four bring it back, however long it was ahead
    for (let i = 0; i < 5; i++) trial.dispute(labels, 1);
    trial.reset();
    expect(trial.isOwn).toBe(false);
  });
});
