import { describe, expect, it } from "vitest";
import type { Adapter } from "../../../host/personalize/adapter.ts";
import { createLessons } from "../../../host/personalize/lessons.ts";
import { createTrial, type Trial } from "../../../host/personalize/trial.ts";
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
    const answers = [sure(3), { label: 4, confidence: 0.49 }, undefined];
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
  const labels = { own: 1, image: 2 };
  const disputes = (trial: Trial, answers: readonly number[]) => {
    for (const answer of answers) trial.dispute(labels, answer);
  };

  it("lets the wearer's own evidence decide what it is sure of until it is behind", () => {
    const trial = createTrial();
    expect([trial.decides(labels, true), trial.decides(labels, false)]).toEqual([true, false]);
    expect(trial.decides({ own: 3, image: 3 }, true)).toBe(false); // nothing to decide
    disputes(trial, [2]);
    expect(trial.decides(labels, true)).toBe(false);
    disputes(trial, [1, 0, 3]); // level again; the others side with neither
    expect(trial.decides(labels, true)).toBe(true);
  });

  it("lets it decide whatever it says once it is three disputes ahead, and no longer", () => {
    const trial = createTrial();
    disputes(trial, [1, 1]);
    trial.dispute({ own: 3, image: 3 }, 3); // no dispute
    expect(trial.decides(labels, false)).toBe(false);
    disputes(trial, [1]);
    expect(trial.decides(labels, false)).toBe(true);
    disputes(trial, Array(20).fill(1));
    disputes(trial, [2, 2]);
    expect(trial.decides(labels, false)).toBe(false); // two are enough, however far it was ahead
    disputes(trial, [2, 2, 2]);
    expect(trial.decides(labels, true)).toBe(false);
    trial.reset();
    expect(trial.decides(labels, true)).toBe(true);
  });

  it("counts each two labels alone, either way round", () => {
    const trial = createTrial();
    disputes(trial, [1, 1, 1]);
    for (const other of [
      { own: 2, image: 1 },
      { own: 1, image: 3 },
      { own: 3, image: 2 },
    ])
      expect(trial.decides(other, false)).toBe(false);
    trial.dispute({ own: 2, image: 1 }, 1);
    expect(trial.decides({ own: 2, image: 1 }, true)).toBe(false);
    expect(trial.decides(labels, false)).toBe(true);
  });
});
