import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as layout from "../../../../assembly/layout.ts";
import { linearS8, rowsToS16 } from "../../../../host/core/arithmetic/linear-s8.ts";
import { writeImage } from "../../../../host/core/image/image-write.ts";
import { countLdaOps } from "../../../../host/core/image/op-count.ts";
import type { SetPoint } from "../../../../host/core/session/session-types.ts";
import { writeSnapshot } from "../../../../host/core/session/snapshot.ts";
import { createTail } from "../../../../host/core/session/tail.ts";
import { DataError, ModelError } from "../../../../host/core/system/errors.ts";
import { packageRoot } from "../../../../host/core/system/package-root.ts";
import { type RandomImageOptions, randomImage } from "../../../golden/random-image.ts";
import { tinyImage } from "../../../golden/tiny-image.ts";
import { createReferenceSession } from "../../../reference/session.ts";
import { randomPatches, seeded } from "../../../support/random.ts";

/** A set-point that never exits, and decides only when told. */
const always = (exits: number, more: Partial<SetPoint> = {}): SetPoint => ({
  maxExit: exits - 1,
  hopPatches: layout.LIMIT_PATCHES,
  askAllowed: false,
  limitReason: "none",
  askIntervalHops: 1,
  thresholds: Array(exits).fill(layout.EXIT_NEVER),
  ...more,
});

const SHAPE = { pattern: "SSA", exitsAfter: [0, 1, 2], ringPatches: 6 } as const;
const build = (seed: number, options: RandomImageOptions = SHAPE) => {
  const image = randomImage(seed, options);
  const bytes = writeImage(image);
  return { image, bytes, patchBytes: image.channels * image.patchFrames, session: () => createReferenceSession(bytes) };
};

describe("an exit's features", () => {
  it("are what its head reads, whether the segments were caught up before or not, and change no decision", () => {
    const { image, patchBytes, session } = build(4);
    const looked = session();
    const late = session();
    for (const one of [looked, late]) one.setPoint(always(3));
    for (const patch of randomPatches(seeded(4), patchBytes, image.ringPatches)) {
      looked.pushPatch(patch);
      late.pushPatch(patch);
      for (const k of [0, 1, 2]) {
        const { head } = image.exits[k]!;
        expect(rowsToS16(linearS8(looked.features(k), head), head)).toEqual(looked.logits()[k]);
      }
    }
    for (const k of [2, 1, 0]) expect(late.features(k)).toEqual(looked.features(k));
    const { macs: _, steps: __, ...decision } = late.decide();
    expect(looked.decide()).toMatchObject(decision);
    expect(() => late.features(3)).toThrow(ModelError);
  });
});

describe("catching up", () => {
  it("equals running to full depth at every patch, for any hops of up to R", () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 8 }), (seed, hops) => {
        const { patchBytes, session } = build(seed % 20);
        const patches = randomPatches(seeded(seed), patchBytes, 48);
        const deep = session();
        const lazy = session();
        deep.setPoint(always(3, { hopPatches: 1 }));
        lazy.setPoint(always(3));
        let at = 0;
        for (const hop of hops) {
          for (const patch of patches.slice(at, at + hop)) {
            expect(deep.pushPatch(patch).decision?.rebuilds).toBe(0);
            lazy.pushPatch(patch);
          }
          at += hop;
          expect(lazy.decide().rebuilds).toBe(0);
          expect(lazy.logits()).toEqual(deep.logits());
        }
      }),
      { numRuns: 60 },
    );
  });

  it("after more than R patches rebuilds from the last R, as if the segments above had begun there", () => {
    const { image, patchBytes, session } = build(3);
    const patches = randomPatches(seeded(3), patchBytes, 20);
    const late = session();
    late.setPoint(always(3));
    for (const patch of patches) late.pushPatch(patch);
    const decision = late.decide();
    expect([decision.rebuilds, decision.steps]).toEqual([1, 20 + 6 + 6]);

    // The other way to say it: 14 patches of segment 0 alone, then the segments above from zero.
    const early = session();
    early.setPoint(always(3));
    for (const patch of patches.slice(0, 14)) early.pushPatch(patch);
    const tail = createTail(image);
    const taken = early.snapshot();
    tail.bytes.set(taken.subarray(layout.SNAPSHOT_HEADER_BYTES));
    for (const bytes of tail.blocks.slice(1)) bytes.fill(0);
    tail.words.fill(0, layout.TAIL_RING_PENDING, layout.TAIL_RING_PENDING + layout.LIMIT_EXITS);
    early.restore(writeSnapshot(tail, new DataView(taken.buffer).getUint32(8, true)));
    early.setPoint(always(3, { hopPatches: 1 }));
    for (const patch of patches.slice(14)) early.pushPatch(patch);
    expect(late.logits()).toEqual(early.logits());
  });

  it("rebuilds a middle overflow at its own exit only", () => {
    const { patchBytes, session } = build(4);
    const run = session();
    run.setPoint(always(3, { maxExit: 1, hopPatches: 4 }));
    for (const patch of randomPatches(seeded(4), patchBytes, 8)) expect(run.pushPatch(patch).decision?.rebuilds ?? 0).toBe(0);
    run.setPoint(always(3));
    expect(run.decide()).toMatchObject({ rebuilds: 1, steps: 6, exit: 2 }); // ring 1 took 8 > R; ring 0 had nothing waiting
  });
});

