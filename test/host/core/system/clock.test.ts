import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../../../host/core/system/clock.ts";

describe("the machine's own clock", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("calls once after the whole time, however much more than a timer holds", () => {
    for (const millis of [1500, 2 ** 31 - 1, 2 ** 31, 5e9, 1e10 + 1]) {
      let calls = 0;
      systemClock.after(millis, () => calls++);
      vi.advanceTimersByTime(millis - 1);
      expect(calls, `${millis} ms`).toBe(0);
      vi.advanceTimersByTime(1);
      expect(calls, `${millis} ms`).toBe(1);
      expect(vi.getTimerCount()).toBe(0);
    }
  });

  it("can be told not to, also half way, and never calls after a time without end", () => {
    let calls = 0;
    const cancel = systemClock.after(5e9, () => calls++);
    const cancelEndless = systemClock.after(Number.POSITIVE_INFINITY, () => calls++);
    vi.advanceTimersByTime(4.5e9);
    for (const end of [cancel, cancelEndless]) end();
    vi.advanceTimersByTime(1e10);
    expect(calls).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
