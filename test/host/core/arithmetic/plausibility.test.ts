import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as L from "../../../../assembly/layout.ts";
import { PlausibilityMonitor, turnNumbers, turnOfNumber, turnPattern } from "../../../../host/core/arithmetic/plausibility.ts";
import { readImage } from "../../../../host/core/image/image-read.ts";
import type { Plausibility } from "../../../../host/core/image/image-types.ts";
import { writeImage } from "../../../../host/core/image/image-write.ts";
import { Model } from "../../../../host/core/session/model.ts";
import { createReferenceSession } from "../../../reference/session.ts";

/** Limits as of a waist sensor with x up; the pattern alone is made up. */
const limits: Plausibility = {
  gravityLow: 1769,
  gravityHigh: 2475,
  moving: 70884,
  ratio: 102,
  ratioLimit: 1070,
  upX: 1015,
  upY: -138,
  upZ: 5,
  tiltLimit: 600,
  turnLimit: 81490,
  means: Int16Array.from([
    904, -111, 27, -316, -512, -605, -404, -394, -664, -220, -180, 26, 104, -10, 145, -105, -73, 103, -19, -43, 14, -135, -50, 2,
  ]),
  weights: new Int16Array(L.PATTERN_STATISTICS).fill(150),
};

const shipped = new URL("../../../../agents/activity/model.dmm", import.meta.url);
const limited = writeImage({ ...readImage(readFileSync(shipped)), plausibility: limits });

/** A frame of a walker, deterministic: 2 Hz up and down, 1 Hz sideways. */
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

type Fault = (frame: Int16Array) => void;
const faulty: readonly [string, number, Fault][] = [
  ["m/s²", L.FAULT_UNITS, (f) => f.set(f.subarray(0, 3).map((v) => Math.min(32767, v * 9.80665)))],
  ["swapped bytes", L.FAULT_BYTE_ORDER, (f) => f.set(f.map((v) => ((v & 255) << 8) | ((v >> 8) & 255)))],
  ["a stuck axis", L.FAULT_STUCK, (f) => f.fill(77, 1, 2)],
  ["a dead gyroscope", L.FAULT_DEAD_GYRO, (f) => f.fill(0, 3)],
  [
    "rad/s",
    L.FAULT_GYRO_UNITS,
    (f) =>
      f.set(
        f.subarray(3).map((v) => Math.round(v / 57.3) + (v & 1)),
        3,
      ),
  ],
  ["gravity on another axis", L.FAULT_AXES, (f) => f.set([f[1]!, f[0]!, -f[2]!, f[4]!, f[3]!, -f[5]!])],
];

function faultAfter(monitor: PlausibilityMonitor, seconds: number, fault: Fault): void {
  let before: Int16Array | undefined;
  for (let t = 0; t < 50 * seconds; t++) {
    const frame = walk(t);
    fault(frame);
    monitor.push(frame, before);
    before = frame;
  }
}

describe("the plausibility monitor", () => {
  test("raises nothing on a walker", () => {
    const monitor = new PlausibilityMonitor(limits);
    faultAfter(monitor, 120, () => {});
    expect(monitor.faults).toBe(0);
  });

  test.each(faulty)("raises its fault within 10 s of walking with %s, and clears it", (_, fault, change) => {
    const monitor = new PlausibilityMonitor(limits);
    faultAfter(monitor, 10, change);
    expect(monitor.faults & fault).toBe(fault);
    faultAfter(monitor, 30, () => {});
    expect(monitor.faults & fault).toBe(0);
  });

  test("a turn of a turn back is the pattern itself; there are 24 turns", () => {
    expect(turnNumbers).toHaveLength(24);
    const pattern = Int32Array.from({ length: L.PATTERN_STATISTICS }, (_, k) => 100 * k + 1);
    for (const number of turnNumbers) {
      const turned = turnPattern(pattern, turnOfNumber(number));
      expect(turnNumbers.some((back) => turnPattern(turned, turnOfNumber(back)).every((value, k) => value === pattern[k]))).toBe(true);
    }
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
            if (decision?.sensorFault) expect(decision.why).toBe("deferred");
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
    let fault = session.pushFrame(walk(0), 0).decision?.sensorFault;
    for (let t = 1; t < 500; t++) {
      const frame = walk(t);
      frame.fill(0, 3);
      fault = session.pushFrame(frame, t + (t > 400 ? 1000 : 0)).decision?.sensorFault ?? fault;
    }
    expect(fault).toEqual({ faults: L.FAULT_DEAD_GYRO, value: 0 });
    const other = Model.load(limited, { engine: "simd" }).createSession();
    other.restore(session.snapshot());
    expect(other.decide().sensorFault).toEqual(fault);
  });
});
