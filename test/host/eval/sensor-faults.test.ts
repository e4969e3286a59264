import { readFileSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { Model } from "../../../host/core/session/model.ts";
import type { Recording } from "../../../host/data/recording.ts";
import { createSyntheticWearer, type SyntheticParameters } from "../../../host/data/synthetic.ts";
import { evaluateSensorFault, evaluateSound } from "../../../host/eval/sensor-faults.ts";

const folder = new URL("../../../agents/activity/", import.meta.url);
const parameters = JSON.parse(readFileSync(new URL("synthetic.json", folder), "utf8")) as SyntheticParameters;
const SECONDS = 40;
let model: Model;
beforeAll(async () => {
  model = await Model.open(new URL("model.dmm", folder).pathname);
});

/** A minute of walking between two stretches that nobody labels: there the sensor is in somebody's hands. */
function walker(): Recording {
  const wearer = createSyntheticWearer({ parameters, seed: 3, schedule: [{ label: "walking", seconds: 1000 }] });
  const n = 50 * SECONDS;
  const frames = new Int16Array(6 * (n + 1000));
  for (let i = 500; i < n + 500; i++) frames.set(wearer.next().frame, 6 * i);
  return {
    name: "a",
    subject: "1",
    channels: 6,
    frames,
    labels: new Uint8Array(n + 1000).fill(1, 500, n + 500),
    segments: [{ label: 1, start: 500, end: n + 500 }],
  };
}

it("flags nothing of a sound sensor, and bounds how often it might", () => {
  const sound = evaluateSound(model, [[walker(), { ...walker(), name: "b" }]]);
  expect(sound).toMatchObject({ streams: 1, hours: (2 * SECONDS) / 3600, flags: 0 });
  expect(sound.flagsPerWeekBound).toBeGreaterThan(0);
});

it.each([
  ["accel-ms2", "accelerometer"],
  ["gyro-rads", "gyroscope"],
] as const)("flags %s of a walker within 10 s, and answers nothing from then on", (fault, name) => {
  const figures = evaluateSensorFault(model, [[walker()]], fault);
  expect(figures).toMatchObject({ streams: 1, flagged: 1, flaggedIn10Minutes: 1, seedsIn10Minutes: 10 });
  expect(figures.faults).toContain(name);
  expect(figures.seconds.p50).toBeLessThanOrEqual(10);
  expect(figures.withheld + figures.answered).toBeLessThanOrEqual(figures.decisions);
  expect(figures.withheld).toBeGreaterThan(0.7 * figures.decisions);
  expect(figures.activities).toMatchObject([{ activity: "walking", stretches: 1, flaggedIn10: 1 }]);
});
