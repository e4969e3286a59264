import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { peekManifest, readImage, sealImage } from "../../../../host/core/image/image-read.ts";
import { packageRoot } from "../../../../host/core/system/package-root.ts";
import { IntentModel } from "../../../../host/core/text/intent-model.ts";
import { isTextImage, readTextImage, writeTextImage } from "../../../../host/core/text/text-image.ts";
import { randomTextImage } from "../../../golden/random-text-image.ts";
import { seeded } from "../../../support/random.ts";

const codeOf = (run: () => unknown): string => {
  try {
    run();
    return "nothing";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
};
const sensor = new Uint8Array(readFileSync(join(packageRoot(), "agents", "activity", "model.dmm")));

it("reads what it wrote, and writes the same bytes again", () => {
  const image = randomTextImage(1);
  const bytes = writeTextImage(image);
  const read = readTextImage(bytes);
  expect(read).toEqual({ ...image, manifest: read.manifest });
  expect(writeTextImage(read)).toEqual(bytes);
});

it("each reader refuses the other's image by name", () => {
  const text = writeTextImage(randomTextImage(1));
  expect([isTextImage(text), isTextImage(sensor)]).toEqual([true, false]);
  expect(codeOf(() => readImage(text))).toBe("TEXT_IMAGE");
  expect(codeOf(() => peekManifest(text))).toBe("TEXT_IMAGE");
  expect(codeOf(() => IntentModel.load(sensor))).toBe("SENSOR_IMAGE");
});

it.each([
  ["a width that is no multiple of 16", { dModel: 24 }, "BAD_CONFIG"],
  ["fewer labels than classes", { nClasses: 12 }, "BAD_LINEAR"],
  ["a threshold that no probability reaches", { threshold: 40000 }, "BAD_EXIT"],
  ["a table of another size", { table: new Int8Array(5) }, "BAD_TENSOR"],
  ["a shift that overflows", { hiddenShift: new Int8Array(32).fill(9) }, "BAD_MULTIPLIER"],
])("refuses to write %s", (_, change, code) => {
  expect(codeOf(() => writeTextImage({ ...randomTextImage(1), ...change }))).toBe(code);
});

it("refuses a manifest with a label twice", () => {
  const image = randomTextImage(1);
  const labels = image.manifest.labels.map(() => "same");
  expect(codeOf(() => writeTextImage({ ...image, manifest: { ...image.manifest, labels } }))).toBe("BAD_MANIFEST");
});

it("a mutated image is read or refused with a ModelError, and what is read the core takes too", () => {
  const random = seeded(2);
  const good = writeTextImage(randomTextImage(2));
  for (let i = 0; i < 1500; i++) {
    const bytes = good.slice();
    for (let k = 0; k <= i % 3; k++) bytes[Math.floor(random() * (i % 2 === 0 ? 400 : bytes.length))] = Math.floor(random() * 256);
    if (i % 10 > 0) sealImage(bytes);
    try {
      IntentModel.load(bytes);
    } catch (error) {
      expect((error as Error).name).toBe("ModelError");
    }
  }
});
