import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as layout from "../../../../assembly/layout.ts";
import { crc32 } from "../../../../host/core/arithmetic/crc32.ts";
import { imageHash, peekManifest, readImage, sealImage } from "../../../../host/core/image/image-read.ts";
import type { ModelImage } from "../../../../host/core/image/image-types.ts";
import { writeImage } from "../../../../host/core/image/image-write.ts";
import { ModelError } from "../../../../host/core/system/errors.ts";
import { packageRoot } from "../../../../host/core/system/package-root.ts";
import { activityShaped, randomImage } from "../../../golden/random-image.ts";
import { tinyImage } from "../../../golden/tiny-image.ts";
import { seeded } from "../../../support/random.ts";

const GOLDEN = join(packageRoot(), "test", "golden", "tiny.dmm");
const tiny = writeImage(tinyImage());

/** Offset of a section's entry in the table of a sound image. */
function entryAt(bytes: Uint8Array, kind: number): number {
  for (let at = layout.IMAGE_HEADER_BYTES; ; at += layout.SECTION_ENTRY_BYTES)
    if (new DataView(bytes.buffer).getUint16(at, true) === kind) return at;
}

/** Offset of a section of a sound image. */
const sectionAt = (bytes: Uint8Array, kind: number): number => new DataView(bytes.buffer).getUint32(entryAt(bytes, kind) + 4, true);

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ModelError) return error.code;
    throw error;
  }
  return "ok";
}

/** A copy of an image with a word changed and, unless told otherwise, sealed again. */
function withWord(offset: number, value: number, isSealed = true, of = tiny): Uint8Array {
  const bytes = of.slice();
  new DataView(bytes.buffer).setInt32(offset, value, true);
  if (isSealed) sealImage(bytes);
  return bytes;
}

function withWords(offset: number, values: readonly number[]): Uint8Array {
  const bytes = tiny.slice();
  for (const [i, value] of values.entries()) new DataView(bytes.buffer).setInt32(offset + 4 * i, value, true);
  sealImage(bytes);
  return bytes;
}

describe("a model image", () => {
  it("comes back from its bytes, and its bytes from it", () => {
    for (const image of [tinyImage(), activityShaped(1), ...Array.from({ length: 20 }, (_, seed) => randomImage(seed))]) {
      const bytes = writeImage(image);
      const read = readImage(bytes);
      expect(read).toEqual(image);
      expect(Buffer.compare(writeImage(read), bytes)).toBe(0);
    }
  });

  it("is the golden file, byte for byte (DORMOUSE_WRITE_GOLDEN=1 writes it)", () => {
    if (process.env.DORMOUSE_WRITE_GOLDEN === "1") writeFileSync(GOLDEN, tiny);
    expect(tiny.length).toBeLessThan(20_000);
    expect(Buffer.compare(readFileSync(GOLDEN), tiny)).toBe(0);
  });

  it("is read from any place in a buffer", () => {
    const shifted = new Uint8Array(tiny.length + 3).subarray(3);
    shifted.set(tiny);
    expect(readImage(shifted)).toEqual(tinyImage());
  });

  it("has its hash in its header, and its manifest at hand", () => {
    expect(imageHash(tiny)).toMatch(/^[0-9a-f]{64}$/);
    expect(imageHash(writeImage(randomImage(1)))).not.toBe(imageHash(tiny));
    expect(peekManifest(tiny)).toEqual(tinyImage().manifest);
    expect(codeOf(() => peekManifest(tiny.subarray(0, 200)))).toBe("IMAGE_TRUNCATED");
  });

  it("has a manifest whose bytes do not depend on the order of keys", () => {
    const { manifest, ...rest } = tinyImage();
    const turned = Object.fromEntries(Object.entries(manifest).reverse()) as unknown as ModelImage["manifest"];
    expect(Buffer.compare(writeImage({ ...rest, manifest: turned }), tiny)).toBe(0);
  });
});

