import { describe, expect, it } from "vitest";
import { seeded } from "../support/random.ts";
import { serviceMillis, simulateWorker, sizeWorkers } from "./worker-queue.ts";

const constant = [{ asks: 1, millis: 10 }];
const curve = [
  { asks: 1, millis: 5 },
  { asks: 8, millis: 12 },
  { asks: 32, millis: 36 },
];

describe("the simulated worker", () => {
  it.each([0.3, 0.6, 0.8])("has M/D/1's mean time in the system at a load of %d, answering one by one", (load) => {
    const service = [...constant, { asks: 2, millis: 20 }];
    const result = simulateWorker({
      ...{ arrivalsPerSecond: load * 100, service, batchLimit: 1, queueLimit: 1e9, seconds: 1500, random: seeded(3) },
    });
    const expected = 10 + (load * 10) / (2 * (1 - load)); // Pollaczek–Khinchine, no variance of service
    expect(result.meanMillis / expected).toBeGreaterThan(0.96);
    expect(result.meanMillis / expected).toBeLessThan(1.04);
    expect(Math.abs(result.utilisation - load)).toBeLessThan(0.02);
    expect(result.meanBatch).toBe(1);
  });

  it("makes larger batches, not longer queues, of more load, until a full batch is not enough", () => {
    const at = (arrivalsPerSecond: number) =>
      simulateWorker({ arrivalsPerSecond, service: curve, batchLimit: 32, queueLimit: 512, seconds: 200, random: seeded(4) });
    const [light, heavy, over] = [at(20), at(700), at(1200)]; // 32 in 36 ms: 889 a second
    expect(light.meanBatch).toBeLessThan(1.3);
    expect(heavy.meanBatch).toBeGreaterThan(8);
    expect(heavy.p99Millis).toBeLessThan(110);
    expect(heavy.refusedShare).toBe(0);
    expect(over.refusedShare).toBeGreaterThan(0.2);
    expect(over.utilisation).toBeGreaterThan(0.99);
  });

  it("reads the curve between its points as lines", () => {
    expect([1, 8, 32, 4.5, 20].map((asks) => serviceMillis(curve, asks))).toEqual([5, 12, 36, 8.5, 24]);
  });
});

describe("the size of a fleet", () => {
  it("is the fewest workers that keep the latency with the reserve away", () => {
    const options = { service: curve, batchLimit: 32, queueLimit: 512, seconds: 60, p99Millis: 200, reserve: 0.3, arrivalsPerSecond: 5000 };
    const result = sizeWorkers({ ...options, random: seeded(5) });
    const without = (workers: number) => simulateWorker({ ...options, arrivalsPerSecond: 5000 / (workers * 0.7), random: seeded(6) });
    expect(without(result.workers).p99Millis).toBeLessThan(220);
    expect(without(result.workers - 1).p99Millis).toBeGreaterThan(150);
    expect(result.p99Millis).toBeLessThan(without(result.workers).p99Millis);
    const alone = sizeWorkers({ ...options, batchLimit: 1, random: seeded(5) });
    expect(alone.workers).toBeGreaterThan(3 * result.workers); // 5 ms an ask, against 36 / 32
  });
});
