import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeDay, encodeDay, MAX_DAY_FILE_BYTES } from "../../../host/diary/day-file.ts";
import type { DiaryDay } from "../../../host/diary/diary-types.ts";
import { localDay } from "../../../host/diary/local-day.ts";

const START = localDay(1_790_000_000_000).startMillis;

/** A day of any labels, in tenths of a second, as a diary notes it. */
const anyDay: fc.Arbitrary<DiaryDay> = fc
  .record({
    labels: fc.array(fc.string({ unit: "binary", maxLength: 64 }), { minLength: 1, maxLength: 12 }),
    bouts: fc.array(
      fc.tuple(fc.nat(), fc.integer({ min: 0, max: 800 }), fc.integer({ min: 0, max: 800 }), fc.integer({ min: 0, max: 100 })),
      {
        maxLength: 500,
      },
    ),
    alarms: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 863_999 }), fc.integer({ min: 0, max: 100 })), { maxLength: 40 }),
    alarm: fc.option(fc.constant("fall"), { nil: undefined }),
  })
  .map(({ labels, bouts, alarms, alarm }) => {
    let at = START;
    const of = (index: number) => labels[index % labels.length]!.slice(0, 64);
    return {
      agent: "activity",
      alarm,
      startMillis: START,
      bouts: bouts.map(([label, gap, length, percent]) => {
        const fromMillis = at + gap * 100;
        at = fromMillis + length * 100;
        return { label: of(label), fromMillis, toMillis: at, probability: percent / 100 };
      }),
      alarms: alarms.map(([label, when, percent]) => ({ label: of(label), atMillis: START + when * 100, probability: percent / 100 })),
      folded: [],
      foldedAlarms: 0,
    };
  });

const millisOf = ({ bouts, folded }: DiaryDay) =>
  bouts.reduce((sum, { fromMillis, toMillis }) => sum + toMillis - fromMillis, 0) + folded.reduce((sum, { millis }) => sum + millis, 0);

describe("day file", () => {
  it("reads back what it wrote, within its ring, and no second is lost", () => {
    fc.assert(
      fc.property(anyDay, (day) => {
        const { text, day: kept } = encodeDay(day);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(day.alarm === undefined ? 6144 : 2048);
        expect(decodeDay(text)).toEqual({ ok: true, day: kept });
        expect(millisOf(kept)).toBe(millisOf(day));
        expect(kept.alarms.length + kept.foldedAlarms).toBe(day.alarms.length);
      }),
      { numRuns: 60 },
    );
  });

  it("gives a reason for any text that is no day", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.json(),
          fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("latin1")),
        ),
        (text) => {
          const read = decodeDay(text);
          expect(read.ok ? "" : read.reason).not.toBe("");
        },
      ),
    );
  });

  it("reads a day with any bytes changed as a day or as none", () => {
    fc.assert(
      fc.property(anyDay, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }), (day, changes) => {
        const bytes = Buffer.from(encodeDay(day).text);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        const read = decodeDay(bytes.toString());
        if (read.ok) for (const { fromMillis, toMillis } of read.day.bouts) expect(toMillis).toBeGreaterThanOrEqual(fromMillis);
        else expect(read.reason.length).toBeLessThanOrEqual(200);
      }),
      { numRuns: 60 },
    );
  });

  it("refuses a file above its bound, overlapping bouts, and a label without a name", () => {
    const day = { v: 1, agent: "activity", start: START, labels: ["walking"], bouts: [], alarms: [], folded: [], foldedAlarms: 0 };
    const read = (more: object) => decodeDay(JSON.stringify({ ...day, ...more }));
    expect(read({}).ok).toBe(true);
    expect(read({ bouts: [[0, 0, 10, 90], [0, 5, 10, 90]] })).toEqual({ ok: false, reason: "bouts overlap" }); // biome-ignore format: a bout per line is no clearer
    expect(read({ bouts: [[1, 0, 10, 90]] }).ok).toBe(false);
    expect(read({ bouts: [[0, 899_999, 10, 90]] }).ok).toBe(false);
    expect(decodeDay(" ".repeat(MAX_DAY_FILE_BYTES + 1)).ok).toBe(false);
  });
});
