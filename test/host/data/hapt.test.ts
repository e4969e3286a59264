import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HAPT_TEST_USERS, loadHapt } from "../../../host/data/hapt.ts";
import { publishedWindows, scoredWindows, selectRecordings } from "../../../host/data/recording.ts";
import { dataDir, noData } from "../../support/require.ts";

let root: string;
const file = (name: string) => join(root, "HAPT", "RawData", name);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "hapt-"));
  mkdirSync(join(root, "HAPT", "RawData"), { recursive: true });
  writeFileSync(file("acc_exp01_user05.txt"), "1 0 0\n0.5 -0.25 20\n0 0 1\n");
  writeFileSync(file("gyro_exp01_user05.txt"), "0 0 0\n0.1 -0.1 0\n0 0 0\n");
  writeFileSync(file("labels.txt"), "1 5 4 2 3\n");
});
afterEach(() => rmSync(root, { recursive: true }));

describe("loadHapt", () => {
  it("turns g and rad/s into counts and 1-based inclusive labels into frames, from the folder or its parent", () => {
    for (const dir of [root, join(root, "HAPT")]) {
      const { recordings } = loadHapt(dir);
      expect(recordings).toHaveLength(1);
      expect(recordings[0]).toMatchObject({ name: "exp01_user05", subject: "5", channels: 6, segments: [{ label: 4, start: 1, end: 3 }] });
      expect([...recordings[0]!.labels]).toEqual([0, 4, 4]);
      expect([...recordings[0]!.frames.subarray(6, 12)]).toEqual([1024, -512, 32767, 92, -92, 0]); // 0.1 rad/s = 5.7296 °/s
    }
  });

  it.each([
    ["a missing half", () => rmSync(file("gyro_exp01_user05.txt")), /gyro_exp01_user05\.txt is missing/],
    [
      "a label of a recording that is not there",
      () => writeFileSync(file("labels.txt"), "2 5 4 2 3\n"),
      /acc_exp02_user05\.txt is missing/,
    ],
    [
      "a missing column",
      () => writeFileSync(file("acc_exp01_user05.txt"), "1 0 0\n1 0\n"),
      /acc_exp01_user05\.txt:2: 2 columns, 3 expected/,
    ],
    ["a value that is no number", () => writeFileSync(file("acc_exp01_user05.txt"), "1 0 NaN\n"), /acc_exp01_user05\.txt:1: "NaN"/],
    ["halves of different length", () => writeFileSync(file("gyro_exp01_user05.txt"), "0 0 0\n"), /acc_exp01_user05\.txt:2: 3 rows.*has 1/],
    ["an unknown activity", () => writeFileSync(file("labels.txt"), "1 5 13 2 3\n"), /labels\.txt:1: activity 13/],
    ["a label beyond the recording", () => writeFileSync(file("labels.txt"), "1 5 4 2 9\n"), /labels\.txt:1: last sample 9/],
    ["a label of another wearer", () => writeFileSync(file("labels.txt"), "1 6 4 2 3\n"), /labels\.txt:1: experiment 1 belongs to user 5/],
    ["an empty folder", () => rmSync(file("labels.txt")), /labels\.txt is missing/],
  ])("names the file, the line and the way to mend %s", (_, damage, message) => {
    damage();
    expect(() => loadHapt(root)).toThrow(message);
  });
});

it("cuts the published windows", (context) => {
  const data = dataDir();
  if (data === undefined) return context.skip(noData); // the tally fails it under DORMOUSE_REQUIRE_ALL=1
  const { recordings } = loadHapt(data);
  expect(recordings).toHaveLength(61);
  expect(recordings.flatMap(publishedWindows)).toHaveLength(10929);
  expect(recordings.flatMap(scoredWindows)).toHaveLength(7415 + 2996);
  expect(selectRecordings({ recordings }, HAPT_TEST_USERS).flatMap(scoredWindows)).toHaveLength(2996);
});
