import { expect, it } from "vitest";
import { createRepeatLimit } from "../../../../host/core/system/repeat-limit.ts";

it("an anomaly that repeats 2,000 times → 20 per minute are told, each code for itself; the rest is counted in the next", () => {
  let now = 0;
  const told: string[] = [];
  const anomalies = createRepeatLimit({ now: () => now }, (code, message) => told.push(`${code} ${message}`));
  for (let n = 0; n < 2000; n++) anomalies.tell("A", "again.");
  anomalies.tell("B", "once.");
  expect(told).toHaveLength(21);
  now = 60_000;
  anomalies.tell("A", "again.");
  expect(told.at(-1)).toBe("A again. (1980 more like it were not reported)");
  for (let n = 0; n < 50; n++) anomalies.tell("A", "again.");
  anomalies.flush();
  anomalies.flush();
  expect(told).toHaveLength(21 + 20 + 1);
  expect(told.at(-1)).toContain("31");
});
