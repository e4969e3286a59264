import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSteadyClock, createUptime, NAMELESS_BOOT } from "../../../../host/mqtt/outbox/log-time.ts";
import { type Outbox, openOutbox } from "../../../../host/mqtt/outbox/outbox.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { outboxEntry as entry, outboxId as idOf } from "../../../support/outbox-entry.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dormouse-log-time-"));
  path = join(folder, "outbox.log");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the machine's uptime", () => {
  function machine() {
    const clock = new ManualClock();
    let slept = 0;
    let reads = 0;
    const uptime = createUptime(() => {
      reads++;
      return clock.now() + slept;
    }, clock);
    return {
      clock,
      uptime,
      truth: () => clock.now() + slept,
      reads: () => reads,
      sleep(millis: number) {
        slept += millis; // the process's clock stands still
        clock.jumpWall(millis);
      },
    };
  }

  it("is read once per second at most while the machine is awake", () => {
    const { clock, uptime, truth, reads } = machine();
    for (let i = 0; i < 5000; i++) {
      expect(uptime()).toBe(truth());
      clock.advance(1);
    }
    expect(reads()).toBe(5);
  });

  it("counts a sleep at once, and no wall clock that is set (property)", () => {
    const step = fc.record({ awake: fc.nat(3000), asleep: fc.nat(1e8), set: fc.integer({ min: -1e10, max: 1e10 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const { clock, uptime, truth, sleep } = machine();
        uptime();
        for (const { awake, asleep, set } of steps) {
          clock.advance(awake);
          if (asleep > 0) sleep(asleep);
          else clock.jumpWall(set);
          const late = truth() - uptime();
          expect(late).toBeGreaterThanOrEqual(0);
          expect(late).toBeLessThanOrEqual(50);
        }
      }),
    );
  });
});

describe("log time", () => {
  const at = (outbox: Outbox, n: number) => outbox.now() - outbox.pending.get(idOf(n))!.at;

  it("goes on through processes and clock jumps within one start of the machine", () => {
    const clock = new ManualClock();
    const boot = "ab".repeat(16);
    const open = () => openOutbox({ path, fsync: "none", time: createSteadyClock(clock, boot) });
    const first = open();
    first.add(entry(1));
    clock.jumpWall(-1e9);
    clock.advance(5000);
    first.add(entry(2));
    first.close();
    clock.jumpWall(1e12);
    clock.advance(60_000); // no process ran
    const second = open();
    expect([at(second, 1), at(second, 2)]).toEqual([65_000, 60_000]);
    clock.advance(1000);
    expect(at(second, 2)).toBe(61_000);
    second.close();
  });

  it("believes the wall clock about a power cut only where it can be right", () => {
    for (const [wallAfter, downtime] of [
      [1_700_000_000_000 + 5000 + 90_000, 90_000], // a minute and a half without power
      [1_700_000_000_000 - 1e9, 0], // set back
      [0, 0], // no battery: 1970
    ] as const) {
      rmSync(path, { force: true });
      const before = new ManualClock(1_700_000_000_000);
      const first = openOutbox({ path, fsync: "none", time: createSteadyClock(before) });
      first.add(entry(1));
      before.advance(5000);
      first.beat();
      const image = readFileSync(path); // and then the power goes
      first.close();
      writeFileSync(path, image);
      const second = openOutbox({ path, fsync: "none", time: createSteadyClock(new ManualClock(wallAfter)) });
      expect(at(second, 1)).toBe(5000 + downtime);
      second.close();
    }
  });

  it("goes on with the steady clock where the start of the machine has no name, and the wall clock was set meanwhile", () => {
    for (const [before, after] of [
      [NAMELESS_BOOT, NAMELESS_BOOT],
      [NAMELESS_BOOT, "ab".repeat(16)],
      ["ab".repeat(16), NAMELESS_BOOT],
    ] as const) {
      rmSync(path, { force: true });
      const clock = new ManualClock();
      const first = openOutbox({ path, fsync: "none", time: createSteadyClock(clock, before) });
      first.add(entry(1));
      clock.advance(5000);
      first.close();
      clock.advance(1000);
      clock.jumpWall(2 * 86_400_000); // the network told the time
      const second = openOutbox({ path, fsync: "none", time: createSteadyClock(clock, after) });
      expect(at(second, 1)).toBe(6000);
      expect(second.overdue()).toEqual([]);
      second.close();
      const restarted = new ManualClock(clock.wall() + 90_000); // its steady clock began anew: the power was off
      const third = openOutbox({ path, fsync: "none", time: createSteadyClock(restarted, NAMELESS_BOOT) });
      expect(at(third, 1)).toBe(96_000);
      third.close();
    }
  });

  it("survives compaction, and names what is older than the bound", () => {
    const clock = new ManualClock();
    const time = createSteadyClock(clock);
    const first = openOutbox({ path, fsync: "none", time, maxAgeMillis: 100_000 });
    first.add(entry(1));
    clock.advance(90_000);
    for (let n = 2; n < 4000; n++) {
      first.add(entry(n, 100));
      if (n < 3999) first.end(idOf(n), "answered");
    }
    expect(first.fileBytes).toBeLessThan(4000 * 100);
    expect(first.overdue()).toEqual([]);
    first.close();
    clock.advance(20_000);
    const second = openOutbox({ path, fsync: "none", time, maxAgeMillis: 100_000 });
    expect(at(second, 1)).toBe(110_000);
    expect(second.overdue()).toEqual([idOf(1)]);
    second.close();
  });

  it("never runs backwards, whatever clocks do (property)", () => {
    const move = fc.record({
      steady: fc.nat(100_000),
      wall: fc.integer({ min: -1e10, max: 1e10 }),
      isReboot: fc.boolean(),
      isNameless: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(move, { maxLength: 12 }), (moves) => {
        rmSync(path, { force: true });
        let clock = new ManualClock();
        let boot = "ab".repeat(16);
        let least = 0; // powered time since the ask
        let most = 0;
        for (const [n, { steady, wall, isReboot, isNameless }] of [...moves.entries()]) {
          if (isReboot) {
            const jumped = Math.max(0, clock.wall() + wall);
            most += Math.max(0, jumped - clock.wall());
            clock = new ManualClock(jumped);
            boot = n.toString(16).padStart(32, "1");
          } else clock.jumpWall(wall);
          const outbox = openOutbox({ path, fsync: "none", time: createSteadyClock(clock, isNameless ? NAMELESS_BOOT : boot) });
          if (n === 0) outbox.add(entry(1));
          clock.advance(steady);
          least += steady;
          most += steady;
          if (n === 0) [least, most] = [steady, steady];
          const age = at(outbox, 1);
          expect(age).toBeGreaterThanOrEqual(least - 1e-3);
          expect(age).toBeLessThanOrEqual(most + Math.abs(wall) * Number(isReboot) + 1e-3);
          outbox.close();
        }
      }),
      { numRuns: 60 },
    );
  });
});
