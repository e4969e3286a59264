import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as L from "../../../../assembly/layout.ts";
import { PlausibilityMonitor } from "../../../../host/core/arithmetic/plausibility.ts";
import { readImage } from "../../../../host/core/image/image-read.ts";
import type { Plausibility } from "../../../../host/core/image/image-types.ts";
import { writeImage } from "../../../../host/core/image/image-write.ts";
import { Model } from "../../../../host/core/session/model.ts";
import { measureBlocks } from "../../../../host/train/fit-plausibility.ts";
import { fitTurned } from "../../../../host/train/fit-turned.ts";
import { createReferenceSession } from "../../../reference/session.ts";

/** A frame of a walker with x up, deterministic: 2 Hz up and down, 1 Hz sideways. */
function walk(t: number): Int16Array {
  const w = (2 * Math.PI * t) / 25;
  const noise = ((t * 7919) % 13) - 6;
  return Int16Array.from([
    2000 + 600 * Math.sin(w) + noise,
    -250 + 250 * Math.sin(w / 2) + noise,
    50 + 200 * Math.cos(w) - noise,
    300 * Math.sin(w / 2) + noise,
    350 * Math.cos(w) + noise,
    150 * Math.sin(w / 2 + 1) - noise,
  ]);
}

function walkFrames(seconds: number): Int16Array {
  return Int16Array.from(Array.from({ length: 50 * seconds }, (_, t) => [...walk(t)]).flat());
}

const walked = measureBlocks(
  [
    {
      name: "walk",
      subject: "w",
      channels: 6,
      frames: walkFrames(60),
      labels: new Uint8Array(3000).fill(1),
      segments: [{ label: 1, start: 0, end: 3000 }],
    },
  ],
  4,
);

const rule = { mode: L.RULE_MODE_MOVING, on: 5, bias: 0, first: 0 };
const rules: Plausibility = {
  rules: [
    { ...rule, fault: 0, mode: L.RULE_MODE_GATE, on: 1, bias: -41_943, first: L.MONITOR_POWER, weights: Int16Array.of(1) },
    { ...rule, fault: L.FAULT_ACCELEROMETER, mode: L.RULE_MODE_ALWAYS, on: 3, bias: -241_756, weights: Int16Array.of(1) },
    { ...rule, fault: L.FAULT_STUCK, mode: L.RULE_MODE_ALWAYS, on: 4, first: L.MONITOR_UNCHANGED, weights: Int16Array.of(1) },
    { ...rule, fault: L.FAULT_GYROSCOPE, first: L.MONITOR_POWER, weights: Int16Array.of(1, -200) },
    { ...rule, fault: L.FAULT_AXES, mode: L.RULE_MODE_RESTED, bias: 314_573, first: L.MONITOR_SUMS, weights: Int16Array.of(-1024, 0, 0) },
    {
      ...rule,
      fault: L.FAULT_TURNED,
      on: 40,
      first: L.MONITOR_PRODUCTS,
      weights: Int16Array.from(fitTurned(walked, [1, 0, 0]), Math.round),
    },
  ],
};

const shipped = new URL("../../../../agents/activity/model.dmm", import.meta.url);
const limited = writeImage({ ...readImage(readFileSync(shipped)), plausibility: rules });

type Change = (frame: Int16Array) => void;
const faulty: readonly [string, number, number, Change][] = [
  ["m/s²", L.FAULT_ACCELEROMETER, 10, (f) => f.set(f.subarray(0, 3).map((v) => Math.min(32767, v * 9.80665)))],
  ["swapped bytes", L.FAULT_ACCELEROMETER, 10, (f) => f.set(f.map((v) => ((v & 255) << 8) | ((v >> 8) & 255)))],
  ["a stuck axis", L.FAULT_STUCK, 10, (f) => f.fill(77, 1, 2)],
  ["a dead gyroscope", L.FAULT_GYROSCOPE, 10, (f) => f.fill(0, 3)],
  [
    "rad/s",
    L.FAULT_GYROSCOPE,
    10,
    (f) =>
      f.set(
        f.subarray(3).map((v) => Math.round(v / 57.3)),
        3,
      ),
  ],
  ["gravity on another axis", L.FAULT_AXES, 10, (f) => f.set([f[1]!, f[0]!, -f[2]!, f[4]!, f[3]!, -f[5]!])],
  ["a turn about gravity", L.FAULT_TURNED, 60, (f) => f.set([f[0]!, -f[2]!, f[1]!, f[3]!, -f[5]!, f[4]!])],
];

