import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataError } from "../../../host/core/system/errors.ts";
import { isElderly, loadSisFall, SISFALL_DAILY, SISFALL_FALL } from "../../../host/data/sisfall.ts";
import { parseSisFallTrial } from "../../../host/data/sisfall-text.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sisfall-"));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Rows of the fixture: two frames of four, and one row that makes none. Sums of four are no multiples of four. */
const rows = [
  [1, -257, 3, 16384, -5, 6],
  [2, -256, 3, 16384, -5, 7],
  [2, -256, 4, 16384, -5, 7],
  [1, -255, 4, 16383, -6, 8],
  [4095, -4096, 0, 0, 0, 0],
  [4095, -4096, 0, 0, 0, 1],
  [4095, -4096, 0, 0, 1, 0],
  [4095, -4096, 0, 1, 1, 0],
  [9, 9, 9, 9, 9, 9],
];
/** What both layouts hold of them: means, half to even. */
const packed = [2, -256, 4, 16384, -5, 7, 4095, -4096, 0, 0, 0, 0];
const official = rows.map((row) => `${row.join(",")},1,-2,  3;\r\n`).join("");

function writeOfficial(dir: string, text = official): void {
  mkdirSync(join(dir, "SA01"), { recursive: true });
  mkdirSync(join(dir, "SE06"), { recursive: true });
  writeFileSync(join(dir, "SE06", "F03_SE06_R02.txt"), text);
  writeFileSync(join(dir, "SA01", "D01_SA01_R01.txt"), official);
  writeFileSync(join(dir, "Readme.txt"), "not a trial");
}

function writePacked(dir: string, change: (index: Record<string, unknown>) => unknown = (index) => index): void {
  mkdirSync(dir, { recursive: true });
  const records = [
    ["F03", "SE06", 2, 2, 2],
    ["D01", "SA01", 1, 0, 2],
  ];
  const index = { rateHz: 50, channels: ["ax", "ay", "az", "gx", "gy", "gz"], records };
  writeFileSync(join(dir, "index.json"), JSON.stringify(change(index)));
  const bytes = Buffer.alloc(packed.length * 4);
  for (const [i, value] of [...packed, ...packed].entries()) bytes.writeInt16LE(value, 2 * i);
  writeFileSync(join(dir, "sisfall_50hz_6ch.i16"), bytes);
}

