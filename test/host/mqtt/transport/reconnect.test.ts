import { type AddressInfo, createServer, type Socket } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MqttError } from "../../../../host/core/system/errors.ts";
import { createAsker } from "../../../../host/mqtt/asks/asker.ts";
import { backoffMillis, resendMillis, systemRandom } from "../../../../host/mqtt/transport/backoff.ts";
import { createBreaker } from "../../../../host/mqtt/transport/breaker.ts";
import { createReconnect, STABLE_MILLIS } from "../../../../host/mqtt/transport/reconnect.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { seeded } from "../../../support/random.ts";
import { until } from "../../../support/until.ts";

const HOUR = 3_600_000;
const backoff = { firstMillis: 500, maxMillis: 30_000 };
const bytesOf = (random: () => number) => (count: number) => Uint8Array.from({ length: count }, () => Math.floor(random() * 256));

/** The most that any window of an hour holds of these spans. */
function worstHour(spans: readonly (readonly [number, number])[]): number {
  let worst = 0;
  for (const from of spans.flatMap(([begin, end]) => [begin, end - HOUR])) {
    const inside = spans.map(([begin, end]) => Math.max(0, Math.min(end, from + HOUR) - Math.max(begin, from)));
    worst = Math.max(
      worst,
      inside.reduce((a, b) => a + b, 0),
    );
  }
  return worst;
}

describe("the machine's randomness", () => {
  it("hands out each byte once: no id comes twice, and one that is kept stays as it was", () => {
    const ids = Array.from({ length: 1000 }, (_, n) => systemRandom(1 + (n % 40)));
    const texts = ids.map((id) => Buffer.from(id).toString("hex"));
    const long = systemRandom(5000);
    expect(long.length).toBe(5000);
    expect(ids.map((id) => Buffer.from(id).toString("hex"))).toEqual(texts);
    const whole = texts.filter((text) => text.length >= 32).map((text) => text.slice(0, 32));
    expect(new Set(whole).size).toBe(whole.length);
  });
});

