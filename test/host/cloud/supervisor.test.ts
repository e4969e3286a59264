import { describe, expect, it } from "vitest";
import { type SupervisorOptions, superviseWorkers } from "../../../host/cloud/supervisor.ts";
import { ManualClock } from "../../support/manual-clock.ts";

function setUp(more: Partial<SupervisorOptions> = {}) {
  const clock = new ManualClock();
  const starts: number[] = [];
  const exits = new Map<number, (reason: string) => void>();
  const stops: string[] = [];
  const waits: number[] = [];
  const supervisor = superviseWorkers({
    count: 2,
    clock,
    random: () => Uint8Array.of(255, 255),
    start(index, onExit) {
      starts.push(index);
      exits.set(index, onExit);
      return { pid: 100 + starts.length, stop: (isForced) => stops.push(`${index}${isForced ? " forced" : ""}`) };
    },
    onRestart: (_index, _reason, waitMillis) => waits.push(Math.round(waitMillis)),
    ...more,
  });
  return { clock, supervisor, starts, exits, stops, waits };
}

describe("the supervisor of workers", () => {
  it("starts each again after it ended, waiting longer each time, and anew once it has lasted", () => {
    const { clock, supervisor, starts, exits, waits } = setUp();
    expect(starts).toEqual([0, 1]);
    for (let i = 0; i < 3; i++) {
      exits.get(1)!("killed");
      clock.advance(waits.at(-1)! + 1);
    }
    expect(starts).toEqual([0, 1, 1, 1, 1]);
    expect(waits[1]!).toBeGreaterThan(waits[0]!);
    expect(waits[2]!).toBeGreaterThan(waits[1]!);
    clock.advance(20_000);
    exits.get(1)!("killed");
    expect(waits[3]).toBe(waits[0]);
    expect(supervisor.restarts).toBe(4);
    expect(supervisor.pids()).toEqual([101]); // the other waits for its start
  });

  it("asks all to end, starts none again, and ends by force those that do not", async () => {
    const { clock, supervisor, starts, exits, stops } = setUp({ drainMillis: 5000 });
    const stopped = supervisor.stop();
    expect(stops).toEqual(["0", "1"]);
    exits.get(0)!("done");
    clock.advance(5000);
    expect(stops).toEqual(["0", "1", "1 forced"]);
    exits.get(1)!("forced");
    await stopped;
    clock.advance(60_000);
    expect(starts).toEqual([0, 1]);
    expect(supervisor.pids()).toEqual([]);
    await supervisor.stop();
  });

  it("forgets a start that was due when it is stopped", async () => {
    const { clock, supervisor, starts, exits } = setUp();
    exits.get(0)!("crashed");
    exits.get(1)!("crashed");
    await supervisor.stop();
    clock.advance(60_000);
    expect(starts).toEqual([0, 1]);
    expect(clock.timers).toBe(0);
  });
});
