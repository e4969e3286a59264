import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadBoard, loadRadio } from "../../../host/power/board.ts";
import { radioKinds } from "../../../host/power/board-power.ts";
import { createRadio } from "../../../host/power/radio.ts";

const board = loadBoard("nrf52840-dk");

describe.each(radioKinds)("the %s radio", (kind) => {
  const profile = loadRadio(board, kind);

  it("costs what it said it would, for one exchange in a quiet time", () => {
    for (const bytesUp of [0, 100, 3500]) {
      const radio = createRadio(profile);
      const quiet = createRadio(profile);
      const price = radio.priceJoules(100, { bytesUp, bytesDown: 160, waitSeconds: 0 });
      radio.carry(100, bytesUp, 160);
      const end = 100 + profile.attachMillis.value / 1000 + profile.tailMillis.value / 1000 + 1;
      radio.advance(end);
      quiet.advance(end);
      const more = radio.joules - quiet.joules;
      // The kept connection after the tail, and the floor that the tail replaced, are not in the price.
      expect(Math.abs(more - price)).toBeLessThan(0.05 * price + 0.01);
    }
  });

  it("never gains energy, and is cheaper while it is up", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: 0, max: 400, noNaN: true }), fc.integer({ min: 0, max: 5000 })), { maxLength: 60 }),
        (steps) => {
          const radio = createRadio(profile);
          let at = 0;
          let before = 0;
          for (const [wait, bytes] of steps) {
            at = Math.max(at + wait, radio.carry(at + wait, bytes, 10));
            expect(radio.joules).toBeGreaterThan(before);
            before = radio.joules;
            const need = { bytesUp: 500, bytesDown: 100, waitSeconds: 0.1 };
            expect(radio.priceJoules(at, need)).toBeLessThanOrEqual(radio.priceJoules(at + 1e6, need) + 1e-12);
            expect(radio.readySeconds(at)).toBe(0);
          }
          expect(Number.isFinite(radio.joules)).toBe(true);
        },
      ),
    );
  });

  it("goes off after its tail if its next use is planned for later than staying connected pays, and else does not", () => {
    const idle = (plan: number | undefined): number => {
      const radio = createRadio(profile);
      radio.carry(0, 200, 50);
      radio.plan(plan);
      const before = radio.idleJoules;
      radio.advance(3600);
      return radio.idleJoules - before;
    };
    const offJoules = 3600 * profile.offMicroamps.value * 1e-6 * profile.supplyVolts.value;
    expect(idle(3600)).toBeLessThanOrEqual(offJoules);
    const reconnect = Math.max(0, profile.attachMillijoules.value - profile.wakeMillijoules.value) / 1000; // what it stays connected for
    expect(idle(undefined) - idle(3600)).toBeCloseTo(reconnect, 9);
    expect(idle(30)).toBe(idle(undefined)); // soon: it stays connected
  });

  it("spends at most twice what the better of always kept and always off would have, between exchanges", () => {
    const gaps = [1, 10, 60, 200, 600, 3000, 20_000];
    for (const gap of gaps) {
      const joulesOf = (isAlwaysConnected: boolean): number => {
        const radio = createRadio(profile, { isAlwaysConnected });
        for (let i = 1; i <= 20; i++) radio.carry(i * gap, 200, 50);
        radio.advance(21 * gap);
        return radio.joules;
      };
      const volts = profile.supplyVolts.value;
      const airAndTail =
        21 * (profile.attachMillijoules.value / 1000) + 20 * (profile.tailMillis.value / 1e6) * profile.tailMilliamps.value * volts;
      const off = airAndTail + 21 * gap * profile.offMicroamps.value * 1e-6 * volts + 1;
      expect(joulesOf(false)).toBeLessThanOrEqual(2 * Math.min(joulesOf(true), off) + profile.attachMillijoules.value / 1000);
    }
  });
});

it("is named as missing where a board has none", () => {
  expect(() => loadRadio(loadBoard("linux-x64"), "wifi")).toThrow(/linux-x64 has no wifi radio/);
});