describe("loadSisFall", () => {
  it("gives the same recordings from the official text files and from the packed form, from the folder or its parent", () => {
    writeOfficial(join(root, "a", "SisFall_dataset"));
    writePacked(join(root, "b", "sisfall"));
    const fromText = loadSisFall(join(root, "a"));
    expect(loadSisFall(join(root, "b"))).toEqual(fromText);
    expect(loadSisFall(join(root, "b", "sisfall"))).toEqual(fromText);
    expect(fromText.recordings.map(({ name, subject, labels }) => [name, subject, ...labels])).toEqual([
      ["D01_SA01_R01", "SA01", SISFALL_DAILY, SISFALL_DAILY],
      ["F03_SE06_R02", "SE06", SISFALL_FALL, SISFALL_FALL],
    ]);
  });

  it("turns raw counts into 1/2048 g and 1/16 °/s, x up, y right, z forward", () => {
    writePacked(root);
    const { frames, channels } = loadSisFall(root).recordings[0]!;
    expect(channels).toBe(6);
    // (up, right, forward) = (−y, x, z); 1 count = 8/2048 g, and 125/128 of 1/16 °/s
    expect([...frames.subarray(0, 6)]).toEqual([2048, 16, 32, 5, 16000, 7]);
    expect([...frames.subarray(6, 9)]).toEqual([32767, 32760, 0]); // −(−16 g) is one count too many
  });

  it.each([
    ["an empty folder", () => undefined, /neither SA01.* nor index\.json/],
    [
      "a row with a column too few",
      () => writeOfficial(root, official.replace(",3;", ";").replace(",  3;", ";")),
      /R02\.txt:1: 8 columns, 9/,
    ],
    ["a value that is no int16", () => writeOfficial(root, official.replace("-257", "99999")), /R02\.txt:1: "99999" is not an int16/],
    ["a value that is no number", () => writeOfficial(root, official.replace("-255", "x")), /R02\.txt:4: "x" is not an int16/],
    ["a trial with too few rows", () => writeOfficial(root, "1,2,3,4,5,6,7,8,9;\n"), /R02\.txt:1: 1 rows, at least 4/],
    [
      "a trial in another wearer's folder",
      () => {
        writeOfficial(root);
        writeFileSync(join(root, "SA01", "D01_SA02_R01.txt"), official);
      },
      /D01_SA02_R01\.txt is a trial of another wearer than SA01/,
    ],
    ["another rate", () => writePacked(root, (index) => ({ ...index, rateHz: 200 })), /index\.json: .*50/],
    [
      "a record of no trial",
      () => writePacked(root, (index) => ({ ...index, records: [["X1", "SA01", 1, 0, 1]] })),
      /record 1 names X1_SA01/,
    ],
    [
      "a record beyond the end",
      () => writePacked(root, (index) => ({ ...index, records: [["D01", "SA01", 1, 3, 2]] })),
      /frame 5, but .* 4/,
    ],
    [
      "frames that are missing",
      () => {
        writePacked(root);
        rmSync(join(root, "sisfall_50hz_6ch.i16"));
      },
      /sisfall_50hz_6ch\.i16 is missing/,
    ],
    [
      "frames that were cut",
      () => {
        writePacked(root);
        writeFileSync(join(root, "sisfall_50hz_6ch.i16"), Buffer.alloc(25));
      },
      /has 25 B, no multiple of 12/,
    ],
  ])("names the file, the place and the way to mend %s", (_, damage, message) => {
    damage();
    expect(() => loadSisFall(root)).toThrow(message);
    expect(() => loadSisFall(root)).toThrow(DataError);
  });

  it("tells the elderly from the young by their names", () => {
    expect(["SA01", "SE15"].map(isElderly)).toEqual([false, true]);
  });
});

describe("a trial's text", () => {
  const parse = (text: string): Int16Array | "error" => {
    try {
      return parseSisFallTrial(Buffer.from(text), "t.txt");
    } catch (error) {
      expect(error).toBeInstanceOf(DataError);
      expect((error as DataError).message).toMatch(/^t\.txt:\d+: .* Restore the file from the archive\.$/s);
      return "error";
    }
  };

  it("is a trial or a sentence, whatever it holds", () => {
    const piece = fc.oneof(
      fc.constantFrom("1", "-5", "32767", "-32768", "32768", ",", ";", " ", "\r", "\n", "\t", "-", "+", "e", "\0", "é"),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 80 }), (pieces) => {
        parse(pieces.join(""));
      }),
    );
  });

  it("is the rows' means, whatever blanks lie between and around the numbers", () => {
    const row = fc.array(fc.integer({ min: -32768, max: 32767 }), { minLength: 9, maxLength: 9 });
    const blank = fc.constantFrom("", " ", "\t ", "  ");
    const ending = fc.constantFrom("", ";", " ; ", "\r", ";\r", "\n\n");
    fc.assert(
      fc.property(fc.array(row, { minLength: 4, maxLength: 12 }), blank, ending, (values, gap, end) => {
        const counts = parse(values.map((value) => `${gap}${value.join(`${gap},${gap}`)}${end}`).join("\n"));
        expect(counts).toBeInstanceOf(Int16Array);
        expect(counts).toHaveLength(6 * Math.floor(values.length / 4));
        const mean = [0, 1, 2, 3].reduce((sum, i) => sum + values[i]![4]!, 0) / 4;
        expect(Math.abs((counts as Int16Array)[4]! - mean)).toBeLessThanOrEqual(0.5);
      }),
    );
  });
});
