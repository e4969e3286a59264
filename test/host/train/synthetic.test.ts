import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readImage } from "../../../host/core/image/image-read.ts";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { createSyntheticWearer, type SyntheticParameters, TRANSITION_LABEL } from "../../../host/data/synthetic.ts";
import { createReferenceSession } from "../../reference/session.ts";

const parameters = JSON.parse(readFileSync(join(packageRoot(), "agents/activity/synthetic.json"), "utf8")) as SyntheticParameters;

function take(seed: number, count: number) {
  const wearer = createSyntheticWearer({ parameters, seed });
  return Array.from({ length: count }, () => wearer.next());
}

it("gives the same frames for the same seed and others for another", () => {
  expect(take(1, 500)).toEqual(take(1, 500));
  expect(take(1, 500)).not.toEqual(take(2, 500));
});

it("stays near 1 g while nothing moves and visits every activity in half an hour", () => {
  const frames = take(4, 90000);
  const seen = new Set(frames.map(({ label }) => label));
  for (const label of ["walking", "upstairs", "downstairs", "sitting", "standing", "laying", TRANSITION_LABEL])
    expect(seen).toContain(label);
  const still = frames.filter(({ label }) => label === "laying" || label === "standing");
  const sizes = still.map(({ frame }) => Math.hypot(frame[0]!, frame[1]!, frame[2]!) / 2048);
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  expect(Math.abs(mean - 1)).toBeLessThan(0.08);
});

it("follows a schedule and refuses an activity that the bank lacks", () => {
  const wearer = createSyntheticWearer({ parameters, seed: 1, schedule: [{ label: "laying", seconds: 2 }] });
  expect(Array.from({ length: 300 }, () => wearer.next().label).every((label) => label === "laying")).toBe(true);
  expect(() => createSyntheticWearer({ parameters, seed: 1, schedule: [{ label: "flying", seconds: 2 }] })).toThrow(/flying/);
});

it("is recognised by the shipped student, which is unsure now and then", () => {
  const bytes = new Uint8Array(readFileSync(join(packageRoot(), "agents/activity/model.dmm")));
  const { manifest, hopPatches, exits } = readImage(bytes);
  const session = createReferenceSession(bytes);
  session.setPoint({
    maxExit: exits.length - 1,
    hopPatches,
    askAllowed: true,
    limitReason: "none",
    askIntervalHops: 1,
    thresholds: exits.map(() => 0), // the certified ones hold
  });
  let scored = 0;
  let right = 0;
  let unsure = 0;
  for (let seed = 1; seed <= 6; seed++) {
    session.reset();
    take(seed, 12000).forEach(({ frame, label }, i) => {
      const { decision } = session.pushFrame(frame, i + 1);
      if (!decision || label === TRANSITION_LABEL) return;
      scored++;
      if (manifest.labels[decision.label] === label) right++;
      if (decision.why !== "exit") unsure++;
    });
  }
  expect(right / scored).toBeGreaterThan(0.85);
  expect(right / scored).toBeLessThan(1);
  expect(unsure / scored).toBeGreaterThan(0.02);
  expect(unsure / scored).toBeLessThan(0.5);
});
