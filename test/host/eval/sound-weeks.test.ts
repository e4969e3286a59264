import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { PlausibilityMonitor } from "../../../host/core/arithmetic/plausibility.ts";
import { readImage } from "../../../host/core/image/image-read.ts";
import { createSyntheticWearer, type SyntheticParameters } from "../../../host/data/synthetic.ts";

// Nightly with DORMOUSE_WEEKS=30. The oracle of the monitor stands in for the core: the same bits, without the net.
const weeks = Number(process.env.DORMOUSE_WEEKS ?? 0.01);
const FRAMES_PER_WEEK = 7 * 86_400 * 50;
const PATCH_FRAMES = 4;

const folder = new URL("../../../agents/activity/", import.meta.url);
const { plausibility } = readImage(readFileSync(new URL("model.dmm", folder)));
const parameters = JSON.parse(readFileSync(new URL("synthetic.json", folder), "utf8")) as SyntheticParameters;

it(`flags a sound sensor at most once a week: ${weeks} weeks of synthetic wearers`, { timeout: 4 * 3_600_000 }, () => {
  let flags = 0;
  for (let seed = 1; seed <= Math.ceil(weeks); seed++) {
    const wearer = createSyntheticWearer({ parameters, seed });
    const monitor = new PlausibilityMonitor(plausibility!);
    let before = wearer.next().frame;
    let faults = 0;
    const frames = Math.round(Math.min(1, weeks - seed + 1) * FRAMES_PER_WEEK);
    for (let i = 1; i < frames; i++) {
      const { frame } = wearer.next();
      if (i % PATCH_FRAMES === PATCH_FRAMES - 1 && monitor.push(frame, before)) {
        if (monitor.faults !== 0 && faults === 0) flags++;
        faults = monitor.faults;
      }
      before = frame;
    }
  }
  console.log(`${flags} flags in ${weeks} wearer-weeks`);
  expect(flags).toBeLessThanOrEqual(weeks);
});