/** Pushes walking, as patches of 4 frames. */
function walkOn(monitor: PlausibilityMonitor, seconds: number, change: Change): void {
  let before = walk(0);
  for (let t = 0; t < 50 * seconds; t++) {
    const frame = walk(t);
    change(frame);
    if (t % 4 === 3) monitor.push(frame, before);
    before = frame;
  }
}

describe("the plausibility monitor", () => {
  test("raises nothing on a walker", () => {
    const monitor = new PlausibilityMonitor(rules);
    walkOn(monitor, 600, () => {});
    expect(monitor.faults).toBe(0);
  });

  test.each(faulty)("raises its fault while walking with %s, and clears it in as long again", (_, fault, seconds, change) => {
    const monitor = new PlausibilityMonitor(rules);
    walkOn(monitor, seconds, change);
    expect(monitor.faults & fault).toBe(fault);
    walkOn(monitor, seconds + 2, () => {});
    expect(monitor.faults & fault).toBe(0);
  });

  test("core and oracle keep the same state for any frames, none traps, and no faulty sensor is answered for or asked about", {
    timeout: 60_000,
  }, () => {
    const sessions = [
      ...(["scalar", "simd"] as const).map((engine) => Model.load(limited, { engine }).createSession()),
      createReferenceSession(limited),
    ];
    const value = fc.oneof(fc.integer({ min: -32768, max: 32767 }), fc.constantFrom(-32768, 32767, 0, 2048));
    const piece = fc.record({
      frames: fc.array(fc.array(value, { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 8 }),
      repeat: fc.integer({ min: 1, max: 40 }),
      gap: fc.integer({ min: 1, max: 12 }),
      isWalk: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 6 }), (pieces) => {
        for (const session of sessions) session.reset();
        let tick = 0;
        for (const { frames, repeat, gap, isWalk } of pieces) {
          tick += gap;
          for (let i = 0; i < frames.length * repeat; i++) {
            const frame = isWalk ? walk(i) : Int16Array.from(frames[i % frames.length]!);
            const results = sessions.map((session) => session.pushFrame(frame, tick));
            tick++;
            expect(results[1]).toEqual(results[0]);
            expect(results[2]).toEqual(results[0]);
            const { decision } = results[0]!;
            if (decision?.sensorFaults) expect(decision.why).toBe("deferred");
          }
        }
        const [first, ...others] = sessions.map((session) => session.snapshot());
        for (const other of others) expect(other).toEqual(first);
        sessions[0]!.restore(first!);
      }),
      { numRuns: 12, seed: 5 },
    );
  });

  test("the fault survives a gap that resets the stream, and a snapshot", () => {
    const session = Model.load(limited, { engine: "scalar" }).createSession();
    let faults = session.pushFrame(walk(0), 0).decision?.sensorFaults;
    for (let t = 1; t < 600; t++) {
      const frame = walk(t);
      frame.fill(0, 3);
      faults = session.pushFrame(frame, t + (t > 500 ? 1000 : 0)).decision?.sensorFaults ?? faults;
    }
    expect(faults).toBe(L.FAULT_GYROSCOPE);
    const other = Model.load(limited, { engine: "simd" }).createSession();
    other.restore(session.snapshot());
    expect(other.decide().sensorFaults).toBe(faults);
  });

  test("an image with a rule about a feature that there is not is refused", () => {
    const record = { ...rules, rules: rules.rules.map((one) => ({ ...one, first: L.MONITOR_FEATURES })) };
    expect(() => writeImage({ ...readImage(limited), plausibility: record })).toThrow("plausibility: rule 0: first");
  });
});