describe("decisions", () => {
  it("are golden on tiny.dmm: the arithmetic does not drift", () => {
    const run = createReferenceSession(new Uint8Array(readFileSync(join(packageRoot(), "test", "golden", "tiny.dmm"))));
    const seen = randomPatches(seeded(1), 12, 40).flatMap((patch) => run.pushPatch(patch).decision ?? []);
    const decisions = seen.map((d) => `${d.why} ${d.exit} ${d.label} ${d.confidenceQ15}`);
    expect(decisions.join(", ")).toMatchInlineSnapshot(
      `"ask 1 0 18282, ask 1 3 15832, ask 1 3 17870, ask 1 3 12898, ask 1 2 16772, ask 1 2 25340, exit 1 2 29112, exit 1 2 30358, exit 1 2 31383, exit 1 2 31126"`,
    );
    expect(createHash("sha256").update(run.snapshot()).digest("hex")).toMatchInlineSnapshot(
      `"d62b5a99a30102a53133181e3d5a94a452163b39bc3f4260c940757812e8ad0c"`,
    );
    expect(run.logits().join(" | ")).toMatchInlineSnapshot(`"-296,1176,37,-2338,-271 | -688,1104,3372,-459,429"`);
  });

  it("come every hop, count what ran, and say why", () => {
    const { image, patchBytes, session } = build(5);
    const run = session();
    const patches = randomPatches(seeded(5), patchBytes, 24);
    const ops = (k: number) => run.opCount(k).macs;
    const heads = image.dModel * image.nClasses;
    run.setPoint(always(3, { hopPatches: 4, thresholds: [0, 0, 0] })); // only the certified ones apply
    run.setPoint(always(3, { hopPatches: 4, askAllowed: true, askIntervalHops: 3 }));
    const seen = patches.map((patch) => run.pushPatch(patch).decision);
    expect(seen.map((d, i) => (d ? i + 1 : 0)).filter(Boolean)).toEqual([4, 8, 12, 16, 20, 24]);
    const decisions = seen.flatMap((d) => d ?? []);
    expect(decisions.map((d) => d.why)).toEqual(["ask", "deferred", "deferred", "ask", "deferred", "deferred"]);
    for (const d of decisions) {
      expect(d).toMatchObject({ exit: 2, steps: 12, rebuilds: 0, tick: 0 });
      const weighed = d.patch >= image.windowPatches ? countLdaOps(image).macs : 0;
      expect(d.macs).toBe(((ops(2) - 3 * heads - countLdaOps(image).macs) / image.windowPatches) * 4 + 3 * heads + weighed);
    }
    expect(decisions.map((d) => d.patch)).toEqual([4, 8, 12, 16, 20, 24]);
    run.logits();
    expect(run.decide()).toMatchObject({ macs: 3 * heads + countLdaOps(image).macs, steps: 0 });
  });

  it("name the limit where depth is limited, and exit where a threshold is met", () => {
    const { session, patchBytes, image } = build(6);
    const run = session();
    for (const patch of randomPatches(seeded(6), patchBytes, 4)) run.pushPatch(patch);
    const why = (more: Partial<SetPoint>): string => {
      run.setPoint(always(3, more));
      return run.decide().why;
    };
    expect(why({ maxExit: 1, limitReason: "thermal" })).toBe("thermal");
    expect(why({ maxExit: 1, limitReason: "budget" })).toBe("budget");
    expect(why({ maxExit: 2, limitReason: "budget" })).toBe("deferred");
    expect(why({ maxExit: 1, limitReason: "budget", askAllowed: true })).toBe("ask");
    const certified = image.exits.map((exit) => exit.threshold);
    run.setPoint(always(3, { thresholds: [] }));
    const { exit, confidenceQ15, why: reason } = run.decide();
    if (reason === "exit") expect(confidenceQ15).toBeGreaterThanOrEqual(certified[exit]!);
    else expect(exit).toBe(2);
  });

  it("answer at the first exit, with all the confidence there is, where the temperature makes every answer certain", () => {
    const { patchBytes, session } = build(9, { ...SHAPE, smoothing: false, temperature: 0.01, hopPatches: 1, nClasses: 3 });
    const run = session();
    run.setPoint(always(3, { hopPatches: 1, thresholds: [32768, 32768, 32768] }));
    const seen = randomPatches(seeded(9), patchBytes, 30).map((patch) => run.pushPatch(patch).decision!);
    const sure = seen.filter((d) => d.confidenceQ15 === 32768);
    expect(sure.length).toBeGreaterThan(20);
    for (const d of seen) expect(d.why === "exit").toBe(d.confidenceQ15 === 32768);
  });

  it("refuse a set-point out of range, and keep the one in force", () => {
    const { session, patchBytes } = build(7);
    const run = session();
    run.setPoint(always(3, { hopPatches: 2 }));
    const bad: Partial<SetPoint>[] = [
      { maxExit: 3 },
      { maxExit: -1 },
      { hopPatches: 0 },
      { hopPatches: layout.LIMIT_PATCHES + 1 },
      { askIntervalHops: 0 },
      { askIntervalHops: 65536 },
      { thresholds: [layout.EXIT_NEVER + 1] },
      { thresholds: [-1] },
      { thresholds: Array(9).fill(0) },
    ];
    for (const more of bad) expect(() => run.setPoint(always(3, more))).toThrow(ModelError);
    const [first, second] = randomPatches(seeded(7), patchBytes, 2);
    expect([run.pushPatch(first!), run.pushPatch(second!)].map((r) => r.decision !== undefined)).toEqual([false, true]);
  });
});

