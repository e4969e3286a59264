import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { hasMosquitto } from "../../support/broker.ts";
import { bundlePrograms, type Programs } from "../../support/chaos/child.ts";
import { canMount, FAULTS } from "../../support/chaos/faults.ts";
import { type ChaosSize, runChaos } from "../../support/chaos/run.ts";
import { needPrograms } from "../../support/programs.ts";
import { requireAll } from "../../support/require.ts";

/** DORMOUSE_CHAOS=full: 1,000 asks a fault at the product's own settings; DORMOUSE_SEED draws other moments. */
const isFull = process.env.DORMOUSE_CHAOS === "full";
const seed = Number(process.env.DORMOUSE_SEED ?? 1);

const SHORT: ChaosSize = {
  ...{ asks: 180, asksPerSecond: 80, maxPending: 30, faultMillis: 2200, deadlineMillis: 150_000 },
  tuning: {
    ...{ backoff: { firstMillis: 50, maxMillis: 400 }, retry: { firstMillis: 400, maxMillis: 1500 } },
    ...{ ackTimeoutMillis: 800, keepAliveSeconds: 5 },
  },
  workerTuning: { backoff: { firstMillis: 50, maxMillis: 400 }, keepAliveSeconds: 2 },
};
const FULL: ChaosSize = {
  ...{ asks: 1000, asksPerSecond: 50, maxPending: 1000, faultMillis: 21_000, deadlineMillis: 60_000 },
  tuning: {},
  workerTuning: { keepAliveSeconds: 10 },
};

describe.skipIf(!hasMosquitto() && !requireAll)("chaos (needs mosquitto)", { concurrent: !isFull }, () => {
  let programs: Programs;
  beforeAll(async () => {
    programs = await bundlePrograms();
  });
  afterAll(() => programs.remove());

  for (const fault of FAULTS) {
    const title = `${fault.name}: every ask ends in one state, none is acted on twice, nine in ten are answered`;
    it(title, async (context) => {
      const { skip, expect } = context;
      if (fault.program !== undefined) needPrograms(context, fault.program);
      if (fault.prepareDisk) {
        const folder = mkdtempSync(join(tmpdir(), "dormouse-mount-"));
        const isMountable = canMount(folder);
        rmSync(folder, { recursive: true });
        if (!isMountable) skip("no file system can be mounted here: needs root");
      }
      const size = isFull ? FULL : SHORT;
      const { deviceSaid, lostIds, ...result } = await runChaos(programs, fault, size, seed);
      if (isFull) console.log(JSON.stringify({ fault: fault.name, seed, ...result, device: deviceSaid }));
      expect(deviceSaid).toMatch(/^\{/);
      expect(result).toMatchObject({ asked: size.asks, pending: 0, lost: 0, actedOnTwice: 0, actedWrongly: 0, actedUnasked: 0 });
      expect(result.answered + result.expired + result.refused + result.evicted).toBe(size.asks);
      expect(result.answered).toBeGreaterThanOrEqual(0.9 * size.asks);
      expect(lostIds).toEqual([]);
      expect(fault.hasStruck(result.kills, JSON.parse(deviceSaid).stats)).toBe(true);
    });
  }
});
