import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as layout from "../../assembly/layout.ts";
import { align16 } from "../../host/core/arithmetic/align.ts";
import { addLda, computeLdaLogitsAtEnd } from "../../host/core/arithmetic/lda.ts";
import { linearS8, rowsToS16 } from "../../host/core/arithmetic/linear-s8.ts";
import { readSections } from "../../host/core/image/image-header.ts";
import { sealImage } from "../../host/core/image/image-read.ts";
import { writeImage } from "../../host/core/image/image-write.ts";
import { Model } from "../../host/core/session/model.ts";
import { growTo, instantiateCore } from "../../host/core/session/module.ts";
import type { Session, SetPoint } from "../../host/core/session/session-types.ts";
import { writeSnapshot } from "../../host/core/session/snapshot.ts";
import { createTail } from "../../host/core/session/tail.ts";
import type { ModelError } from "../../host/core/system/errors.ts";
import { packageRoot } from "../../host/core/system/package-root.ts";
import { activityShaped, randomImage } from "../golden/random-image.ts";
import { createReferenceSession } from "../reference/session.ts";
import { build } from "../support/kernels.ts";
import { randomPatches, seeded } from "../support/random.ts";

const bytesOf = (seed: number): Uint8Array => writeImage(activityShaped(seed));
const never = (exits: number, hopPatches = layout.LIMIT_PATCHES): SetPoint => ({
  maxExit: exits - 1,
  hopPatches,
  askAllowed: false,
  limitReason: "none",
  askIntervalHops: 1,
  thresholds: Array(exits).fill(layout.EXIT_NEVER),
});
const session = (bytes: Uint8Array): Session => Model.load(bytes, { engine: build }).createSession();
const hashOf = (s: Session): string =>
  createHash("sha256")
    .update(Buffer.concat(s.logits().map((l) => Buffer.from(l.buffer))))
    .update(s.snapshot())
    .digest("hex");

