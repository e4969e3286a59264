import { expect, it } from "vitest";
import { writeImage } from "../../../host/core/image/image-write.ts";
import { Model } from "../../../host/core/session/model.ts";
import { createRandom } from "../../../host/core/system/random.ts";
import { scoredWindows } from "../../../host/data/recording.ts";
import { fullDepth, windowMoments } from "../../../host/eval/protocols.ts";
import { fullDepth as fullDepthOnBoard } from "../../../host/firmware/emulate/emulate.ts";
import { activityShaped } from "../../golden/random-image.ts";

const random = createRandom(3);
const labels = new Uint8Array(600).fill(1);
const frames = Int16Array.from({ length: 6 * labels.length }, () => random.integer(4096) - 2048);
const recording = { name: "one", subject: "1", channels: 6, frames, labels, segments: [{ label: 1, start: 0, end: 600 }] };
const withRings = (ringPatches: number): Model => Model.load(writeImage({ ...activityShaped(11), ringPatches }));

it("reads every patch of a window at full depth, however little the rings hold", () => {
  const read = (model: Model) => [...windowMoments(fullDepth(model.createSession()), [recording])].map(({ logits }) => logits);
  const whole = read(withRings(32));
  expect(whole).toHaveLength(scoredWindows(recording).length);
  expect(read(withRings(16))).toEqual(whole);
  expect(read(withRings(1))).toEqual(whole);
});

it.each([
  [32, 32],
  [48, 32],
  [16, 16],
  [12, 8],
  [1, 1],
])("with rings of %d patches a board decides on whole windows after hops of %d", (ringPatches, hopPatches) => {
  expect(fullDepthOnBoard(withRings(ringPatches)).hopPatches).toBe(hopPatches);
});
