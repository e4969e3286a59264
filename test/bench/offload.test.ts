import { describe, expect, it } from "vitest";
import { fakeIo } from "../host/cli/fake-io.ts";
import { runBench } from "./program.ts";

async function bench(...args: string[]) {
  const { io, output } = fakeIo();
  const code = await runBench(args, io);
  return { code, ...output() };
}

describe("bench", () => {
  it("offload with two worker processes → all answered, nothing lost, nothing acted on twice", async () => {
    const { code, stdout } = await bench("offload", "--devices", "6", "--asks", "90", "--outstanding", "3", "--workers", "2", "--json");
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as { cloud: Record<string, number> };
    expect(report).toMatchObject({
      asked: 90,
      answered: 90,
      expired: 0,
      refused: 0,
      evicted: 0,
      pending: 0,
      lost: 0,
      duplicatesActedOn: 0,
    });
    expect(report).toMatchObject({ p50Millis: expect.any(Number), p99Millis: expect.any(Number), asksPerSecond: expect.any(Number) });
    expect(report.cloud.answered).toBeGreaterThanOrEqual(90);
    expect(report.cloud.largestBatch).toBeGreaterThan(1);
  });

  it("sizing with a time per ask given → workers in proportion to the devices", async () => {
    const workers = async (devices: string) => {
      const { code, stdout } = await bench("sizing", "--devices", devices, "--ask-millis", "50", "--json");
      expect(code).toBe(0);
      return (JSON.parse(stdout) as { batched: { workers: number } }).batched.workers;
    };
    expect(await workers("100")).toBe(1);
    expect(await workers("100000")).toBeGreaterThan(5);
  });

  it.each([
    ["an unknown bench", ["dance"]],
    ["a burst without a number", ["burst"]],
    ["a soak of zero minutes", ["soak", "0"]],
    ["an option of another bench", ["offload", "--rate", "1"]],
  ])("%s → exit code 1 and an error", async (_, args) => {
    const { code, stderr } = await bench(...args);
    expect(code).toBe(1);
    expect(stderr).toContain("error:");
  });
});