describe(`core.wasm (${build})`, () => {
  it("has no imports, and exactly the exports that hosts know", () => {
    const module = new WebAssembly.Module(new Uint8Array(readFileSync(join(packageRoot(), "dist", `core-${build}.wasm`))));
    expect(WebAssembly.Module.imports(module)).toEqual([]);
    expect(
      WebAssembly.Module.exports(module)
        .map((e) => e.name)
        .sort(),
    ).toEqual(
      (
        "_initialize applySetPoint arenaUsedBytes contextPtr decide decisionPtr exitFeaturesPtr framePtr logitsPtr memory memoryBase opCount patchPtr " +
        "prepare pushFrame pushPatch reset restore runAll runs setPointPtr snapshot snapshotBytes tailBytes tailPtr useLda"
      ).split(" "),
    );
  });

  it("contains no heap: the debug build never names the allocator", () => {
    expect(readFileSync(join(packageRoot(), "dist", "core-debug.wat"), "utf8")).not.toContain("~lib/rt/stub/__new");
  });

  it("gives the reference's logits, decisions and snapshots, bit for bit, streaming and with catch-up", () => {
    for (const seed of [1, 2, 3]) {
      const bytes = bytesOf(seed);
      const core = session(bytes);
      const oracle = createReferenceSession(bytes);
      const patches = randomPatches(seeded(seed), 24, 300);
      const setPoint = { ...never(4, 16), askAllowed: true, askIntervalHops: 3, thresholds: [20000, 12000, 12000, 16000] };
      core.setPoint(setPoint);
      oracle.setPoint(setPoint);
      for (const [i, patch] of patches.entries()) {
        expect(core.pushPatch(patch)).toEqual(oracle.pushPatch(patch));
        if (i % 97 === 60) expect(hashOf(core)).toBe(hashOf(oracle));
        if (i % 97 === 13) expect(core.snapshot()).toEqual(oracle.snapshot());
      }
      expect(core.context()).toEqual(oracle.context());
    }
  });

  it("gives the reference's bits on frames with gaps, repeats and resets", () => {
    const bytes = bytesOf(7);
    const core = session(bytes);
    const oracle = createReferenceSession(bytes);
    const random = seeded(7);
    let tick = 4294967200; // wraps within the test
    for (let i = 0; i < 600; i++) {
      const frame = Int16Array.from({ length: 6 }, () => Math.floor((random() - 0.5) * 8000));
      const jump = random();
      tick = (tick + (jump < 0.02 ? 40 : jump < 0.06 ? 5 : jump < 0.08 ? 0 : 1)) >>> 0;
      expect(core.pushFrame(frame, tick)).toEqual(oracle.pushFrame(frame, tick));
    }
    expect(core.snapshot()).toEqual(oracle.snapshot());
  });

  it("is the same on small odd shapes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
        const bytes = writeImage(randomImage(seed));
        const core = session(bytes);
        const oracle = createReferenceSession(bytes);
        const patchBytes = core.context().length === 0 ? Model.load(bytes).image.channels * Model.load(bytes).image.patchFrames : 0;
        for (const patch of randomPatches(seeded(seed), patchBytes, 40)) expect(core.pushPatch(patch)).toEqual(oracle.pushPatch(patch));
        expect(hashOf(core)).toBe(hashOf(oracle));
        for (let k = 0; k < core.logits().length; k++) expect(core.opCount(k)).toEqual(oracle.opCount(k));
      }),
      { numRuns: 25 },
    );
  });

  it("counts no more operations of a window than a word holds, as the oracle does", () => {
    const blocks = 16;
    const shape = { pattern: "S".repeat(blocks), exitsAfter: [0, blocks - 1], dModel: 512, channels: 3, patchFrames: 1, nClasses: 2 };
    const long = { windowPatches: 1024, contextPatches: 1024, hopPatches: 1024, ringPatches: 4, lda: false, smoothing: false };
    const bytes = writeImage(randomImage(3, { ...shape, ...long, ssm: { nHeads: 8, headDim: 16, dState: 64, dConv: 1 } }));
    const core = session(bytes);
    const oracle = createReferenceSession(bytes);
    expect(core.opCount(0)).toEqual(oracle.opCount(0));
    expect(core.opCount(0).macs).toBeLessThan(2 ** 32 - 1);
    expect(core.opCount(1)).toEqual(oracle.opCount(1));
    expect(core.opCount(1).macs).toBe(2 ** 32 - 1);
  });

  it("is the same where a sensor dies and comes back: the LDA head adds nothing meanwhile", () => {
    const bytes = writeImage(activityShaped(5));
    const core = session(bytes);
    const oracle = createReferenceSession(bytes);
    for (const [i, patch] of randomPatches(seeded(5), 24, 160).entries()) {
      const isDead = i >= 40 && i < 110;
      if (isDead) for (let at = 0; at < 24; at++) if (at % 6 >= 3) patch[at] = 0;
      expect(core.pushPatch(patch)).toEqual(oracle.pushPatch(patch));
      expect(core.logits()).toEqual(oracle.logits());
    }
  });

  it("shows what an exit's head reads: the reference's bits, and its own logits again through the head", () => {
    const bytes = bytesOf(9);
    const { image } = Model.load(bytes);
    const core = session(bytes);
    const oracle = createReferenceSession(bytes);
    const late = session(bytes); // pushed without a look: its upper segments wait in the rings
    for (const one of [core, oracle, late]) one.setPoint(never(4));
    for (const [i, patch] of randomPatches(seeded(9), 24, 90).entries()) {
      for (const one of [core, oracle, late]) one.pushPatch(patch);
      if (i % 30 !== 29) continue;
      for (const k of [2, 0, 3, 1]) {
        const features = core.features(k);
        expect(features).toEqual(oracle.features(k));
        const alone = rowsToS16(linearS8(features, image.exits[k]!.head), image.exits[k]!.head);
        expect(addLda(alone, computeLdaLogitsAtEnd(image, core.context()))).toEqual(core.logits()[k]);
      }
      expect(late.features(3)).toEqual(core.features(3));
      expect(core.snapshot()).toEqual(oracle.snapshot());
    }
    expect(() => core.features(4)).toThrow("exits 0 … 3");
    expect(() => oracle.features(4)).toThrow("exits 0 … 3");
  });

  it("calls a certain answer certain: confidence reaches 32768 and does not wrap", () => {
    const bytes = writeImage(randomImage(9, { pattern: "SSA", exitsAfter: [0, 1, 2], temperature: 0.01, hopPatches: 1 }));
    const core = session(bytes);
    const oracle = createReferenceSession(bytes);
    const { image } = Model.load(bytes);
    const sure = randomPatches(seeded(9), image.channels * image.patchFrames, 60).map((patch) => {
      const result = core.pushPatch(patch);
      expect(result).toEqual(oracle.pushPatch(patch));
      return result.decision!.confidenceQ15;
    });
    expect(Math.max(...sure)).toBe(32768);
    expect(Math.min(...sure)).toBeGreaterThan(0);
  });

  it("refuses a frame or patch of another length, and says what it takes", () => {
    const core = session(bytesOf(1));
    expect(() => core.pushFrame(new Int16Array(5), 0)).toThrow("a frame has 5 values, the model takes 6");
    expect(() => core.pushPatch(new Int8Array(25))).toThrow("a patch has 25 values, the model takes 24");
  });

  it("leaves memory size and arena marks unchanged over 1,000 steps", () => {
    const bytes = bytesOf(4);
    const core = instantiateCore(build);
    const image = core.memoryBase();
    const arenaBytes = Model.load(bytes).arenaBytes;
    const arena = align16(image + bytes.length);
    growTo(core, arena + arenaBytes + 64);
    const memory = new Uint8Array(core.memory.buffer);
    memory.set(bytes, image);
    memory.fill(0xa5, arena + arenaBytes, arena + arenaBytes + 64);
    expect(core.prepare(image, bytes.length, arena, arenaBytes)).toBe(layout.STATUS_OK);
    const pages = core.memory.buffer.byteLength;
    const patch = new Int8Array(core.memory.buffer, core.patchPtr(arena), 24);
    for (const next of randomPatches(seeded(4), 24, 1000)) {
      patch.set(next);
      core.pushPatch(arena);
    }
    expect(core.memory.buffer.byteLength).toBe(pages);
    expect(core.arenaUsedBytes()).toBe(arenaBytes);
    expect(memory.subarray(arena + arenaBytes, arena + arenaBytes + 64).every((b) => b === 0xa5)).toBe(true);
    expect(memory.subarray(image, image + bytes.length)).toEqual(bytes);
  });

  it("catches up: with at most R patches pending, late depth equals depth at every patch", () => {
    const bytes = bytesOf(5);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.array(fc.integer({ min: 1, max: 32 }), { minLength: 1, maxLength: 6 }),
        (seed, hops) => {
          const always = session(bytes);
          const lazy = session(bytes);
          always.setPoint(never(4, 1));
          lazy.setPoint(never(4));
          const patches = randomPatches(
            seeded(seed),
            24,
            hops.reduce((a, b) => a + b, 0),
          );
          let at = 0;
          for (const hop of hops) {
            for (let i = 0; i < hop; i++, at++) {
              always.pushPatch(patches[at]!);
              lazy.pushPatch(patches[at]!);
            }
            expect(lazy.decide().rebuilds).toBe(0);
            expect(lazy.logits()).toEqual(always.logits());
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it("rebuilds: past R pending patches, the blocks above see the last R from a reset state", () => {
    const bytes = bytesOf(6);
    const patches = randomPatches(seeded(6), 24, 100);
    const late = session(bytes);
    late.setPoint(never(4));
    for (const patch of patches) late.pushPatch(patch);
    expect(late.decide().rebuilds).toBe(1);
    const oracle = createReferenceSession(bytes);
    oracle.setPoint(never(4));
    for (const patch of patches) oracle.pushPatch(patch);
    oracle.decide();
    expect(late.logits()).toEqual(oracle.logits());
    expect(late.pushPatch(patches[0]!).decision).toBeUndefined();
    expect(late.decide().rebuilds).toBe(0);
  });

  it("goes on from a snapshot as if nothing had happened, and refuses any other bytes", () => {
    const bytes = bytesOf(8);
    const patches = randomPatches(seeded(8), 24, 120);
    const first = session(bytes);
    for (const patch of patches.slice(0, 70)) first.pushPatch(patch);
    const snapshot = first.snapshot();
    const second = session(bytes);
    second.restore(snapshot);
    for (const patch of patches.slice(70)) expect(second.pushPatch(patch)).toEqual(first.pushPatch(patch));
    expect(second.snapshot()).toEqual(first.snapshot());
    const before = second.snapshot();
    fc.assert(
      fc.property(fc.nat({ max: snapshot.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bad = snapshot.slice();
        bad[at] = bad[at]! ^ flip;
        expect(() => second.restore(bad)).toThrow(/snapshot/);
      }),
      { numRuns: 300 },
    );
    expect(second.snapshot()).toEqual(before);
    expect(() => session(bytesOf(9)).restore(snapshot)).toThrow(/another model image/);
  });

  it("refuses path scores in a snapshot that no decision could have left, and so does the oracle", () => {
    const image = activityShaped(8);
    const bytes = writeImage(image);
    const imageCrc32 = new DataView(bytes.buffer).getUint32(layout.HEADER_CRC32, true);
    const restored = (isSmoothed: number, ...kept: readonly number[]) => {
      const tail = createTail(image);
      tail.words[layout.TAIL_IS_SMOOTHED] = isSmoothed;
      tail.pathScores.set(kept);
      const snapshot = writeSnapshot(tail, imageCrc32);
      return [session(bytes), createReferenceSession(bytes)].map((one) => {
        try {
          one.restore(snapshot);
          return "taken";
        } catch (error) {
          return (error as ModelError).code;
        }
      });
    };
    const most = layout.LIMIT_TRANSITION_COST;
    for (const [isSmoothed, ...kept] of [
      [0, 0, 0],
      [1, 0, -most],
    ] as const)
      expect(restored(isSmoothed, ...kept), `${isSmoothed}: ${kept}`).toEqual(["taken", "taken"]);
    const all = (value: number): number[] => Array(image.nClasses).fill(value);
    for (const [isSmoothed, ...kept] of [
      [0, 0, -1],
      [1, 1],
      [1, 0, -most - 1],
      [1, 0, -(2 ** 31)],
      [1, ...all(-1)],
      [0, ...all(-1)],
      [2, 0],
    ])
      expect(restored(isSmoothed!, ...kept), `${isSmoothed}: ${kept}`).toEqual(["BAD_SNAPSHOT", "BAD_SNAPSHOT"]);
    const unsmoothed = writeImage(activityShaped(8, false));
    const tail = createTail(activityShaped(8, false));
    tail.words[layout.TAIL_IS_SMOOTHED] = 1;
    const snapshot = writeSnapshot(tail, new DataView(unsmoothed.buffer).getUint32(layout.HEADER_CRC32, true));
    for (const one of [session(unsmoothed), createReferenceSession(unsmoothed)]) expect(() => one.restore(snapshot)).toThrow(/snapshot/);
  });

  it("runs an image of format 1 as it did, and its upgrade to the same bits; a snapshot of one is not of the other", () => {
    const old = new Uint8Array(readFileSync(join(packageRoot(), "test", "golden", "fall-format-1.dmm")));
    const model = Model.load(old, { engine: build });
    const [before, after] = [model.createSession(), session(writeImage(model.image))];
    const random = seeded(5);
    for (let tick = 1; tick <= 2000; tick++) {
      const frame = Int16Array.from({ length: model.image.channels }, () => Math.floor(random() * 8192) - 4096);
      expect(after.pushFrame(frame, tick)).toEqual(before.pushFrame(frame, tick));
    }
    expect(after.logits()).toEqual(before.logits());
    expect(after.snapshot().subarray(layout.SNAPSHOT_HEADER_BYTES)).toEqual(before.snapshot().subarray(layout.SNAPSHOT_HEADER_BYTES));
    expect(() => after.restore(before.snapshot())).toThrow(expect.objectContaining({ code: "SNAPSHOT_OF_OTHER_IMAGE" }));
  });

  it("takes another LDA record without touching the image, and the image's own again", () => {
    const image = activityShaped(10);
    const bytes = writeImage(image);
    const core = instantiateCore(build);
    const base = core.memoryBase();
    const arena = align16(base + bytes.length);
    growTo(core, arena + 65536);
    new Uint8Array(core.memory.buffer).set(bytes, base);
    expect(core.prepare(base, bytes.length, arena, 65536)).toBe(layout.STATUS_OK);
    const record = align16(arena + core.arenaUsedBytes());
    const own = readSections(bytes).get(layout.SECTION_LDA)!.offset;
    new Int32Array(core.memory.buffer, record, layout.LDA_WORDS).set(new Int32Array(bytes.buffer, own, layout.LDA_WORDS));
    expect(core.useLda(arena, record)).toBe(layout.STATUS_OK);
    new Int32Array(core.memory.buffer, record, layout.LDA_WORDS)[layout.LDA_SHIFT] = layout.LIMIT_LDA_SHIFT + 1;
    expect(core.useLda(arena, record)).toBe(layout.STATUS_BAD_LDA);
    expect(core.useLda(arena, 0)).toBe(layout.STATUS_OK);
    expect(new Uint8Array(core.memory.buffer, base, bytes.length)).toEqual(bytes);
  });

  it("answers 10,000 mutated images of both formats with a status, never a trap", () => {
    const original = bytesOf(10);
    const tiny = writeImage(randomImage(10));
    const old = new Uint8Array(readFileSync(join(packageRoot(), "test", "golden", "tiny-format-1.dmm")));
    const core = instantiateCore(build);
    const base = core.memoryBase();
    const arena = align16(base + original.length);
    growTo(core, arena + 65536);
    const patchBytes = 24;
    const random = seeded(99);
    const pick = (n: number): number => Math.floor(random() * n);
    const seen = new Map<number, number>();
    let accepted = 0;
    for (let i = 0; i < 10_000; i++) {
      const source = i % 4 === 0 ? tiny : i % 4 === 1 ? old : original;
      const bytes = source.slice();
      const view = new DataView(bytes.buffer);
      // Most hit the header, the section table and the records: all before TABLES, or what follows the manifest.
      const sections = readSections(source);
      const records = sections.get(layout.SECTION_TABLES)!.offset;
      const behind = sections.get(layout.SECTION_MODEL)?.offset ?? source.length;
      for (let m = 0; m <= pick(3); m++) {
        const [from, end] =
          random() < 0.2 ? [0, bytes.length] : random() < 0.3 && behind < bytes.length ? [behind, bytes.length] : [0, records];
        if (random() < 0.5) bytes[from + pick(end - from)]! ^= 1 << pick(8);
        else
          view.setInt32(from + (pick((end - from) >> 2) << 2), [0, -1, 1, 0x7fffffff, -0x80000000, pick(70000), pick(600)][pick(7)]!, true);
      }
      if (i % 10 !== 0) sealImage(bytes);
      const length = i % 50 === 49 ? pick(bytes.length) & ~15 : bytes.length;
      new Uint8Array(core.memory.buffer).set(bytes, base);
      const status = core.prepare(base, length, arena, 65536);
      seen.set(status, (seen.get(status) ?? 0) + 1);
      expect(status).toBeLessThanOrEqual(0);
      if (status !== layout.STATUS_OK) continue;
      accepted += 1; // a mutation that is a valid model must also run
      new Int8Array(core.memory.buffer, core.patchPtr(arena), patchBytes).fill(i);
      for (let p = 0; p < 3; p++) core.pushPatch(arena);
      core.runAll(arena);
    }
    expect(seen.size).toBeGreaterThan(12); // the mutations reach the checks behind the checksum
    expect(accepted).toBeGreaterThan(100);
  });

  it("refuses a set-point out of range and keeps the one in force", () => {
    const core = session(bytesOf(11));
    for (const bad of [
      { maxExit: 4 },
      { maxExit: -1 },
      { hopPatches: 0 },
      { askIntervalHops: 0 },
      { thresholds: [40000] },
      { thresholds: [-1] },
    ]) {
      expect(() => core.setPoint({ ...never(4, 8), ...bad })).toThrow(/set-point/);
    }
    const patches = randomPatches(seeded(1), 24, 16);
    expect(patches.map((p) => core.pushPatch(p).decision !== undefined).lastIndexOf(true)).toBe(15); // the image's hop of 16 still holds
  });

  it("says what to do when the arena is too small", () => {
    const bytes = bytesOf(12);
    const needs = Model.load(bytes).arenaBytes;
    expect(() => Model.load(bytes, { engine: build, arenaBytes: needs - 1 })).toThrow(
      new RegExp(`needs ${needs} B of arena, was given ${needs - 1} B`),
    );
  });
});
