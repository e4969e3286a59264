import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { FIXED_SHIFT_MIN, SNAPSHOT_HEADER_BYTES } from "../../../../assembly/layout.ts";
import type { ModelImage } from "../../../../host/core/image/image-types.ts";
import { writeImage } from "../../../../host/core/image/image-write.ts";
import { Model } from "../../../../host/core/session/model.ts";
import { packageRoot } from "../../../../host/core/system/package-root.ts";
import { generatedC } from "../../../../host/firmware/c/generated-c.ts";
import { PORTABLE_FLAGS } from "../../../../host/firmware/portable/portable-layout.ts";
import { activityShaped, randomImage } from "../../../golden/random-image.ts";
import { hasProgram } from "../../../support/programs.ts";
import { randomPatches, seeded } from "../../../support/random.ts";
import { requireAll } from "../../../support/require.ts";
import { needTools } from "../../../support/tools.ts";

/** Images: a few hundred, or as many as the nightly run asks for. */
const IMAGES = Number(process.env.DORMOUSE_IMAGES ?? 200);
const PATCHES = 40;
const folder = mkdtempSync(join(tmpdir(), "dormouse-random-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/**
 * By turns: small odd shapes; rows in sixteens, which the SIMD build requantises as lanes; the same with one row so far from the others that
 * it may not; the activity net's shape.
 */
function imageOf(seed: number): ModelImage {
  const turn = seed % 8;
  if (turn < 3) return randomImage(seed);
  if (turn === 7) return activityShaped(seed);
  const even = { dModel: 16, ssm: { nHeads: 2, headDim: 8, dState: 8 }, attention: { nHeads: 2, nKvHeads: 1, headDim: 8, dMlp: 16 } };
  const image = randomImage(seed, { ...even, pattern: "SA", exitsAfter: [0, 1] });
  if (turn < 5) return image;
  const [first, second] = image.blocks;
  if (first?.kind !== "ssm") throw new RangeError("the first block is no ssm");
  const odd = first.inProj.multiplier.findIndex((multiplier, row) => multiplier !== 0 && row >= seed % 16);
  const shift = first.inProj.shift.map((value, row) => (row === odd ? Math.max(FIXED_SHIFT_MIN, value - 12) : value));
  return { ...image, blocks: [{ ...first, inProj: { ...first.inProj, shift } }, second!] };
}

interface Case {
  readonly seed: number;
  readonly record: Uint8Array;
  readonly hash: number;
}

/** Runs a case on both builds and as a batch; what the C program must print. */
function runCase(seed: number): Case {
  const bytes = writeImage(imageOf(seed));
  const models = (["scalar", "simd"] as const).map((engine) => Model.load(bytes, { engine }));
  const { channels, patchFrames, ringPatches, exits, nClasses } = models[0]!.image;
  const patches = randomPatches(seeded(seed), channels * patchFrames, PATCHES);
  const [scalar, simd] = models.map((model) => {
    const session = model.createSession();
    let logits: Int16Array[] = [];
    for (const [i, patch] of patches.entries()) {
      session.pushPatch(patch);
      if (i % ringPatches === ringPatches - 1 || i === PATCHES - 1) logits = session.logits();
    }
    return { logits, state: session.snapshot().subarray(SNAPSHOT_HEADER_BYTES) };
  });
  expect(simd, `image ${seed}`).toEqual(scalar);
  const sequence = Int8Array.from(patches.flatMap((patch) => [...patch]));
  expect([...models[1]!.createBatch(PATCHES).run([sequence])[0]!], `image ${seed} as a batch`).toEqual([...scalar!.logits.at(-1)!]);
  let hash = 2166136261;
  for (const part of [...scalar!.logits.map((row) => new Uint8Array(row.slice().buffer)), scalar!.state])
    for (const byte of part) hash = Math.imul(hash ^ byte, 16777619);
  const head = Uint32Array.of(bytes.length, PATCHES, channels * patchFrames, ringPatches, exits.length, nClasses);
  return { seed, record: Buffer.concat([new Uint8Array(head.buffer), bytes, new Uint8Array(sequence.buffer)]), hash: hash >>> 0 };
}

/** The core with the C kernels as the C library compiles it. */
function compile(): string {
  const common = join(packageRoot(), "boards", "common");
  const { source, header } = generatedC("core-kernels");
  writeFileSync(join(folder, "core.c"), source);
  writeFileSync(join(folder, "core.h"), header);
  writeFileSync(join(folder, "memory-base.h"), "#include <stdint.h>\nextern uint8_t dormouse_memory[];\n");
  const files = [
    join(folder, "core.c"),
    join(common, "kernels.c"),
    join(common, "linear-s8.c"),
    join(import.meta.dirname, "random-images.c"),
  ];
  const includes = ["-include", join(folder, "memory-base.h"), "-I", folder, "-I", common, "-DDORMOUSE_MEMORY_BASE=dormouse_memory"];
  const program = join(folder, "random-images");
  execFileSync("gcc", ["-std=gnu99", ...PORTABLE_FLAGS, ...includes, ...files, "-o", program]);
  return program;
}

describe.skipIf(!hasProgram("wasm2c") && !requireAll)(`${IMAGES} random images (needs wabt, gcc)`, () => {
  it("give the same logits at every exit and the same state on the scalar core, on SIMD, as a batch and in C", (context) => {
    needTools(context, "gcc");
    const program = compile();
    const first = Number(process.env.DORMOUSE_FIRST_IMAGE ?? 1);
    for (let from = first; from < first + IMAGES; from += 500) {
      const cases = Array.from({ length: Math.min(500, first + IMAGES - from) }, (_, i) => runCase(from + i));
      writeFileSync(join(folder, "cases.bin"), Buffer.concat(cases.map(({ record }) => record)));
      const printed = execFileSync(program, [join(folder, "cases.bin")], { encoding: "utf8" })
        .trim()
        .split("\n")
        .map(Number);
      const different = cases.filter(({ hash }, i) => hash !== printed[i]).map(({ seed }) => seed);
      expect(different, "images that differ in C").toEqual([]);
    }
  });
});
