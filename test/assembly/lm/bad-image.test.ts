import { describe, expect, it } from "vitest";
import * as layout from "../../../assembly/layout.ts";
import * as lm from "../../../assembly/lm/layout.ts";
import { align16 } from "../../../host/core/arithmetic/align.ts";
import { sealImage } from "../../../host/core/image/image-header.ts";
import { readImage } from "../../../host/core/image/image-read.ts";
import { growTo } from "../../../host/core/session/module.ts";
import { ModelError } from "../../../host/core/system/errors.ts";
import { readLanguageImage } from "../../../host/lm/image-read.ts";
import { instantiateLm } from "../../../host/lm/lm-module.ts";
import { quantiseLlama } from "../../../host/lm/quantise.ts";
import { LmOracle } from "../../reference/lm/oracle.ts";
import { build } from "../../support/kernels.ts";
import { seeded } from "../../support/random.ts";
import { randomCheckpoint } from "../../support/random-llama.ts";
import { tinyShape } from "../../support/tiny-llama.ts";

const good = quantiseLlama(randomCheckpoint({ ...tinyShape, tiedHead: false }, 1), { name: "random", tokenizer: new Uint8Array(9) });
const mutations = Number(process.env.DORMOUSE_LM_MUTATIONS ?? 5_000);

// One instance for all: hundreds of instances in one process have hung.
const core = instantiateLm(build);
const at = core.memoryBase();
const room = align16(at + good.length);
growTo(core, room + 4 * 1024 * 1024);
const memory = new Uint8Array(core.memory.buffer);

/** Prepares and, if that succeeds, runs: the status. */
function run(image: Uint8Array): number {
  memory.set(image, at);
  const status = core.prepare(at, image.length, room, memory.length - room, 16);
  if (status !== layout.STATUS_OK) return status;
  core.reset(room);
  for (let i = 0; i < 20; i++) core.step(room, i);
  core.sample(room, 23637, -14, 3, 60000, 1);
  return status;
}

function hostAccepts(image: Uint8Array): boolean {
  try {
    readLanguageImage(image);
    return true;
  } catch (error) {
    if (error instanceof ModelError) return false;
    throw error;
  }
}

/** Edits where it hurts most: header, section table and records more often than weights. */
function mutate(random: () => number): Uint8Array {
  const image = good.slice();
  const view = new DataView(image.buffer);
  const below = (n: number): number => Math.floor(random() * n);
  const tensors = view.getUint32(layout.IMAGE_HEADER_BYTES + layout.SECTION_ENTRY_BYTES + 4, true);
  const records = image.length - 512;
  for (let edits = 1 + below(3); edits > 0; edits--) {
    const where = random();
    const offset = where < 0.5 ? below(tensors) : where < 0.9 ? records + below(512) : below(image.length);
    const kind = random();
    if (kind < 0.3) image[offset] = below(256);
    else if (kind < 0.6) image[offset]! ^= 1 << below(8);
    else {
      const values = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 32768, 65536, 4096, 8, 12, image.length, view.getInt32(offset & ~3, true) + 1];
      view.setInt32(Math.min(offset & ~3, image.length - 4), values[below(values.length)]!, true);
    }
  }
  return image;
}

describe(`bad language images (${build})`, () => {
  it("end in a status, never a trap or a run out of bounds, over 5,000 mutations per build, nine of ten sealed again", () => {
    const random = seeded(build === "simd" ? 7 : 9);
    const seen = new Map<number, number>();
    for (let i = 0; i < mutations; i++) {
      const image = mutate(random);
      if (random() < 0.9) sealImage(image);
      const status = run(image);
      seen.set(status, (seen.get(status) ?? 0) + 1);
      const accepted = hostAccepts(image);
      // The host also looks at SHA-256, gaps and the manifest: it accepts nothing that the core refuses.
      if (status !== layout.STATUS_OK && accepted) expect.fail(`mutation ${i}: the host accepts what the core refuses with ${status}`);
    }
    expect(run(good)).toBe(layout.STATUS_OK);
    // The mutations reach the checks behind the checksum.
    for (const status of [
      layout.STATUS_BAD_CRC,
      layout.STATUS_BAD_SECTIONS,
      layout.STATUS_BAD_CONFIG,
      layout.STATUS_BAD_BLOCK,
      layout.STATUS_BAD_TENSOR,
      layout.STATUS_BAD_MULTIPLIER,
    ])
      expect(seen.get(status) ?? 0, `status ${status}`).toBeGreaterThan(10);
  });

  it("that a core still takes stay within every bound, with the oracle's logits", () => {
    const random = seeded(build === "simd" ? 17 : 19);
    let taken = 0;
    for (let i = 0; i < mutations / 5; i++) {
      const image = mutate(random);
      sealImage(image);
      memory.set(image, at);
      if (core.prepare(at, image.length, room, memory.length - room, 16) !== layout.STATUS_OK || !hostAccepts(image)) continue;
      taken += 1;
      const read = readLanguageImage(image);
      const oracle = new LmOracle(read, 16);
      const logits = new Int32Array(memory.buffer, core.logitsPtr(room), read.vocabulary);
      for (let step = 0; step < 6; step++) {
        core.step(room, step % read.vocabulary);
        oracle.step(step % read.vocabulary);
        expect([...logits]).toEqual(oracle.logits);
      }
    }
    expect(taken).toBeGreaterThan(mutations / 100);
  });

  it("are refused when cut anywhere", () => {
    for (let bytes = 0; bytes < good.length; bytes += bytes < 700 ? 16 : 256) {
      expect(run(good.subarray(0, bytes))).toBeLessThan(0);
      expect(hostAccepts(good.subarray(0, bytes))).toBe(false);
    }
  });

  it("are named when they are of another kind: a sensor host refuses a language image by its block kind", () => {
    expect(() => readImage(good)).toThrow(expect.objectContaining({ code: "UNKNOWN_BLOCK_KIND" }));
  });

  it("take no more memory than their bytes account for", () => {
    const random = seeded(8);
    for (let i = 0; i < 2000; i++) {
      const image = mutate(random);
      sealImage(image);
      memory.set(image, at);
      core.prepare(at, image.length, room, 0, lm.LM_LIMIT_WINDOW);
      expect(core.arenaUsedBytes()).toBeLessThan(4 * 1024 * 1024);
    }
  });
});
