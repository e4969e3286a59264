import { describe, expect, it } from "vitest";
import { exp2Neg, sigmoid, sine } from "../../reference/lm/curves.ts";

// The oracle's curves on every input; the core's are the same bits (lm.test.ts).
describe("the language core's curves", () => {
  it("2^−z: never rises, and is within 2.2 units of the last place at every z", () => {
    let before = 16384;
    for (let z = 0; z < 32768; z++) {
      const p = exp2Neg(z);
      expect(p).toBeLessThanOrEqual(before);
      if (Math.abs(p - 16384 * 2 ** (-z / 2048)) > 2.2) expect.fail(`z = ${z}: ${p}`);
      before = p;
    }
  });

  it("σ: within 2.4e−4 for every power, and 1 − σ on the other side fits", () => {
    for (let power = 0; power < 16384; power++) {
      const error = Math.abs(sigmoid(power) / 32768 - 1 / (1 + power / 16384));
      if (error > 2.6e-4) expect.fail(`2^−z = ${power}: ${error}`);
    }
  });

  it("sine: within 2.6 units of the last place at every phase that it tells apart", () => {
    for (let phase = 0; phase < 2 ** 32; phase += 2 ** 15) {
      const error = Math.abs(sine(phase) - 16384 * Math.sin((2 * Math.PI * (phase + 2 ** 14)) / 2 ** 32));
      if (error > 2.6) expect.fail(`phase ${phase}: ${error}`);
    }
  });
});