describe("lost frames", () => {
  const { image, session } = build(8, { ...SHAPE, channels: 2, patchFrames: 3, gapLimitFrames: 4, hopPatches: 1 });
  const frames = Array.from({ length: 12 }, (_, i) => Int16Array.of(i * 300 - 900, 700 - i * 100));

  it("up to the limit are held: the same state as pushing the last frame again", () => {
    const gap = session();
    const full = session();
    for (const [i, frame] of frames.entries()) {
      const result = gap.pushFrame(frame, i < 5 ? i : i + 4);
      expect(result.held).toBe(i === 5);
      if (i === 5) for (let k = 0; k < 4; k++) full.pushFrame(frames[4]!, i + k);
      full.pushFrame(frame, i < 5 ? i : i + 4);
    }
    expect(gap.context()).toEqual(full.context());
    expect(gap.logits()).toEqual(full.logits());
  });

  it("make no decision in a held frame; the next real patch makes it", () => {
    const run = session();
    run.pushFrame(frames[0]!, 0);
    expect(run.pushFrame(frames[1]!, 4)).toMatchObject({ patch: true, held: true, decision: undefined }); // 3 held: frames 0…2, 3, and this
    expect(run.pushFrame(frames[2]!, 5)).toMatchObject({ patch: true, held: false });
    run.setPoint(always(image.exits.length, { hopPatches: 3 }));
    expect(run.pushFrame(frames[3]!, 9)).toMatchObject({ patch: true, decision: undefined });
  });

  it("past the limit reset the state; late and repeated ticks are ignored; ticks wrap", () => {
    const run = session();
    for (const [i, frame] of frames.entries()) run.pushFrame(frame, i);
    const before = run.snapshot();
    for (const tick of [11, 10, 0, (11 + 2 ** 31) >>> 0, 2 ** 32 - 1]) {
      expect(run.pushFrame(frames[0]!, tick)).toEqual({ patch: false, held: false, reset: false, ignored: true, decision: undefined });
    }
    expect(run.snapshot()).toEqual(before);
    expect(run.pushFrame(frames[0]!, 17)).toMatchObject({ reset: true, patch: false });
    const fresh = session();
    fresh.pushFrame(frames[0]!, 17);
    expect(run.snapshot()).toEqual(fresh.snapshot());

    const wrap = session();
    wrap.pushFrame(frames[0]!, 2 ** 32 - 1);
    expect(wrap.pushFrame(frames[1]!, 0)).toMatchObject({ held: false, reset: false, ignored: false });
  });

  it("of another shape, or with no tick, are refused", () => {
    const run = session();
    expect(() => run.pushFrame(Int16Array.of(1), 0)).toThrow(DataError);
    expect(() => run.pushFrame(frames[0]!, -1)).toThrow(DataError);
    expect(() => run.pushPatch(new Int8Array(5))).toThrow(DataError);
    expect(() => run.opCount(3)).toThrow(ModelError);
  });
});

