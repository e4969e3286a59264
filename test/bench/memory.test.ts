import { describe, expect, it } from "vitest";
import { memorySeries, residentKiB } from "./memory.ts";

const samples = (kiBAt: (minute: number) => number) => Array.from({ length: 101 }, (_, i) => ({ minute: i / 10, kiB: kiBAt(i / 10) }));

describe("a memory series", () => {
  it("finds the slope of what follows the warm-up, whatever came before", () => {
    const grows = memorySeries(
      "worker",
      samples((minute) => 100 * 1024 + 1024 * minute),
    );
    expect(grows.slopeMiBPerMinute).toBeCloseTo(1, 3);
    expect(grows.isFlat).toBe(false);
    const fills = memorySeries(
      "worker",
      samples((minute) => 1024 * (minute < 3 ? 50 + 20 * minute : 110)),
    );
    expect(fills.slopeMiBPerMinute).toBeCloseTo(0, 3);
    expect(fills).toMatchObject({ isFlat: true, firstMiB: 110, lastMiB: 110 });
  });

  it("is not fooled by a saw, nor by too few samples", () => {
    const saw = memorySeries(
      "gateway",
      samples((minute) => 1024 * (200 + 10 * (minute % 1))),
    );
    expect(Math.abs(saw.slopeMiBPerMinute)).toBeLessThan(0.2);
    expect(saw).toMatchObject({ isFlat: true, firstMiB: 200, lastMiB: 200 });
    const leaking = memorySeries(
      "gateway",
      samples((minute) => 1024 * (200 + 60 * ((minute / 1.5) % 1) + 3 * minute)),
    );
    expect(leaking.isFlat).toBe(false); // its teeth are higher than the leak
    expect(memorySeries("one", [{ minute: 0, kiB: 1024 }])).toMatchObject({ slopeMiBPerMinute: 0, firstMiB: 1, lastMiB: 1 });
  });

  it.skipIf(process.platform !== "linux")("reads this process's own from /proc, and of one that is gone nothing", () => {
    expect(residentKiB(process.pid)).toBeGreaterThan(10_000);
    expect(residentKiB(2 ** 22 + 1)).toBeUndefined();
  });
});
