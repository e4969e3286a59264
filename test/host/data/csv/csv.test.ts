import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataError } from "../../../../host/core/system/errors.ts";
import { findSegments, loadCsv } from "../../../../host/data/csv/csv-dataset.ts";
import { parseCsvFile } from "../../../../host/data/csv/csv-file.ts";
import { readCsvFolder } from "../../../../host/data/csv/csv-folder.ts";
import { rateOfStep, resample } from "../../../../host/data/csv/csv-time.ts";

const parse = (text: string | Uint8Array, path = "in/s01.csv") =>
  parseCsvFile(typeof text === "string" ? new TextEncoder().encode(text) : text, path);

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
    ["time,x,label\n0,1,a\n0,1,a\n", /s01\.csv:3: time 0 after 0/],
    ["time,x,label\n0,1,a\n1,,a\n", /s01\.csv:3: no value for x/],
    ["time,x,label\n0,1,a\n1,abc,a\n", /s01\.csv:3: "abc" for x/],
    ["time,x,label\n0,1,a\n1,Infinity,a\n", /s01\.csv:3: "Infinity" for x/],
    ["time,x,label\n0,1,a\n1,1e13,a\n", /s01\.csv:3: 10000000000000 for x, at most 1e\+12/],
    ["time,x,label\n0,1,a\n1e19,1,a\n", /s01\.csv:3: 10000000000000000000 for time, at most 9e\+18/],
    ["time[min],x,label\n0,1,a\n", /s01\.csv:1: column time has the unit "min".*s, ms, us or ns/],
    ["time,x,label[id]\n0,1,a\n", /s01\.csv:1: column label has the unit "id"/],
    ["time,x,label,subject[name]\n0,1,a,b\n", /s01\.csv:1: column subject has the unit "name"/],
    ["time,x,label\n0,1,a\n", /s01\.csv:1: 1 samples after the header/],
    ['time,x,label\n0,1,"a\n1,1,b\n', /s01\.csv:2: a quote that is not closed/],
    ['time,x,label\n0,1,"a"b\n', /s01\.csv:2: text after a closing quote/],
    [`time,x,label\n0,1,${"a".repeat(65)}\n`, /s01\.csv:2: a label of 65 characters/],
    [`time,x,label\n${"0".repeat(5000)},1,a\n`, /s01\.csv:2: a line of 5004 bytes/],
    ["time,x,label,subject\n0,1,a,1\n1,1,a,2\n", /s01\.csv:3: subject "2" after "1"/],
    ["time,x,label,subject\n0,1,a,\n", /s01\.csv:2: no subject/],
    [Uint8Array.of(0x74, 0xff, 0x0a), /s01\.csv:1: bytes that are not UTF-8/],
  ])("that is bad (%#) names file, line and what to do", (text, message) => expect(() => parse(text)).toThrow(message));

  it("of any bytes is a recording or a DataError", () => {
    const piece = fc.constantFrom(
      "time",
      "x",
      "label",
      "subject",
      ",",
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
          const { time, values, channels, labels } = parse(bytes);
          return values.length === time.length * channels.length && labels.length === time.length && values.every(Number.isFinite);
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
    expect([0.02, 0.0199, 0.01 / 3, 0.7, 5].map(rateOfStep)).toEqual([50, 50, 300, 1.429, 0.2]);
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
    expect(readCsvFolder(dir, 1).parts.map(({ name }) => name)).toEqual(["s1"]);
    expect(readCsvFolder(dir, 10).parts.map(({ name, labels }) => [name, labels.length])).toEqual([["s1", 5]]);
    write(
      "s1.csv",
      rows("time,x,label", (i) => `${i < 5 ? i / 10 : 9 + i / 10},${i},a`),
    );
    expect(readCsvFolder(dir, 10).parts.map(({ name }) => name)).toEqual(["s1", "s1#2"]);
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
      for (const rate of [undefined, 50]) expect(() => readCsvFolder(dir, rate)).toThrow(question);
    }
    expect(readCsvFolder(dir, 1 / step).rateHz).toBe(1 / step); // who says so may
  });

  it.each([
    [
      "files of other channels",
      () =>
        write(
          "s2.csv",
          rows("time,x,z,label", (i) => `${i},1,1,a`),
        ),
      /s2\.csv:1: channels x,z, but .*s1\.csv has x\[g\],y/,
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

  it("without a CSV file, or with another sensor's, says what it wants", () => {
    expect(() => readCsvFolder(dir)).toThrow(/holds no \.csv file/);
    write(
      "s1.csv",
      rows("time,q,label", (i) => `${i / 10},1,a`),
    );
    expect(() => loadCsv(dir, manifest)).toThrow(/channels q\[\], model m takes y\[\],x\[g\]/);
    write(
      "s1.csv",
      rows("time,q,label", (i) => `${i / 100000},1,a`),
    );
    expect(() => readCsvFolder(dir)).toThrow(/100000 samples a second.*--rate/);
    expect(() => readCsvFolder(dir, 2000)).toThrow(/2000 samples a second, at most 1000/);
  });
});

it("finds stretches of one label", () => {
  expect(findSegments(Uint8Array.of(0, 1, 1, 2, 0, 0, 1))).toEqual([
    { label: 1, start: 1, end: 3 },
    { label: 2, start: 3, end: 4 },
    { label: 1, start: 6, end: 7 },
  ]);
});
