import { join } from "node:path";
import { expect, it } from "vitest";
import { readSyntheticParameters } from "../../host/agent/sensors/synthetic-sensor.ts";
import { Model } from "../../host/core/session/model.ts";
import { packageRoot } from "../../host/core/system/package-root.ts";
import { syntheticRecording } from "../support/recording.ts";
import { compareScans } from "./short-scan.ts";

it("an int16 scan state at scales chosen on a recording → hardly another accuracy than int32", async () => {
  const folder = join(packageRoot(), "agents/activity");
  const { image, manifest } = await Model.open(join(folder, "model.dmm"));
  const parameters = readSyntheticParameters(join(folder, "synthetic.json"));
  const of = (seed: number) => [syntheticRecording(parameters, manifest.labels.slice(0, 6), { seed, frames: 2400 })];
  const { shifts, int32, int16 } = compareScans(image, of(1), of(2));
  for (const [b, shift] of shifts.entries()) {
    if (image.blocks[b]!.kind === "ssm")
      expect(shift).toBeGreaterThan(0); // an int32 state that needed more than 16 bits
    else expect(shift).toBe(0);
  }
  expect(int32.window).toBeGreaterThan(0.6);
  expect(Math.abs(int16.window - int32.window)).toBeLessThan(0.05);
  expect(Math.abs(int16.stream - int32.stream)).toBeLessThan(0.05);
});