describe("reconnection", () => {
  it("waits anywhere up to the doubled delay, so that a thousand devices spread", () => {
    const random = bytesOf(seeded(1));
    for (let attempt = 0; attempt < 10; attempt++) {
      const full = Math.min(30_000, 500 * 2 ** attempt);
      const waits = Array.from({ length: 1000 }, () => backoffMillis(backoff, attempt, random));
      expect(Math.max(...waits)).toBeLessThan(full);
      for (let tenth = 0; tenth < 10; tenth++) {
        const inside = waits.filter((wait) => Math.floor((wait / full) * 10) === tenth).length;
        expect(inside).toBeGreaterThan(60);
        expect(inside).toBeLessThan(150);
      }
      const resends = Array.from({ length: 100 }, () => resendMillis(backoff, attempt, random));
      expect(Math.min(...resends)).toBeGreaterThanOrEqual(full / 2);
    }
  });

  it("opens the circuit after so many failures, probes once, and opens it for longer", () => {
    const breaker = createBreaker({ failures: 3, firstOpenMillis: 1000, maxOpenMillis: 3000 });
    breaker.failed(0, false);
    breaker.failed(0, false);
    expect(breaker.waitMillis(0)).toBe(0);
    breaker.failed(0, false);
    expect(breaker.waitMillis(0)).toBe(1000);
    expect(breaker.waitMillis(1000)).toBe(0); // one probe
    breaker.failed(1000, false);
    expect(breaker.waitMillis(1000)).toBe(2000);
    breaker.failed(3000, false);
    expect(breaker.waitMillis(3000)).toBe(3000);
    breaker.succeeded();
    breaker.failed(6000, false);
    expect(breaker.waitMillis(6000)).toBe(0);
    breaker.failed(6000, true); // bad credentials
    expect(breaker.waitMillis(6000)).toBe(1000);
    expect(breaker.opens).toBe(4);
  });

  it("spends at most its budget in any hour, whatever the broker does (property)", () => {
    const silenceMillis = 30_000;
    const life = fc.record({
      tryFor: fc.nat(10_000), // of what it is granted
      isOnline: fc.boolean(),
      onlineFor: fc.oneof(fc.nat(STABLE_MILLIS), fc.nat(4 * HOUR)),
      silentFor: fc.nat(silenceMillis),
      isLasting: fc.boolean(),
      sleepsFor: fc.option(fc.nat(HOUR), { freq: 4 }), // closes, sleeps and wakes before the next try
    });
    fc.assert(
      fc.property(fc.array(life, { maxLength: 150 }), fc.integer({ min: 32_000, max: 300_000 }), fc.nat(), (lives, budget, seed) => {
        const reconnect = createReconnect({
          ...{ random: bytesOf(seeded(seed)), backoff, silenceMillis, radioMillisAnHour: budget },
          breaker: { failures: 1_000_000, firstOpenMillis: 1, maxOpenMillis: 1 }, // the budget alone
        });
        const spans: [number, number][] = [];
        let now = reconnect.firstWaitMillis(0);
        for (const { tryFor, isOnline, onlineFor, silentFor, isLasting, sleepsFor } of lives) {
          const from = now;
          now += Math.min(tryFor, reconnect.begin(now));
          let heardAt = now;
          if (isOnline) {
            reconnect.online(now);
            now += onlineFor;
            heardAt = Math.max(heardAt, now - silentFor);
          }
          const isFruitful = isOnline && onlineFor >= STABLE_MILLIS;
          spans.push([isFruitful ? heardAt : from, now]);
          now += reconnect.lost(now, heardAt, isLasting);
          if (sleepsFor !== null) {
            reconnect.closed(now);
            now += sleepsFor;
            now += reconnect.firstWaitMillis(now);
          }
        }
        expect(worstHour(spans)).toBeLessThanOrEqual(budget);
      }),
      { numRuns: 300 },
    );
  });

  it("goes on trying within a small budget: an outage of a day ends within the hour", () => {
    const reconnect = createReconnect({ random: bytesOf(seeded(7)), backoff, silenceMillis: 30_000, radioMillisAnHour: 60_000 });
    let now = 0;
    let longestWait = 0;
    let tries = 0;
    while (now < 24 * HOUR) {
      now += reconnect.begin(now); // silence, to the last
      const wait = reconnect.lost(now, now, false);
      longestWait = Math.max(longestWait, wait);
      now += wait;
      tries++;
    }
    expect(tries).toBeGreaterThan(24);
    expect(longestWait).toBeLessThanOrEqual(HOUR);
  });

  it("says which budget has no room for a single try", () => {
    expect(() => createReconnect({ random: bytesOf(seeded(1)), backoff, silenceMillis: 90_000, radioMillisAnHour: 60_000 })).toThrow(
      MqttError,
    );
  });

  it("keeps a device off the air when a broker accepts and then says nothing, through wake-ups too", async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket.on("error", () => {}));
      socket.on("data", () => {}); // and not a word
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const clock = new ManualClock();
    const links: { readonly state: string; readonly at: number }[] = [];
    const budget = 60_000;
    const edge = createAsker({
      ...{ broker: { url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}` }, site: "lab", node: "wrist", clock },
      ...{ keepAliveSeconds: 20, radioMillisAnHour: budget, random: bytesOf(seeded(3)) },
      events: { onOutcome: () => {}, onLinkState: (state) => links.push({ state, at: clock.now() }) },
    });
    let wakes = 0;
    let nextWake = 300_000;
    while (clock.now() < 2.5 * HOUR) {
      const before = links.length;
      if (edge.linkState === "connecting") {
        await until(() => sockets.size > 0, "the broker accepted");
        clock.advance(10_000); // the try's own limit
        await until(() => links.length > before, "the try is over");
        for (const socket of sockets) socket.destroy();
        sockets.clear();
      } else if (clock.now() >= nextWake) {
        nextWake = clock.now() + 300_000;
        wakes++;
        await edge.sleep(clock.wall() + 1000);
        edge.wake();
      } else clock.advance(500);
    }
    const spans: [number, number][] = [];
    for (const [n, { state, at }] of links.entries()) if (state === "connecting") spans.push([at, links[n + 1]?.at ?? at]);
    expect(wakes).toBeGreaterThan(20);
    expect(spans.length).toBeGreaterThan(5);
    expect(worstHour(spans)).toBeLessThanOrEqual(budget);
    expect(edge.stats().radioMillis).toBeLessThanOrEqual(budget);
    await edge.close();
    server.close();
  });
});
