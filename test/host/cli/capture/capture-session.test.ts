import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CaptureRow, CaptureSession, UNDO_SECONDS } from "../../../../host/cli/capture/capture-session.ts";
import { createFrameCount } from "../../../../host/cli/capture/frame-time.ts";
import { RateMeter } from "../../../../host/cli/capture/rate-meter.ts";
import { seeded } from "../../../support/random.ts";

const LABELS = ["walk", "sit"];

/** A session and what it has written; `run` lets so many seconds of samples pass, ten per second. */
function session(countdownSeconds = 3) {
  const rows: CaptureRow[] = [];
  const capture = new CaptureSession({ labels: LABELS, countdownSeconds, onRow: (row) => rows.push(row) });
  let count = 0;
  const run = (seconds: number): void => {
    for (let i = 0; i < 10 * seconds; i++) capture.sample(count++ / 10, [count]);
  };
  const labels = (): (string | undefined)[] => {
    capture.finish();
    return rows.map(({ label }) => label);
  };
  return { capture, run, rows, labels };
}

describe("labelling by keys", () => {
  it("records from the first label on; the countdown is recorded without a label", () => {
    const { capture, run, rows, labels } = session();
    run(2);
    expect(capture.phase).toBe("waiting");
    expect(capture.press("1")).toBe("label");
    expect([capture.phase, capture.label]).toEqual(["countdown", "walk"]);
    expect(capture.countdown).toBeCloseTo(3, 9);
    run(5);
    expect(capture.phase).toBe("labelling");
    capture.press("2");
    run(4);
    const all = labels();
    expect(rows[0]!.seconds).toBe(2);
    const walk = all.indexOf("walk");
    expect(rows[walk]!.seconds).toBeCloseTo(4.9, 9); // 3 s after the last sample before the key
    expect(rows[all.indexOf("sit")]!.seconds - rows[all.lastIndexOf("walk")]!.seconds).toBeCloseTo(3, 9);
    expect(new Set(all)).toEqual(new Set([undefined, "walk", "sit"]));
  });

  it("takes the labels of the last five seconds away, and pauses: the samples stay, so the recording has no gap", () => {
    const { capture, run, rows, labels } = session(0);
    run(1);
    capture.press("1");
    run(20);
    expect(capture.samples().get("walk")).toBe(200);
    expect(capture.press("u")).toBe("undo");
    expect(capture.phase).toBe("paused");
    run(1);
    expect(capture.samples().get("walk")).toBe(200 - 10 * UNDO_SECONDS);
    const all = labels();
    expect(all.filter((label) => label === "walk")).toHaveLength(150);
    expect(all.lastIndexOf("walk")).toBe(149);
    expect(rows).toHaveLength(210);
  });

  it("pauses at space, and leaves at q, Ctrl-C and Ctrl-D; other keys do nothing", () => {
    const { capture, run, labels } = session(0);
    for (const key of [" ", "u", "3", "9", "x", "\u001b", "ß"]) expect(capture.press(key)).toBe("nothing");
    capture.press("1");
    run(1);
    expect(capture.press(" ")).toBe("pause");
    run(1);
    for (const key of ["q", "\u0003", "\u0004"]) expect(capture.press(key)).toBe("quit");
    expect(labels().filter((label) => label === undefined)).toHaveLength(10);
  });

  it("writes every sample after the first label once, in order, and counts the labels as written, whatever is pressed", () => {
    const keys = fc.array(fc.tuple(fc.constantFrom("1", "2", " ", "u", "x"), fc.integer({ min: 0, max: 12 })), { maxLength: 30 });
    fc.assert(
      fc.property(keys, fc.constantFrom(0, 3), (pressed, countdown) => {
        const { capture, run, rows, labels } = session(countdown);
        for (const [key, seconds] of pressed) {
          capture.press(key);
          run(seconds);
        }
        const all = labels();
        for (let i = 1; i < rows.length; i++) expect(rows[i]!.seconds).toBeGreaterThan(rows[i - 1]!.seconds);
        if (rows.length > 0) expect(rows.length).toBe(Math.round((rows.at(-1)!.seconds - rows[0]!.seconds) * 10) + 1);
        for (const label of LABELS) expect(capture.samples().get(label)).toBe(all.filter((one) => one === label).length);
      }),
    );
  });
});

describe("the beat of a sensor", () => {
  it("is measured from arrivals, also where frames come ten at a time, with the deviation from an even beat", () => {
    const even = new RateMeter();
    const bunched = new RateMeter();
    const random = seeded(1);
    for (let i = 0; i < 600; i++) {
      even.add(i, 1000 + i * 20 + (random() - 0.5) * 2);
      bunched.add(i, Math.floor(i / 10) * 200);
    }
    const { hz, jitterMillis, seconds } = even.measured()!;
    expect(hz).toBeCloseTo(50, 1);
    expect(jitterMillis).toBeGreaterThan(0.4);
    expect(jitterMillis).toBeLessThan(0.7); // uniform ± 1 ms: 0.58
    expect(seconds).toBeCloseTo(511 * 0.02, 1);
    expect(bunched.measured()!.hz).toBeCloseTo(50, 0);
    expect(bunched.measured()!.jitterMillis).toBeGreaterThan(50);
  });

  it("is unknown before sixteen frames, and where no time passes", () => {
    const meter = new RateMeter();
    for (let i = 0; i < 15; i++) meter.add(i, i * 20);
    expect(meter.measured()).toBeUndefined();
    const still = new RateMeter();
    for (let i = 0; i < 100; i++) still.add(i, 5);
    expect(still.measured()).toBeUndefined();
  });

  it("counts lost frames, leaves late ones out and goes on after a restart of the device, always forward", () => {
    const countOf = createFrameCount(50);
    expect([4294967294, 4294967295, 0, 3, 2, 3, 4].map(countOf)).toEqual([0, 1, 2, 5, undefined, undefined, 6]);
    expect(countOf(1_000_000)).toBe(506); // ten seconds at most
    expect(countOf(1)).toBe(1006); // begun anew
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff_ffff }), { maxLength: 100 }), (ticks) => {
        const count = createFrameCount(50);
        let last = -1;
        for (const tick of ticks) {
          const next = count(tick);
          if (next === undefined) continue;
          expect(next).toBeGreaterThan(last);
          last = next;
        }
      }),
    );
  });
});
