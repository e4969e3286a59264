import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom } from "../../../../host/core/system/random.ts";
import { createPrivacyBudget, largestWithin } from "../../../../host/policy/govern/privacy-budget.ts";

describe("the privacy budget", () => {
  it("lets no more bytes out on any day, and offers the largest size that fits", () => {
    const budget = createPrivacyBudget({ bytesPerDay: 10_000 });
    const random = createRandom(3);
    const sent = [0, 0, 0];
    for (let at = 0; at < 3 * 86_400; at += 300) {
      const bytes = largestWithin(budget.allowedBytes(at), [3000, 800]);
      if (bytes === 0 || random.uniform() < 0.5) continue;
      budget.send(at, bytes);
      sent[Math.floor(at / 86_400)]! += bytes;
    }
    for (const day of sent) {
      expect(day).toBeLessThanOrEqual(10_000);
      expect(day).toBeGreaterThan(9000);
    }
    expect(budget.sentBytes).toBe(sent.reduce((a, b) => a + b, 0));
  });

  it("keeps back what belongs to the rest of the day", () => {
    const budget = createPrivacyBudget({ bytesPerDay: 24_000 });
    expect(budget.pacedBytes(0)).toBeCloseTo(1000, 6);
    budget.send(0, 1000);
    expect(budget.pacedBytes(0)).toBe(0);
    expect(budget.pacedBytes(12 * 3600)).toBeCloseTo(12_000, 6);
    expect(budget.pacedBytes(86_400)).toBeCloseTo(1000, 6);
  });

  it("never lets more go in any hour or on any day than its limits (property)", () => {
    const asks = fc.array(fc.record({ after: fc.nat(8000), bytes: fc.integer({ min: 1, max: 2000 }) }), { maxLength: 60 });
    const limits = fc.record({ bitsPerHour: fc.integer({ min: 0, max: 60_000 }), bytesPerDay: fc.integer({ min: 0, max: 20_000 }) });
    fc.assert(
      fc.property(asks, limits, (list, { bitsPerHour, bytesPerDay }) => {
        const budget = createPrivacyBudget({ bitsPerHour, bytesPerDay });
        const sent: [number, number][] = [];
        let now = 0;
        for (const { after, bytes } of list) {
          now += after;
          if (bytes > budget.allowedBytes(now)) continue;
          budget.send(now, bytes);
          sent.push([now, bytes]);
        }
        const within = (from: number, to: number) => sent.reduce((sum, [at, bytes]) => (at >= from && at < to ? sum + bytes : sum), 0);
        for (const [from] of sent) {
          expect(8 * within(from, from + 3600)).toBeLessThanOrEqual(bitsPerHour);
          const day = from - (from % 86_400);
          expect(within(day, day + 86_400)).toBeLessThanOrEqual(bytesPerDay);
        }
      }),
    );
  });
});
