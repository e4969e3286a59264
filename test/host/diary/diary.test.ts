import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { forgetDay } from "../../../host/diary/day-folder.ts";
import { type DiaryOptions, openDiary } from "../../../host/diary/diary.ts";
import { readDiary } from "../../../host/diary/figures.ts";
import { localDay } from "../../../host/diary/local-day.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const root = mkdtempSync(join(tmpdir(), "diary-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(root, "d-")), "diary");
});

const HOP_MILLIS = 1280;
const NOON = localDay(1_790_000_000_000).startMillis + 12 * 3_600_000;

/** A diary, and a wearer who does things for so many seconds. */
function wearer(options: Partial<DiaryOptions> = {}, start = NOON) {
  const clock = new ManualClock(start);
  const diary = openDiary({ folder, agent: "activity", clock, ...options });
  const does = (label: string, seconds: number, probability = 0.9) => {
    for (let millis = 0; millis < seconds * 1000; millis += HOP_MILLIS) {
      clock.advance(HOP_MILLIS);
      diary.observe({ atMillis: clock.wall(), label, probability });
    }
  };
  return { clock, diary, does };
}

const totals = (at: number) => Object.fromEntries(readDiary(folder, at).totals.map(({ label, seconds }) => [label, seconds]));

describe("diary", () => {
  it("counts a bout from its first decision to its last", () => {
    const { clock, diary, does } = wearer();
    does("sitting", 60);
    does("walking", 30);
    diary.close();
    const { current, bouts, totals: sums, asOfMillis } = readDiary(folder, clock.wall());
    expect(asOfMillis).toBe(clock.wall() - (clock.wall() % 100) + (clock.wall() % 100 >= 50 ? 100 : 0));
    expect(bouts.map(({ label }) => label)).toEqual(["sitting", "walking"]);
    expect(current).toMatchObject({ label: "walking", probability: 0.9 });
    expect(Math.abs(current!.seconds - 23 * 1.28)).toBeLessThanOrEqual(0.1); // 24 decisions
    expect(sums.reduce((sum, { seconds }) => sum + seconds, 0)).toBeCloseTo((clock.wall() - NOON - HOP_MILLIS) / 1000, 0);
  });

  it("gives a label of less than 5 s to the bout around it", () => {
    const { clock, diary, does } = wearer();
    does("sitting", 60);
    does("walking", 3);
    does("sitting", 60);
    diary.close();
    expect(readDiary(folder, clock.wall()).bouts).toHaveLength(1);
  });

  it("ends a bout when frames are lost, and joins it again if the pause was short", () => {
    const { clock, diary, does } = wearer();
    does("sitting", 60);
    diary.interrupt();
    clock.advance(10_000);
    does("sitting", 60);
    diary.interrupt();
    clock.advance(600_000);
    does("sitting", 60);
    diary.close();
    const { bouts } = readDiary(folder, clock.wall());
    expect(bouts.map(({ seconds }) => Math.round(seconds / 10))).toEqual([13, 6]);
  });

  it("survives a restart and a kill: a change of 10 s ago is on disk, and the length of a minute ago", () => {
    const { clock, does } = wearer();
    does("walking", 75); // never closed
    const before = readDiary(folder, clock.wall()).current!;
    expect(before.seconds).toBeGreaterThan(58);
    const again = wearer({}, clock.wall() + 2000);
    again.does("walking", 60);
    again.diary.close();
    expect(readDiary(folder, again.clock.wall()).current!.seconds).toBeGreaterThan(133);
  });

  it("cuts a bout at midnight; the current bout goes back across it", () => {
    const midnight = localDay(NOON).endMillis;
    const { clock, diary, does } = wearer({}, midnight - 600_000);
    does("laying", 1800);
    diary.close();
    expect(readdirSync(folder)).toHaveLength(2);
    expect(totals(clock.wall()).laying).toBeCloseTo((clock.wall() - midnight) / 1000, 0);
    expect(readDiary(folder, clock.wall()).current!.seconds).toBeCloseTo(1800, -1);
  });

  it("folds the oldest bouts of a full day: the file stays below 8 KiB, totals stay exact", () => {
    const start = localDay(NOON).startMillis + 1000;
    const diary = openDiary({ folder, agent: "activity", clock: new ManualClock(start) }); // saves at the end alone
    let now = start;
    for (let i = 0; i < 900; i++) {
      for (let hop = 0; hop < 16 + (i % 7); hop++) {
        now += HOP_MILLIS;
        diary.observe({ atMillis: now, label: i % 2 === 0 ? "walking" : "sitting", probability: 0.9 });
      }
    }
    diary.alarm({ atMillis: now, label: "fall", probability: 0.99 });
    diary.close();
    const [file] = readdirSync(folder);
    expect(statSync(join(folder, file!)).size).toBeLessThanOrEqual(6144);
    const figures = readDiary(folder, now);
    expect(figures.foldedBouts).toBeGreaterThan(500);
    const sum = figures.totals.reduce((more, { seconds }) => more + seconds, 0);
    expect(Math.abs(sum - (now - start - HOP_MILLIS) / 1000)).toBeLessThan(1);
    expect(figures.totals.reduce((more, { bouts }) => more + bouts, 0)).toBe(900);
    expect(figures.at(start + 60_000)).toBeUndefined();
    expect(figures.alarms).toHaveLength(1);
  });

  it("keeps an alarm at once, in a file of its agent that decides nothing about activity", () => {
    const { clock, diary, does } = wearer();
    does("sitting", 30);
    const fall = openDiary({ folder, agent: "fall", alarm: "fall", clock });
    fall.observe({ atMillis: clock.wall(), label: "daily", probability: 1 });
    fall.alarm({ atMillis: clock.wall(), label: "fall", probability: 0.97 });
    diary.save();
    const figures = readDiary(folder, clock.wall());
    expect(figures.alarms).toMatchObject([{ agent: "fall", label: "fall", probability: 0.97 }]);
    expect(figures.totals.map(({ label }) => label)).toEqual(["sitting"]);
  });

  it("replaces what a second replay covers: nothing is counted twice", () => {
    const first = wearer();
    first.does("sitting", 600);
    first.diary.close();
    const second = wearer({ fromMillis: NOON + 60_000 }, NOON + 60_000);
    second.does("walking", 60);
    second.diary.close();
    const sums = totals(NOON + 600_000);
    expect(sums.sitting).toBeLessThan(61);
    expect(sums.walking).toBeLessThan(61);
  });

  it("begins anew when the clock is set back", () => {
    const { clock, diary, does } = wearer();
    does("sitting", 120);
    clock.jumpWall(-60_000);
    does("walking", 30);
    diary.close();
    const { bouts } = readDiary(folder, clock.wall());
    expect(bouts.map(({ label }) => label)).toEqual(["sitting", "walking"]);
    expect(bouts[0]!.toMillis).toBeLessThanOrEqual(bouts[1]!.fromMillis);
  });

  it("keeps files 0600 in a folder 0700, and thirty days before today", () => {
    const { clock, does } = wearer();
    for (let day = 0; day < 35; day++) {
      does("walking", 30);
      clock.advance(86_400_000 - 30_000);
    }
    does("walking", 30);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toHaveLength(31);
  });

  it("sets a damaged file aside, says so and goes on", () => {
    const { clock, diary, does } = wearer();
    does("walking", 30);
    diary.close();
    const [file] = readdirSync(folder);
    writeFileSync(join(folder, file!), "{");
    expect(readDiary(folder, clock.wall()).unreadable).toEqual([{ file, reason: "not valid JSON" }]);
    const troubles: string[] = [];
    const again = wearer({ onTrouble: (reason) => troubles.push(reason) }, clock.wall());
    again.does("walking", 30);
    again.diary.close();
    expect(troubles).toHaveLength(1);
    expect(readdirSync(folder).sort()).toEqual([file, `${file}.bad`]);
    expect(readFileSync(join(folder, `${file}.bad`), "utf8")).toBe("{");
  });

  it("goes on in memory when the disk refuses", () => {
    const troubles: string[] = [];
    const { clock, diary, does } = wearer({ onTrouble: (reason) => troubles.push(reason) });
    rmSync(folder, { recursive: true });
    writeFileSync(folder, ""); // a file in the folder's place
    does("walking", 60);
    expect(troubles).toHaveLength(1);
    unlinkSync(folder);
    openDiary({ folder, agent: "other", clock }).close();
    does("walking", 60);
    diary.close();
    expect(readDiary(folder, clock.wall()).current!.seconds).toBeGreaterThan(110);
  });

  it("forgets today for good, also in a diary that is open", () => {
    const { clock, diary, does } = wearer({}, NOON - 86_400_000);
    does("walking", 60);
    clock.advance(86_400_000);
    does("sitting", 60);
    expect(forgetDay(folder, clock.wall())).toHaveLength(1);
    does("sitting", 30);
    diary.close();
    const figures = readDiary(folder, clock.wall());
    expect(figures.totals).toMatchObject([{ label: "sitting" }]);
    expect(figures.totals[0]!.seconds).toBeLessThan(31);
    expect(figures.lastBout("walking")).toBeDefined(); // yesterday's
  });

  it("says that sitting is too long after half an hour", () => {
    const { clock, diary, does } = wearer();
    does("sitting", 1700);
    diary.save();
    expect(readDiary(folder, clock.wall()).isSittingTooLong).toBe(false);
    does("sitting", 200);
    diary.save();
    expect(readDiary(folder, clock.wall()).isSittingTooLong).toBe(true);
  });

  it("leaves out days of a clock that was ahead", () => {
    const ahead = wearer({}, NOON + 10 * 86_400_000);
    ahead.does("walking", 30);
    ahead.diary.close();
    const { clock, diary, does } = wearer();
    does("sitting", 30);
    diary.close();
    expect(readDiary(folder, clock.wall()).current?.label).toBe("sitting");
  });
});
