import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findSegments } from "../../../host/data/find-segments.ts";
import { publishedWindows, type Recording } from "../../../host/data/recording.ts";
import { labelRules, withWindows } from "../../../host/data/window-rule.ts";

const recordingOf = (labels: readonly number[]): Recording => ({
  ...{ name: "r", subject: "1", channels: 1, frames: new Int16Array(labels.length), labels: Uint8Array.from(labels) },
  segments: findSegments(Uint8Array.from(labels)),
});
const stretch = (...parts: readonly (readonly [label: number, frames: number])[]) =>
  parts.flatMap(([label, n]) => Array<number>(n).fill(label));

describe("windows by a rule", () => {
  const recording = recordingOf(stretch([1, 64], [2, 12], [1, 52])); // an event of 12 frames in the background

  it.each([
    ["whole", [1, 1, 1, 1, 1]],
    ["majority", [1, 1, 1, 1, 1, 1, 1]],
    ["any>20%", [1, 1, 1, 2, 2, 1, 1]],
    ["centre", [1, 1, 1, 1, 1, 1, 1]],
  ] as const)("%s", (rule, labels) => {
    const own = withWindows(recording, { rule, frames: 32, background: "long" }, 1);
    expect(publishedWindows(own).map(({ label }) => label)).toEqual(labels);
    expect(own.bouts).toEqual(recording.segments);
  });

  it("have a label that some of their frames have, whatever the labels are", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 200 }), fc.constantFrom(...labelRules), (labels, rule) =>
        publishedWindows(withWindows(recordingOf(labels), { rule, frames: 32 }, 1)).every(
          ({ start, label }) => start + 32 <= labels.length && label > 0 && labels.slice(start, start + 32).includes(label),
        ),
      ),
    );
  });
});
