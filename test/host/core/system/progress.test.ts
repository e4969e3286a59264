import { describe, expect, it } from "vitest";
import { createOutput, reportFailure } from "../../../../host/core/system/output.ts";
import { createProgressLine, showWait } from "../../../../host/core/system/progress.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { fakeIo } from "../../cli/fake-io.ts";

/** A line on a terminal so many columns wide, or on none. */
function lineOn(columns?: number) {
  const clock = new ManualClock();
  const written: string[] = [];
  const line = createProgressLine({
    clock,
    columns: columns === undefined ? undefined : () => columns,
    write: (text) => void written.push(text),
  });
  return { clock, line, written };
}

describe("progress of long work", () => {
  it("shows nothing for work of less than three seconds", () => {
    for (const columns of [undefined, 80]) {
      const { clock, line, written } = lineOn(columns);
      const progress = line.start("windows");
      clock.advance(2999);
      progress.at(99, 100);
      progress.end();
      expect(written).toEqual([]);
    }
  });

  it("says from second 3 on what is done and how long the rest takes, redrawn four times per second in a terminal", () => {
    const { clock, line, written } = lineOn(80);
    const progress = line.start("windows");
    clock.advance(3000);
    progress.at(300, 1200);
    expect(written).toEqual(["\r\u001b[K  windows: 300 of 1,200, 25 %, 0:09 left"]);
    clock.advance(249);
    progress.at(324, 1200);
    expect(written).toHaveLength(1);
    clock.advance(1);
    progress.at(325, 1200);
    expect(written[1]).toBe("\r\u001b[K  windows: 325 of 1,200, 27 %, 0:09 left");
    progress.end();
    expect(written.at(-1)).toBe("\r\u001b[K");
    progress.end();
    expect(written).toHaveLength(3);
  });

  it("is a plain line every half minute where there is no terminal", () => {
    const { clock, line, written } = lineOn();
    const progress = line.start("minutes");
    for (let second = 1; second <= 65; second++) {
      clock.advance(1000);
      progress.at(second, 100);
    }
    progress.end();
    expect(written).toEqual([
      "  minutes: 3 of 100, 3 %, 1:37 left\n",
      "  minutes: 33 of 100, 33 %, 1:07 left\n",
      "  minutes: 63 of 100, 63 %, 0:37 left\n",
    ]);
  });

  it("fits any width, needs no total, and does not divide by nothing", () => {
    const { clock, line, written } = lineOn(20);
    const progress = line.start("a title of some length");
    clock.advance(4000);
    progress.at(0, 0);
    progress.show(() => "x".repeat(100));
    clock.advance(300);
    progress.at(0, 10);
    clock.advance(300);
    progress.at(5);
    for (const text of written) expect(text.replace("\r\u001b[K", "").length).toBeLessThan(20);
    expect(written.join("")).not.toMatch(/NaN|Infinity/);
  });

  it("goes out of the way of a line that is printed, of the answer and of a failure", () => {
    const clock = new ManualClock();
    const { io, output } = fakeIo({ clock, stderrColumns: () => 80 });
    const out = createOutput(io, false);
    const progress = out.progress("windows");
    clock.advance(5000);
    progress.at(1, 2);
    out.note("a remark");
    expect(output().stderr).toBe("\r\u001b[K  windows: 1 of 2, 50 %, 0:05 left\r\u001b[Ka remark\n");
    clock.advance(5000);
    progress.at(1, 2);
    reportFailure(io, new Error("it broke"), false);
    expect(output().stderr).toContain("0:10 left\r\u001b[Kdormouse: unexpected: it broke");
    expect(output().stdout).toBe("");
  });

  it("counts the seconds of a wait by the clock, until it ends", () => {
    const { clock, line, written } = lineOn(80);
    const end = showWait(clock, line.start("seconds"), 10);
    clock.advance(4000);
    expect(written.at(-1)).toContain("seconds: 4 of 10, 40 %, 0:06 left");
    end();
    const before = written.length;
    clock.advance(60_000);
    expect(written).toHaveLength(before);
  });
});
