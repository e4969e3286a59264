import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataError } from "../../../../host/core/system/errors.ts";
import { loadCsv } from "../../../../host/data/csv/csv-dataset.ts";
import { parseCsvFile } from "../../../../host/data/csv/csv-file.ts";
import { readCsvFolder } from "../../../../host/data/csv/csv-folder.ts";
import type { CsvColumns } from "../../../../host/data/csv/csv-header.ts";
import { rateOfStep, resample } from "../../../../host/data/csv/csv-time.ts";
import { findSegments } from "../../../../host/data/find-segments.ts";

const parseAll = (text: string | Uint8Array, path = "in/s01.csv", wanted?: CsvColumns) =>
  parseCsvFile(typeof text === "string" ? new TextEncoder().encode(text) : text, path, wanted);
const parse = (text: string | Uint8Array, path?: string, wanted?: CsvColumns) => parseAll(text, path, wanted)[0]!;

describe("a CSV recording", () => {
  it("is read with units, quotes, a byte order mark, Windows line ends, blank lines and columns in any order", () => {
    const file = parse('\ufefflabel,time,"a, x [g]",b,subject\r\nwalk,0,1.5,-2,P 1\r\n\r\n"say ""hi""",0.02,1e-1,.5,P 1\r\n,0.04,0,0,P 1');
    expect(file).toMatchObject({
      name: "s01",
      subject: "P 1",
      channels: [
        { name: "a, x", unit: "g" },
        { name: "b", unit: "" },
      ],
      labels: ["walk", 'say "hi"', undefined],
    });
    expect([...file.time]).toEqual([0, 0.02, 0.04]);
    expect([...file.values]).toEqual([1.5, -2, 0.1, 0.5, 0, 0]);
  });

  it.each([
    ["time", [0, 1, 2.5], [0, 1, 2.5]],
    ["time[s]", [0, 1, 2.5], [0, 1, 2.5]],
    ["Time [ms]", [1.7e12, 1.7e12 + 20, 1.7e12 + 40], [0, 0.02, 0.04]],
    ["time[us]", [-20000, 0, 20001], [0, 0.02, 0.040001]],
    ["time[\u00b5s]", [0, 5, 9], [0, 5e-6, 9e-6]],
    ["time[\u03bcs]", [0, 5, 9], [0, 5e-6, 9e-6]],
    ["time[ns]", [0, 1, 2e9], [0, 1e-9, 2]],
  ])("with the header %s has its times in seconds from its first sample on", (header, times, seconds) =>
    expect([...parse(`${header},x,label\n${times.map((time) => `${time},1,a`).join("\n")}\n`).time]).toEqual(seconds),
  );

  it("has labels without the quotes and the blanks around them, wherever the blanks stand", () =>
    expect(parse('time,x,label\n0,1, "a"\n1,1,"a" \n2,1,\t"a, b"\t\n3 , 1 , a \n 4,"1" ,""\n').labels).toEqual([
      "a",
      "a",
      "a, b",
      "a",
      undefined,
    ]));

  it.each([
    ["s03_walk.csv", "3"],
    ["subject3-run.csv", "3"],
    ["User_12.csv", "12"],
    ["p07.csv", "7"],
    ["participant-10 morning.csv", "10"],
  ])("of a file called %s is of wearer %s", (name, subject) =>
    expect(parse("time,x,label\n0,1,\n1,2,\n", `in/${name}`).subject).toBe(subject),
  );

  it.each(["walk_s03.csv", "s03walk.csv", "step.csv", "3.csv"])("of a file called %s without a subject column is refused", (name) =>
    expect(() => parse("time,x,label\n0,1,\n1,2,\n", `in/${name}`)).toThrow(/nothing says who wore it.*subject column.*s03_walk\.csv/),
  );

  it.each([
    ["", /s01\.csv:1: the file is empty/],
    ["time,x\n0,1\n", /s01\.csv:1: no column label/],
    ["x,label\n0,a\n", /s01\.csv:1: no column time/],
    ["time,label\n0,a\n", /s01\.csv:1: 0 channels, 1 to 16/],
    ["time,x,X,label\n", /s01\.csv:1: two columns are called X/],
    ["time,x,,label\n", /s01\.csv:1: column 3 is called ""/],
    ["time,x,label\n0,1,a\n0.1,1,5,a\n", /s01\.csv:3: 4 fields, the header has 3.*decimal comma/],
    ["time,x,label\n3,1,a\n2,1,a\n1,1,a\n", /s01\.csv:4: 3 times in 3 lines the time goes back.*Sort the lines/],
    ["time,x,label\n0,1,a\n,1,a\n", /s01\.csv:3: no value for time\. Write seconds/],
    ["time,x,label\n01.05.2026 12:00,1,a\n", /s01\.csv:2: "01\.05\.2026 12:00" for time.*2026-05-01T12:00:00/],
    ["time,x,label\n2026-05-01 12:00,1,a\n7,1,a\n", /s01\.csv:3: "7" for time, the lines before have dates/],
    ["time,x,label\n0,1,a\n1,abc,a\n", /s01\.csv:3: "abc" for x.*leave the column out with --ignore x\./],
    ["time,x,label\n0,1,a\n1,Infinity,a\n", /s01\.csv:3: "Infinity" for x/],
    ["time,x,label\n0,1,a\n1,1e13,a\n", /s01\.csv:3: 10000000000000 for x, at most 1e\+12/],
    ["time,x,label\n0,1,a\n1e19,1,a\n", /s01\.csv:3: "1e19" for time/],
    ["time[days],x,label\n0,1,a\n", /s01\.csv:1: column time has the unit "days".*h, min, s, ms, us or ns/],
    ["time,x,label[id]\n0,1,a\n", /s01\.csv:1: column label has the unit "id"/],
    ["time,x,label,subject[name]\n0,1,a,b\n", /s01\.csv:1: column subject has the unit "name"/],
    ["time,x,label\n0,1,a\n", /s01\.csv:1: 1 samples after the header/],
    ['time,x,label\n0,1,"a\n1,1,b\n', /s01\.csv:2: a quote that is not closed/],
    ['time,x,label\n0,1,"a"b\n', /s01\.csv:2: text after a closing quote/],
    [`time,x,label\n0,1,${"a".repeat(65)}\n`, /s01\.csv:2: a label of 65 characters/],
    [`time,x,label\n${"0".repeat(5000)},1,a\n`, /s01\.csv:2: a line of 5004 bytes/],
    ["time,x,label,subject\n0,1,a,1\n1,1,a,2\n", /s01\.csv:3: 2 times in 2 lines .* the subject changes.*Sort/],
    ["time,x,label,subject\n0,1,a,\n", /s01\.csv:2: no subject/],
    [Uint8Array.of(0x74, 0xff, 0x0a), /s01\.csv:1: bytes that are not UTF-8/],
  ])("that is bad (%#) names file, line and what to do", (text, message) => expect(() => parse(text)).toThrow(message));

  it.each([
    ["semicolons and decimal commas", "time;ax[g];label\n0;0,5;a\n0,02;-1,25;b\n"],
    ["tabs", "time\tax[g]\tlabel\n0\t0.5\ta\n0.02\t-1.25\tb\n"],
    ["a comma in a quoted name", '"time";"ax (g)";"label, as told"\n0;0.5;a\n0.02;-1.25;b\n'.replace("label, as told", "label")],
    ["dates", "timestamp,ax[g],activity\n2026-05-01T12:00:00.980Z,0.5,a\n2026-05-01 14:00:01+02:00,-1.25,b\n"],
    ["metres per second squared", "time,acc_x[m/s^2],label\n0,4.903325,a\n0.02,-12.2583125,b\n"],
    ["milli-g and a column to be left out", "note,time,Accel X (mg),label\nhello,0,500,a\nthere,0.02,-1250,b\n"],
  ])("with %s is read alike", (_, text) => {
    const file = parse(text, "in/s01.csv", { ignore: ["Note"] });
    expect(file.channels).toEqual([{ name: "ax", unit: "g" }]);
    expect([...file.time].map((at) => Number(at.toFixed(6)))).toEqual([0, 0.02]);
    expect([...file.values].map((value) => Number(value.toFixed(9)))).toEqual([0.5, -1.25]);
    expect(file.labels).toEqual(["a", "b"]);
  });

  it("holds a subject after another, and recordings one after another: each begins at its own time", () => {
    const rows = (subject: string, from: number, label: string) =>
      Array.from({ length: 20 }, (_, i) => `${from + i},${i},${label},${subject}\n`).join("");
    const all = parseAll(`time,x,label,user\n${rows("7", 0, "a")}${rows("8", 100, "b")}${rows("8", 0, "a")}`, "in/table.csv");
    expect(all.map(({ name, subject, time, labels }) => [name, subject, time.length, time[0], labels[0]])).toEqual([
      ["table", "7", 20, 0, "a"],
      ["table.2", "8", 20, 0, "b"],
      ["table.3", "8", 20, 0, "a"],
    ]);
  });

  it("has gaps where cells are empty or NaN, and leaves lines of the same time out", () => {
    const file = parse("time,x,y,label\n0,1,,a\n1,NaN,2,nan\n1,5,5,a\n2,3,4,a\n");
    expect([...file.values]).toEqual([1, Number.NaN, Number.NaN, 2, 3, 4]);
    expect(file.labels).toEqual(["a", undefined, "a"]);
    expect(file.doubles).toBe(1);
  });

  it("of any bytes is a recording or a DataError", () => {
    const piece = fc.constantFrom(
      "time",
      "x",
      "label",
      "subject",
      ",",
      ";",
      "\t",
      "2026-05-01 12:00",
      "\n",
      "\r\n",
      '"',
      "0",
      "1",
      "2.5",
      "-3e4",
      "walk",
      "[g]",
      " ",
      "é",
      "\u0000",
    );
    const texts = fc.array(piece, { maxLength: 60 }).map((pieces) => new TextEncoder().encode(pieces.join("")));
    const bodies = texts.map((bytes) => new Uint8Array([...new TextEncoder().encode("time,x,label\n0,1,a\n"), ...bytes]));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), texts, bodies), (bytes) => {
        try {
          return parseAll(bytes).every(
            ({ time, values, channels, labels }) =>
              values.length === time.length * channels.length &&
              labels.length === time.length &&
              time.every((at, i) => i === 0 || at > time[i - 1]!) &&
              values.every((value) => Number.isNaN(value) || Number.isFinite(value)),
          );
        } catch (error) {
          return error instanceof DataError && /in\/s01\.csv/.test(error.message);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe("time", () => {
  it("gives whole rates where the clock is nearly so", () => {
    expect([0.02, 0.0199, 0.01 / 3, 0.7, 5, 60.3, 300].map(rateOfStep)).toEqual([50, 50, 300, 1.429, 0.2, 1 / 60, 1 / 300]);
  });

  const file = (time: number[], values: number[]) => ({
    time: Float64Array.from(time),
    values: Float64Array.from(values),
    labels: time.map((_, i) => (i < 2 ? "a" : "b")),
  });

  it("leaves regular samples as they are, jitter included", () => {
    const [part] = resample(file([0, 0.1004, 0.2, 0.2997], [1, 2, 3, 4]), 10, 0.8);
    expect([...part!.values]).toEqual([1, 2, 3, 4]);
  });

  it("interpolates what is sampled irregularly or too slowly, labels from the sample before", () => {
    const [part] = resample(file([0, 0.2, 0.4], [0, 2, 0]), 10, 0.8);
    expect([...part!.values].map((value) => Number(value.toFixed(6)))).toEqual([0, 1, 2, 1, 0]);
    expect(part!.labels).toEqual(["a", "a", "a", "a", "b"]);
  });

  it("averages what is sampled faster, so that nothing folds back", () => {
    const n = 400;
    const [part] = resample(
      file(
        Array.from({ length: n }, (_, i) => i / 100),
        Array.from({ length: n }, (_, i) => (i % 2 === 0 ? 1 : -1)),
      ),
      10,
      0.8,
    );
    expect(part!.values).toHaveLength(40);
    expect(Math.max(...part!.values.slice(1, -1).map(Math.abs))).toBeLessThan(0.01);
  });

  it("splits at gaps and drops single samples", () => {
    expect(resample(file([0, 0.1, 2, 2.1, 2.2, 9], [1, 2, 3, 4, 5, 6]), 10, 0.8).map(({ values }) => [...values])).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
  });
});

describe("a folder of CSV recordings", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "dormouse-csv-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const write = (name: string, text: string) => writeFileSync(join(dir, name), text);
  const rows = (header: string, row: (i: number) => string, n = 10) =>
    `${[header, ...Array.from({ length: n }, (_, i) => row(i))].join("\n")}\n`;
  const manifest = {
    name: "m",
    frameRateHz: 10,
    labels: ["a", "b"],
    channels: [
      { name: "y", unit: "", countsPerUnit: 100 },
      { name: "x", unit: "g", countsPerUnit: 2 },
    ],
  };

  it("becomes counts in the manifest's order, whatever order the columns have, clamped to int16", () => {
    write(
      "s1.csv",
      rows("time,x[g],y,label", (i) => `${i / 10},${i},${i === 9 ? 1e6 : i / 10},${i < 3 ? "" : i < 6 ? "b" : "a"}`),
    );
    write(
      "s2.csv",
      rows("time,y,x[g],label", (i) => `${i / 10},1,0.24,a`),
    );
    mkdirSync(join(dir, "deeper"));
    const { recordings } = loadCsv(dir, manifest);
    expect(recordings.map(({ name, subject, channels }) => [name, subject, channels])).toEqual([
      ["s1", "1", 2],
      ["s2", "2", 2],
    ]);
    expect([...recordings[0]!.frames.slice(2, 6), recordings[0]!.frames[18]]).toEqual([10, 2, 20, 4, 32767]);
    expect([...recordings[1]!.frames.slice(0, 2)]).toEqual([100, 0]);
    expect(recordings[0]!.segments).toEqual([
      { label: 2, start: 3, end: 6 },
      { label: 1, start: 6, end: 10 },
    ]);
  });

  it("splits a file at a gap into parts of the same wearer", () => {
    write(
      "s1.csv",
      rows("time,x,label", (i) => `${i < 5 ? i / 10 : i},${i},a`),
    );
    expect(readCsvFolder(dir, { rateHz: 1 }).parts.map(({ name }) => name)).toEqual(["s1"]);
    expect(readCsvFolder(dir, { rateHz: 10 }).parts.map(({ name, labels }) => [name, labels.length])).toEqual([["s1", 5]]);
    write(
      "s1.csv",
      rows("time,x,label", (i) => `${i < 5 ? i / 10 : 9 + i / 10},${i},a`),
    );
    expect(readCsvFolder(dir, { rateHz: 10 }).parts.map(({ name }) => name)).toEqual(["s1", "s1#2"]);
  });

  it.each([
    ["ms", 20],
    ["us", 20_000],
    ["ns", 20_000_000],
  ])("whose times are in %s has their rate where the header says so, else is asked whether it means them", (unit, step) => {
    const text = (time: string, from = 0) => rows(`${time},x,label`, (i) => `${from + i * step},${i},a`);
    write("s1.csv", text(`time[${unit}]`));
    expect(readCsvFolder(dir).rateHz).toBe(50);
    for (const sinceTheStartOf1970 of [0, 1.7e9 * (1000 / 20) * step]) {
      write("s1.csv", text("time", sinceTheStartOf1970));
      const question = new RegExp(`Is time in .*seconds\\? Write time\\[${unit}\\] into the header`);
      for (const rate of [undefined, 50]) expect(() => readCsvFolder(dir, { rateHz: rate })).toThrow(question);
    }
    if (step <= 300) expect(readCsvFolder(dir, { rateHz: 1 / step }).rateHz).toBe(1 / step); // who says so may
  });

  it.each([
    [
      "files of other channels",
      () =>
        write(
          "s2.csv",
          rows("time,x,z,label", (i) => `${i},1,1,a`),
        ),
      /s2\.csv:1: the channels x\[\],z\[\], the model takes y\[\],x\[g\]\. Give recordings of its sensor: y\[\] is missing/,
    ],
    [
      "a label that the model does not know",
      () =>
        write(
          "s2.csv",
          rows("time,x[g],y,label", (i) => `${i / 10},1,1,c`),
        ),
      /label "c", model m knows a, b/,
    ],
    ["a broken file", () => write("s2.csv", "time,x[g],y,label\n0,1,1,a\n1,1\n"), /s2\.csv:3: 2 fields/],
  ])("with %s is refused", (_, damage, message) => {
    write(
      "s1.csv",
      rows("time,x[g],y,label", (i) => `${i / 10},1,1,a`),
    );
    damage();
    expect(() => loadCsv(dir, manifest)).toThrow(message);
  });

  it("bridges short gaps of a channel, and leaves out what a long one misses", () => {
    write(
      "s1.csv",
      rows("time,x,y,label", (i) => `${i},${i % 2 === 0 ? i : ""},${i > 12 && i < 30 ? "NaN" : 1},a`, 40),
    );
    const { parts, notes } = readCsvFolder(dir);
    expect(parts.map(({ values }) => [...values.filter((_, i) => i % 2 === 0)])).toEqual([
      Array.from({ length: 13 }, (_, i) => i),
      Array.from({ length: 9 }, (_, i) => 30 + i),
    ]);
    expect(notes).toEqual(["37 cells are empty: short gaps are filled by straight lines, 18 of 40 lines are left out."]);
    write(
      "s2.csv",
      rows("time,x,y,label", (i) => `${i},,1,a`, 40),
    );
    expect(() => readCsvFolder(dir)).toThrow(/s2\.csv: column x holds no number\. Leave it out with --ignore x/);
    expect(readCsvFolder(dir, { ignore: ["x"] }).parts).toHaveLength(3);
  });

  it.each([
    ["1/60 Hz", "time[s]", (i: number) => `${60 * i}`, 1 / 60],
    ["dates a minute apart", "time", (i: number) => new Date(1.8e12 + 60_000 * i).toISOString(), 1 / 60],
    ["1/300 Hz", "time[min]", (i: number) => `${5 * i}`, 1 / 300],
    ["1 kHz", "time[ms]", (i: number) => `${i}`, 1000],
  ])("at %s has that rate when it says its unit", (_, header, time, rateHz) => {
    write(
      "s1.csv",
      rows(`${header},x,label`, (i) => `${time(i)},${i},a`),
    );
    const folder = readCsvFolder(dir);
    expect(folder.rateHz).toBe(rateHz);
    expect(folder.parts.map(({ labels }) => labels.length)).toEqual([10]);
  });

  it("a sample an hour says which rate it can have, and has it", () => {
    write(
      "s1.csv",
      rows("time[h],x,label", (i) => `${i},${i},a`),
    );
    expect(() => readCsvFolder(dir)).toThrow(/a sample every 3600 s by the time columns, at least one every 300 s is needed/);
  });

  it("at 12 kHz says to write bands as columns, and these are read", () => {
    write(
      "s1.csv",
      rows("time,x,label", (i) => `${i / 12000},${i},a`),
    );
    expect(() => readCsvFolder(dir)).toThrow(/12000 samples a second by the time columns, at most 1000.*power in some bands, every 10 ms/);
    write(
      "s1.csv",
      rows("time,low[dB],mid[dB],high[dB],label", (i) => `${i / 100},${i},${-i},1,a`),
    );
    expect(readCsvFolder(dir)).toMatchObject({ rateHz: 100, channels: [{ name: "low" }, { name: "mid" }, { name: "high", unit: "dB" }] });
  });

  it("without a CSV file, or with another sensor's, says what it wants", () => {
    expect(() => readCsvFolder(dir)).toThrow(/holds no \.csv file/);
    write(
      "s1.csv",
      rows("time,q,label", (i) => `${i / 10},1,a`),
    );
    expect(() => loadCsv(dir, manifest)).toThrow(/channels q\[\], the model takes y\[\],x\[g\]/);
    write(
      "s1.csv",
      rows("time,q,label", (i) => `${i / 100000},1,a`),
    );
    expect(() => readCsvFolder(dir)).toThrow(/100000 samples a second.*--rate/);
    expect(() => readCsvFolder(dir, { rateHz: 2000 })).toThrow(/2000 samples a second, at most 1000/);
  });
});

it("finds stretches of one label", () => {
  expect(findSegments(Uint8Array.of(0, 1, 1, 2, 0, 0, 1))).toEqual([
    { label: 1, start: 1, end: 3 },
    { label: 2, start: 3, end: 4 },
    { label: 1, start: 6, end: 7 },
  ]);
});