describe("readImage says what is wrong", () => {
  const model = sectionAt(tiny, layout.SECTION_MODEL);
  const input = sectionAt(tiny, layout.SECTION_INPUT);
  const head = sectionAt(tiny, layout.SECTION_HEAD);
  const smoothing = sectionAt(tiny, layout.SECTION_SMOOTHING);
  const entry = (kind: number, field: number): number => entryAt(tiny, kind) + field;
  const features = sectionAt(tiny, layout.SECTION_FEATURES);
  const ssm = sectionAt(tiny, layout.SECTION_BLOCKS);
  const attention = ssm + 4 * layout.BLOCK_WORDS;
  const exits = sectionAt(tiny, layout.SECTION_EXITS);
  const view = new DataView(tiny.buffer);
  const pointer = (record: number, index: number): number => view.getUint32(record + 4 * index, true);
  const cases: [code: string, what: string, bytes: Uint8Array][] = [
    ["IMAGE_TRUNCATED", "nothing", new Uint8Array(0)],
    ["IMAGE_TRUNCATED", "a cut image", tiny.slice(0, -16)],
    ["IMAGE_TRUNCATED", "a longer image", Uint8Array.from([...tiny, ...new Uint8Array(16)])],
    ["BAD_MAGIC", "magic", withWord(layout.HEADER_MAGIC, 7)],
    ["BAD_VERSION", "format", withWord(layout.HEADER_FORMAT, 3)],
    ["OTHER_CORE", "format 1 without its mark", withWord(layout.HEADER_FORMAT, 1)],
    ["UNKNOWN_BLOCK_KIND", "a kind that is not run", withWord(layout.HEADER_KINDS, 0b1110)],
    ["BAD_BLOCK", "kinds that are not the blocks'", withWord(layout.HEADER_KINDS, 0b010)],
    ["BAD_FLAGS", "flags", withWord(layout.HEADER_FLAGS, 1)],
    ["BAD_FLAGS", "reserved", withWord(layout.HEADER_RESERVED, 1)],
    ["BAD_CRC", "unsealed", withWord(model, 17, false)],
    ["BAD_SECTIONS", "section count", withWord(layout.HEADER_SECTION_COUNT, layout.SECTION_LAST + 1)],
    ["BAD_SECTIONS", "no section", withWord(layout.HEADER_SECTION_COUNT, 0)],
    ["BAD_SECTIONS", "a section twice", withWord(entry(layout.SECTION_BLOCKS, 0), layout.SECTION_FEATURES)],
    ["BAD_SECTIONS", "format 1's section", withWord(entry(layout.SECTION_FEATURES, 0), layout.SECTION_CONFIG)],
    ["UNKNOWN_SECTION", "a section that is not known", withWord(entry(layout.SECTION_SMOOTHING, 0), layout.SECTION_LAST - 1)],
    ["UNKNOWN_SECTION_VERSION", "a newer section", withWord(entry(layout.SECTION_HEAD, 0), layout.SECTION_HEAD | (1 << 16))],
    ["BAD_SECTIONS", "section offset", withWord(entry(layout.SECTION_FEATURES, 4), sectionAt(tiny, layout.SECTION_FEATURES) + 4)],
    ["BAD_SECTIONS", "section past the end", withWord(entry(layout.SECTION_SMOOTHING, 8), 1e6)],
    ["BAD_SECTIONS", "record count", withWord(entry(layout.SECTION_MODEL, 12), 2)],
    ["BAD_SECTIONS", "tensor count", withWord(entry(layout.SECTION_TENSORS, 12), 3)],
    ["BAD_CONFIG", "dModel", withWord(model + 4 * layout.MODEL_D_MODEL, 513)],
    ["BAD_CONFIG", "context below window", withWord(input + 4 * layout.INPUT_CONTEXT_PATCHES, 7)],
    ["BAD_CONFIG", "input of tokens", withWord(input + 4 * layout.INPUT_KIND, layout.INPUT_KIND_TOKENS)],
    ["BAD_CONFIG", "language head", withWord(head + 4 * layout.HEAD_KIND, layout.HEAD_KIND_LANGUAGE)],
    ["BAD_PADDING", "input word", withWord(input + 4 * (layout.INPUT_KIND + 1), 1)],
    ["BAD_PADDING", "block word", withWord(ssm + 4 * (layout.SSM_GATE_EPSILON + 1), 1)],
    ["BAD_SMOOTHING", "smoothing shift", withWord(smoothing + 4 * layout.SMOOTHING_SHIFT, layout.LIMIT_SMOOTHING_SHIFT + 1)],
    ["BAD_TENSOR", "smoothing transitionCosts", withWord(smoothing + 4 * layout.SMOOTHING_COSTS, 8)],
    ["BAD_SMOOTHING", "a cost", withWord(pointer(smoothing, layout.SMOOTHING_COSTS) + 4, layout.LIMIT_TRANSITION_COST + 1)],
    ["BAD_SMOOTHING", "a cost of staying", withWord(pointer(smoothing, layout.SMOOTHING_COSTS), 1)],
    ["BAD_SMOOTHING", "no temperature of smoothed decisions", withWords(exits + 4 * layout.EXIT_SMOOTHED_MULTIPLIER, [0, 0])],
    ["BAD_FEATURES", "zero point", withWord(features, 40000)],
    ["BAD_MULTIPLIER", "feature multiplier", withWord(features + 4 * layout.FEATURE_MULTIPLIER, 1)],
    ["BAD_MULTIPLIER", "feature shift", withWord(features + 4 * layout.FEATURE_SHIFT, 16)],
    ["UNKNOWN_BLOCK_KIND", "block kind", withWord(ssm, 3)],
    ["BAD_BLOCK", "epsilon", withWord(ssm + 4 * layout.BLOCK_EPSILON, 0)],
    ["BAD_BLOCK", "heads", withWord(ssm + 4 * layout.SSM_HEADS, 3)],
    ["BAD_BLOCK", "KV heads", withWord(attention + 4 * layout.ATTENTION_KV_HEADS, 3)],
    ["BAD_SCAN", "scan shift", withWord(ssm + 4 * layout.SSM_SCAN_SHIFT, 9)],
    ["BAD_SCAN", "A", withWord(pointer(ssm, layout.SSM_A), layout.FIXED_A_MIN - 1)],
    ["BAD_SCAN", "D", withWord(pointer(ssm, layout.SSM_D), -layout.LIMIT_D - 1)],
    ["BAD_LINEAR", "linear shape", withWord(ssm + 4 * layout.SSM_IN_PROJ, 15)],
    ["BAD_LINEAR", "linear size", withWord(ssm + 4 * (layout.SSM_IN_PROJ + 1), 1 << 30)],
    ["BAD_TENSOR", "tensor offset", withWord(ssm + 4 * (layout.SSM_IN_PROJ + layout.LINEAR_WEIGHTS), model)],
    ["BAD_BIAS", "bias", withWord(pointer(ssm, layout.SSM_IN_PROJ + layout.LINEAR_BIAS), 2 ** 30 + 1)],
    ["BAD_PADDING", "row padding", withWord(pointer(input, layout.INPUT_EMBED + layout.LINEAR_WEIGHTS) + 12, 1)],
    ["BAD_TABLES", "tables", withWord(sectionAt(tiny, layout.SECTION_TABLES), 65537)],
    ["BAD_EXIT", "exits not ascending", withWord(exits + 4 * layout.EXIT_WORDS, 0)],
    ["BAD_EXIT", "exit past the blocks", withWord(exits, 2)],
    ["BAD_EXIT", "threshold", withWord(exits + 4 * layout.EXIT_THRESHOLD, layout.EXIT_NEVER + 1)],
    ["BAD_MANIFEST", "manifest", withWord(sectionAt(tiny, layout.SECTION_MANIFEST), -1)],
  ];
  for (const [code, what, bytes] of cases) it(`${code} for ${what}`, () => expect(codeOf(() => readImage(bytes))).toBe(code));

  it("BAD_SHA256 where only the SHA-256 is wrong", () => {
    const forged = withWord(layout.HEADER_SHA256, 0, false);
    const forgedView = new DataView(forged.buffer);
    expect(codeOf(() => readImage(forged))).toBe("BAD_CRC");
    forgedView.setUint32(layout.HEADER_CRC32, 0, true);
    forgedView.setUint32(layout.HEADER_CRC32, crc32(forged), true);
    expect(codeOf(() => readImage(forged))).toBe("BAD_SHA256");
  });
});