describe("a snapshot", () => {
  const image = tinyImage();
  const bytes = writeImage(image);
  const patches = randomPatches(seeded(9), 12, 30);

  it("goes on as if nothing had happened, and leaves the set-point", () => {
    const first = createReferenceSession(bytes);
    for (const patch of patches.slice(0, 17)) first.pushPatch(patch);
    const second = createReferenceSession(bytes);
    second.setPoint(always(2, { hopPatches: 5 }));
    second.restore(first.snapshot());
    expect(second.context()).toEqual(first.context());
    first.setPoint(always(2, { hopPatches: 5 }));
    for (const patch of patches.slice(17)) expect(second.pushPatch(patch)).toEqual(first.pushPatch(patch));
    expect(second.snapshot()).toEqual(first.snapshot());
  });

  it("holds the last contextPatches patches, oldest first", () => {
    const run = createReferenceSession(bytes);
    expect(run.context().length).toBe(0);
    for (const [i, patch] of patches.entries()) {
      run.pushPatch(patch);
      const expected = patches.slice(Math.max(0, i + 1 - image.contextPatches), i + 1).flatMap((p) => [...p]);
      expect([...run.context()]).toEqual(expected);
    }
  });

  it("is refused with any bit wrong, of another image, or with an index that a step could not trust", () => {
    const run = createReferenceSession(bytes);
    for (const patch of patches) run.pushPatch(patch);
    const good = run.snapshot();
    for (let at = 0; at < good.length; at += 13) {
      const bad = good.slice();
      bad[at]! ^= 1 << (at % 8);
      expect(() => run.restore(bad)).toThrow(ModelError);
    }
    expect(() => run.restore(good.subarray(16))).toThrow(/this model's has/);
    expect(() => createReferenceSession(writeImage(randomImage(1, { pattern: "S" }))).restore(good)).toThrow(ModelError);
    const imageCrc32 = new DataView(good.buffer).getUint32(8, true);
    const words: [index: number, value: number][] = [
      [layout.TAIL_FRAMES_IN_PATCH, image.patchFrames],
      [layout.TAIL_HAS_TICK, 2],
      [layout.TAIL_HOPS_SINCE_ASK, 65536],
      [layout.TAIL_CONTEXT_HEAD, image.contextPatches],
      [layout.TAIL_CONTEXT_COUNT, image.contextPatches + 1],
      [layout.TAIL_RING_HEAD, image.ringPatches],
      [layout.TAIL_RING_PENDING, image.ringPatches + 2],
    ];
    for (const [index, value] of words) {
      const tail = createTail(image);
      tail.words[index] = value;
      expect(() => run.restore(writeSnapshot(tail, imageCrc32))).toThrow(/snapshot/);
    }
    const tail = createTail(image);
    tail.blocks[1]![0] = 2 * 5; // KV count = 2W
    expect(() => run.restore(writeSnapshot(tail, imageCrc32))).toThrow(/block 1 count/);
    expect(() => run.restore(writeSnapshot(createTail(image), imageCrc32 ^ 1))).toThrow(/another model image/);
    expect(run.snapshot()).toEqual(good);
  });

  it("of a fresh session is a tail of zeros but for the hops since an ask", () => {
    const run = createReferenceSession(bytes);
    const fresh = run.snapshot();
    for (const patch of patches) run.pushPatch(patch);
    run.reset();
    expect(run.snapshot()).toEqual(fresh);
    const tail = fresh.subarray(layout.SNAPSHOT_HEADER_BYTES);
    expect(tail.length).toBe(run.arenaBytes);
    expect(tail.reduce((sum, byte) => sum + byte, 0)).toBe(255 + 255);
  });
});
