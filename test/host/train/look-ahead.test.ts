import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeImage } from "../../../host/core/image/image-write.ts";
import { Model } from "../../../host/core/session/model.ts";
import { packageRoot } from "../../../host/core/system/package-root.ts";
import { createRandom } from "../../../host/core/system/random.ts";
import type { Recording } from "../../../host/data/recording.ts";
import type { SyntheticParameters } from "../../../host/data/synthetic.ts";
import { streamDecisions } from "../../../host/eval/stream-decisions.ts";
import { activityShaped } from "../../golden/random-image.ts";
import { syntheticRecording } from "../../support/recording.ts";

const parameters = JSON.parse(readFileSync(join(packageRoot(), "agents/activity/synthetic.json"), "utf8")) as SyntheticParameters;
const labels = ["walking", "upstairs", "downstairs", "sitting", "standing", "laying"];
const frames = 4000;
const model = Model.load(writeImage(activityShaped(11)));

/** The samples from frame `from` on in random order, channels mixed up too. Labels stay, so that the same moments are scored. */
function scrambledFrom(recording: Recording, from: number): Recording {
  const random = createRandom(9);
  const mixed = recording.frames.slice();
  for (let i = mixed.length - 1; i > from * recording.channels; i--) {
    const j = from * recording.channels + random.integer(i - from * recording.channels + 1);
    [mixed[i], mixed[j]] = [mixed[j]!, mixed[i]!];
  }
  return { ...recording, frames: mixed };
}

describe("the stream protocol does not look ahead", () => {
  const recording = syntheticRecording(parameters, labels, { seed: 5, frames });
  const decide = (given: Recording) => streamDecisions(model, [given]);
  const whole = decide(recording);

  it.each([700, 1501, 2002, 3333])("scrambling the samples from %d on leaves every earlier decision of every exit as it was", (cut) => {
    const scrambled = decide(scrambledFrom(recording, cut));
    const earlier = whole.filter(({ frame }) => frame < cut);
    const later = whole.filter(({ frame }) => frame >= cut);
    expect(earlier.length).toBeGreaterThan(5);
    expect(earlier[0]!.scores).toHaveLength(4);
    expect(scrambled.filter(({ frame }) => frame < cut)).toEqual(earlier); // scores, confidences, and what an ask would carry
    expect(scrambled.filter(({ frame }) => frame >= cut).map(({ scores }) => scores)).not.toEqual(later.map(({ scores }) => scores));
  });

  it("a recording's decisions do not hang on the recordings before it", () => {
    const other = syntheticRecording(parameters, labels, { seed: 6, frames: 1500 });
    const both = streamDecisions(model, [other, recording]);
    expect(both.slice(-whole.length)).toEqual(whole);
  });
});

describe("an ask's context", () => {
  const recording = syntheticRecording(parameters, labels, { seed: 5, frames });
  const { contextPatches, channels, patchFrames } = model.image;

  it("is the patches of its own recording up to the decision, at most contextPatches of them", () => {
    const patches: Int8Array[] = []; // every patch of the recording, read back one by one
    const session = model.createSession();
    for (let i = 0; i < frames; i++)
      if (session.pushFrame(recording.frames.subarray(i * 6, i * 6 + 6), i + 1).patch)
        patches.push(session.context().slice(-channels * patchFrames));
    for (const { frame, context } of streamDecisions(model, [recording])) {
      const end = (frame + 1) / patchFrames;
      const expected = patches.slice(Math.max(0, end - contextPatches), end).flatMap((patch) => [...patch]);
      expect([...context]).toEqual(expected);
    }
  });
});