const pointerOf = (bytes: Uint8Array, at: number): number => new DataView(bytes.buffer).getUint32(at, true);

describe("format 1", () => {
  const read = (name: string): Uint8Array => new Uint8Array(readFileSync(join(packageRoot(), "test", "golden", name)));
  const old = read("tiny-format-1.dmm");
  const config = sectionAt(old, layout.SECTION_CONFIG);
  const spoilt = (offset: number, value: number): string => codeOf(() => readImage(withWord(offset, value, true, old)));

  it("is read as what it was written from, and its newer image is the same model", () => {
    expect(readImage(old)).toEqual(tinyImage());
    const shipped = readImage(read("fall-format-1.dmm"));
    expect(readImage(writeImage(shipped))).toEqual(shipped);
  });

  it.each([
    ["OTHER_CORE", layout.HEADER_KINDS, 1],
    ["BAD_SECTIONS", layout.HEADER_SECTION_COUNT, 6],
    ["BAD_SECTIONS", layout.IMAGE_HEADER_BYTES, 2],
    ["BAD_CONFIG", config + 4 * layout.CONFIG_D_MODEL, 513],
    ["BAD_CONFIG", config + 4 * layout.CONFIG_CONTEXT_PATCHES, 7],
    ["BAD_PADDING", config + 4 * 31, 1],
    ["BAD_SMOOTHING", config + 4 * (layout.CONFIG_SMOOTHING + layout.SMOOTHING_SHIFT), layout.LIMIT_SMOOTHING_SHIFT + 1],
    ["BAD_SMOOTHING", pointerOf(old, config + 4 * layout.CONFIG_SMOOTHING), 1],
    ["BAD_LDA", config + 4 * (layout.CONFIG_LDA + layout.LDA_SHIFT), layout.LIMIT_LDA_SHIFT + 1],
    ["UNKNOWN_BLOCK_KIND", sectionAt(old, layout.SECTION_BLOCKS), 3],
  ])("is refused with %s for word %i = %i", (code, offset, value) => expect(spoilt(offset, value)).toBe(code));
});

