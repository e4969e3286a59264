import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeImage } from "../../../host/core/image/image-write.ts";
import { Model } from "../../../host/core/session/model.ts";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { createRandom } from "../../../host/core/system/random.ts";
import { type FaultName, faultNames, lostFrames, rotated, rotation, stuck, withFault } from "../../../host/data/sensor-faults.ts";
import type { SyntheticParameters } from "../../../host/data/synthetic.ts";
import { evaluateStream, evaluateWindows } from "../../../host/eval/evaluate.ts";
import { activityShaped } from "../../golden/random-image.ts";
import { syntheticRecording } from "../../support/recording.ts";
import { modelOn } from "../../support/reference-model.ts";

const parameters = JSON.parse(readFileSync(join(packageRoot(), "agents/activity/synthetic.json"), "utf8")) as SyntheticParameters;
const recording = syntheticRecording(parameters, ["walking", "sitting", "standing"], { seed: 2, frames: 3000, subject: "1" });

describe("faults", () => {
  it("turn both triads by 20 degrees about one axis, keeping lengths", () => {
    const [turned] = withFault([recording], "rotate20", 1);
    const angles: number[] = [];
    for (let at = 0; at < 600; at += 3) {
      const before = [...recording.frames.subarray(at, at + 3)];
      const after = [...turned!.frames.subarray(at, at + 3)];
      const [a, b] = [Math.hypot(...before), Math.hypot(...after)];
      if (a < 200) continue; // rounding alone turns a short vector
      expect(Math.abs(a - b)).toBeLessThan(2);
      angles.push(Math.acos(Math.min(1, before.reduce((sum, x, i) => sum + x * after[i]!, 0) / (a * b))) * (180 / Math.PI));
    }
    expect(Math.max(...angles)).toBeLessThan(20.6); // less where the vector lies near the axis
    expect(angles.length).toBeGreaterThan(50);
  });

  it("turn x to y by a quarter about z, and clamp", () => {
    const quarter = rotation([0, 0, 1], Math.PI / 2);
    expect([...rotated(Int16Array.of(1000, 0, 5, 0, 300, -7), quarter)]).toEqual([0, 1000, 5, -300, 0, -7]);
    const eighth = rotation([0, 0, 1], Math.PI / 4);
    expect([...rotated(Int16Array.of(32767, 32767, 0, 0, 0, 0), eighth)].slice(0, 2)).toEqual([0, 32767]);
  });

  it("stick one accelerometer axis at its first value, or silence the gyroscope, and touch nothing else", () => {
    expect([...stuck(Int16Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), 1)]).toEqual([1, 2, 3, 4, 5, 6, 7, 2, 9, 10, 11, 12]);
    const [silent] = withFault([recording], "no-gyro", 1);
    silent!.frames.forEach((value, i) => {
      expect(value).toBe(i % 6 < 3 ? recording.frames[i] : 0);
    });
  });

  it("lose about a tenth of the frames, in gaps of at most twelve, never the first", () => {
    const lost = lostFrames(60_000, createRandom(3));
    const share = lost.reduce((sum, value) => sum + value, 0) / lost.length;
    expect(share).toBeGreaterThan(0.09);
    expect(share).toBeLessThan(0.11);
    expect(lost[0]).toBe(0);
    const gaps = [...lost].join("").split("0").filter(Boolean);
    expect(Math.max(...gaps.map((gap) => gap.length))).toBe(12);
    expect(Math.min(...gaps.map((gap) => gap.length))).toBe(1);
  });

  it("wrong wiring: m/s² for g, rad/s for °/s, axes in another order, bytes swapped, a quarter turn", () => {
    const one = { ...recording, frames: Int16Array.of(2048, -100, 5000, 573, -573, 0x1234), labels: Uint8Array.of(1) };
    const faulty = (fault: FaultName): number[] => [...withFault([one], fault, 1)[0]!.frames];
    expect(faulty("accel-ms2")).toEqual([20084, -981, 32767, 573, -573, 0x1234]);
    expect(faulty("gyro-rads")).toEqual([2048, -100, 5000, 10, -10, 81]);
    expect(faulty("swapped-bytes")).toEqual([8, -25345, -30701, 15618, -15363, 0x3412]);
    const permuted = faulty("permuted-axes");
    expect(permuted.slice(0, 3).sort()).toEqual([2048, -100, 5000].sort());
    expect(permuted).not.toEqual([...one.frames]);
    expect(faulty("rotate90").slice(0, 3).map(Math.abs).sort()).toEqual([2048, 100, 5000].sort());
  });

  it.each(faultNames)(
    "%s is the same for the same recording and seed in any list, another for another, and spares the original",
    (fault) => {
      const before = recording.frames.slice();
      const other = { ...recording, name: "another" };
      const [alone] = withFault([recording], fault, 1);
      const [first, second] = withFault([other, recording], fault, 1);
      expect(second).toEqual(alone);
      expect(recording.frames).toEqual(before);
      if (fault === "rotate20" || fault === "lost-frames") expect({ ...first, name: "" }).not.toEqual({ ...alone, name: "" });
    },
  );

  it("refuse frames that are not an IMU's", () => {
    expect(() => withFault([{ ...recording, channels: 3 }], "no-gyro", 1)).toThrow(/3 channels/);
  });
});

describe("evaluating with lost frames", () => {
  const model = Model.load(writeImage(activityShaped(4)));
  const users = ["1"];
  const sound = { recordings: [recording] };
  const lossy = { recordings: withFault([recording], "lost-frames", 1) };

  it.each([
    ["window", evaluateWindows],
    ["stream", evaluateStream],
  ] as const)("leaves it to the session to hold and to reset (%s protocol), and scores the same windows", (_, evaluate) => {
    const losses = { held: 0, resets: 0 };
    const none = { held: 0, resets: 0 };
    const faulty = evaluate(model, lossy, { users, losses });
    const without = evaluate(model, sound, { users, losses: none });
    expect(faulty.windows).toBe(without.windows);
    expect(faulty.sha256).not.toBe(without.sha256);
    expect(none).toEqual({ held: 0, resets: 0 });
    expect(losses.held).toBeGreaterThan(losses.resets);
    expect(losses.resets).toBeGreaterThan(0);
  });

  it("gives the same result on the core and on the oracle", () => {
    const run = (engine: "scalar" | "reference") => {
      const given = modelOn(engine, writeImage(activityShaped(4)));
      const short = { recordings: lossy.recordings.map((one) => ({ ...one, segments: one.segments.slice(0, 2) })) };
      return evaluateStream(given, short, { users }).sha256;
    };
    expect(run("scalar")).toBe(run("reference"));
  });
});
