import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../host/core/system/clock.ts";
import { localDay } from "../../../host/diary/local-day.ts";
import { cli } from "./fake-io.ts";
import { tempFolder } from "./temp-agent.ts";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

/** So that a run of minutes does not cross midnight. */
const NOON = localDay(1_790_000_000_000).startMillis + 12 * 3_600_000;
const io = () => ({ cwd: folder.path, clock: { ...systemClock, wall: () => NOON } });
const run = (...more: string[]) =>
  cli("run activity --sensor synthetic:1 --headless --json --speed max --seconds 600".split(" ").concat(more), io());
const diary = async (...more: string[]) => JSON.parse((await cli(["diary", "--json", ...more], io())).stdout);

describe("diary", () => {
  it("run has ended → totals add up to the time that the agent decided in", async () => {
    expect((await run()).code).toBe(0);
    const { totals, bouts, current, day, asOf, isSittingTooLong } = await diary();
    expect(day).toBe(localDay(NOON).name);
    const sum = totals.reduce((more: number, { seconds }: { seconds: number }) => more + seconds, 0);
    expect(sum).toBeGreaterThan(590);
    expect(sum).toBeLessThanOrEqual(600);
    expect(bouts.at(-1)).toEqual(current);
    expect(current.to).toBe(asOf);
    expect(isSittingTooLong).toBe(false);
  }, 30_000);

  it("--no-diary → nothing is written", async () => {
    expect((await run("--no-diary")).code).toBe(0);
    expect(readdirSync(folder.path)).toEqual(["dormouse.json"]);
    expect(await diary()).toMatchObject({ asOf: null, day: null, current: null, totals: [], alarms: [] });
  }, 30_000);

  it("--forget-today → today's files are gone; a file that is no diary is named", async () => {
    expect((await run()).code).toBe(0);
    const path = join(folder.path, ".dormouse", "diary");
    const [file] = readdirSync(path);
    writeFileSync(join(path, "fall-2026-01-01.diary"), "\0");
    expect((await diary()).unreadable).toEqual([{ file: "fall-2026-01-01.diary", reason: "not valid JSON" }]);
    expect(await diary("--forget-today")).toMatchObject({ forgotten: localDay(NOON).name });
    expect(readdirSync(path)).not.toContain(file);
    expect(readdirSync(path)).toEqual(["fall-2026-01-01.diary"]);
  }, 30_000);
});