describe("any bytes", () => {
  it("give a ModelError or a model that can be written again, over 3,000 mutated and sealed images", () => {
    const random = seeded(11);
    const pick = (n: number): number => Math.floor(random() * n);
    const values = [0, -1, 1, 2 ** 31 - 1, -(2 ** 31), 2 ** 30, 4096, 600];
    const records = sectionAt(tiny, layout.SECTION_TABLES);
    const old = new Uint8Array(readFileSync(join(packageRoot(), "test", "golden", "tiny-format-1.dmm")));
    const codes = new Map<string, number>();
    for (let i = 0; i < 3000; i++) {
      const bytes = (i % 3 === 0 ? old : tiny).slice();
      const view = new DataView(bytes.buffer);
      for (let m = 0; m <= pick(3); m++) {
        const end = random() < 0.7 ? records : bytes.length;
        if (random() < 0.5) bytes[pick(end)]! ^= 1 << pick(8);
        else view.setInt32(pick(end >> 2) << 2, random() < 0.5 ? values[pick(values.length)]! : pick(bytes.length), true);
      }
      sealImage(bytes);
      const code = codeOf(() => writeImage(readImage(bytes)));
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    expect(codes.size).toBeGreaterThan(12); // the mutations reach the checks behind the checksums
    expect(codes.get("ok")).toBeGreaterThan(100);
  });

  it("give a ModelError, over 2,000 random edits, cuts and inventions", () => {
    const edit = fc.array(fc.tuple(fc.nat({ max: tiny.length - 1 }), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 8 });
    const edited = fc.tuple(edit, fc.boolean()).map(([edits, isSealed]) => {
      const bytes = tiny.slice();
      for (const [at, flip] of edits) bytes[at]! ^= flip;
      if (isSealed) sealImage(bytes);
      return bytes;
    });
    const cut = fc.nat({ max: tiny.length - 1 }).map((length) => tiny.slice(0, length));
    fc.assert(
      fc.property(fc.oneof(edited, cut, fc.uint8Array({ maxLength: 1024 })), (bytes) => {
        const code = codeOf(() => readImage(bytes));
        if (code === "ok") expect(() => writeImage(readImage(bytes))).not.toThrow();
      }),
      { numRuns: 2000 },
    );
  });
});

describe("writeImage refuses what readImage would", () => {
  const image = tinyImage();
  const cases: [code: string, image: ModelImage][] = [
    ["BAD_CONFIG", { ...image, ringPatches: 257 }],
    ["BAD_CONFIG", { ...image, hopPatches: 1.5 }],
    ["BAD_LINEAR", { ...image, embed: { ...image.embed, nOut: 15 } }],
    ["BAD_TENSOR", { ...image, embed: { ...image.embed, bias: new Int32Array(3) } }],
    ["BAD_FEATURES", { ...image, features: [] }],
    ["BAD_EXIT", { ...image, exits: image.exits.slice(0, 1) }],
    ["BAD_TENSOR", { ...image, smoothing: { shift: 0, transitionCosts: new Int32Array(3) } }],
    ["BAD_MANIFEST", { ...image, manifest: { ...image.manifest, labels: ["one"] } }],
    ["BAD_MANIFEST", { ...image, manifest: { ...image.manifest, metrics: { accuracy: Number.NaN } } }],
  ];
  for (const [i, [code, bad]] of cases.entries()) it(`${code} (case ${i})`, () => expect(codeOf(() => writeImage(bad))).toBe(code));
});
