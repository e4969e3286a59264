import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { createSyntheticWearer, type SyntheticParameters } from "../../../host/data/synthetic.ts";
import { FALL_CYCLE } from "../../../host/data/synthetic-falls.ts";

const read = (agent: string) =>
  JSON.parse(readFileSync(join(packageRoot(), "agents", agent, "synthetic.json"), "utf8")) as SyntheticParameters;
const parameters = read("fall");
const RATE = 50;
const SECONDS = FALL_CYCLE.reduce((sum, { seconds }) => sum + seconds, 0) + 20; // with the changes of posture

function cycle(seed: number) {
  const wearer = createSyntheticWearer({ parameters, seed });
  const frames = Array.from({ length: RATE * SECONDS }, () => wearer.next());
  const g = frames.map(({ frame }) => Math.hypot(frame[0]!, frame[1]!, frame[2]!) / 2048);
  return { frames, g, fallen: frames.flatMap(({ label }, i) => (label === "fall" ? [i] : [])) };
}

describe("the synthetic wearer who falls", () => {
  it("has the motions of the activity agent's first wearers, axes turned to (x, −z, y)", () => {
    const axes = [
      [0, 1],
      [2, -1],
      [1, 1],
      [3, 1],
      [5, -1],
      [4, 1],
    ] as const;
    const activity = read("activity").wearers;
    for (const [i, wearer] of parameters.wearers.entries())
      for (const [label, { mean, cosine, noise }] of Object.entries(wearer)) {
        const own = activity[i]![label]!;
        for (const [c, [from, sign]] of axes.entries()) {
          expect(mean[c]).toBe(sign * own.mean[from]! || 0);
          expect(noise[c]).toEqual(own.noise[from]);
          if (cosine) expect(cosine[c]).toEqual(own.cosine![from]!.map((value) => sign * value || 0));
        }
      }
  });

  it.each([1, 2, 3, 4])("drops almost weightless, hits the floor at 4 g or more, and lies still: seed %i", (seed) => {
    const { frames, g, fallen } = cycle(seed);
    expect(fallen).toHaveLength(2.6 * RATE); // one fall in a cycle
    expect(fallen.at(-1)! - fallen[0]!).toBe(fallen.length - 1);
    const impact = fallen[0]! - 0.2 * RATE;
    expect(Math.min(...g.slice(impact - 40, impact))).toBeLessThan(0.6);
    expect(Math.max(...g.slice(impact, impact + 10))).toBeGreaterThan(4);
    const lying = frames.slice(impact + 2 * RATE, impact + 8 * RATE).map(({ frame }) => frame[0]! / 2048);
    expect(Math.max(...lying.map(Math.abs))).toBeLessThan(0.5); // x, up when standing, is level
  });

  it("drops down hard on purpose without a fall's label, and never as hard", () => {
    const { g, fallen } = cycle(5);
    const rest = g.filter((_, i) => i < fallen[0]! - 50 || i > fallen.at(-1)!);
    expect(Math.max(...rest)).toBeLessThan(4);
    expect(Math.max(...rest)).toBeGreaterThan(1.5);
  });

  it("gives the same frames for the same seed", () => {
    expect(cycle(7).frames).toEqual(cycle(7).frames);
  });
});
