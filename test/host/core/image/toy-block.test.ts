import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { instantiateSync } from "@assemblyscript/loader";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import * as layout from "../../../../assembly/layout.ts";
import type { Block } from "../../../../host/core/image/blocks/block.ts";
import { sealImage } from "../../../../host/core/image/image-header.ts";
import { readImage } from "../../../../host/core/image/image-read.ts";
import type { ModelImage } from "../../../../host/core/image/image-types.ts";
import { writeImage } from "../../../../host/core/image/image-write.ts";
import { missingFor, readRuns } from "../../../../host/core/image/runs.ts";
import { CoreSession } from "../../../../host/core/session/core-session.ts";
import type { CoreExports } from "../../../../host/core/session/module.ts";
import { packageRoot } from "../../../../host/core/system/package-root.ts";
import { randomImage } from "../../../golden/random-image.ts";
import { randomLinear } from "../../../golden/random-tensors.ts";
import { createReferenceSession } from "../../../reference/session.ts";
import { seeded } from "../../../support/random.ts";
import type { ToyBlock } from "../../../toy-block/toy.ts";

// A third block kind costs its own files and one registry file per side. Here the registries of the core (assembly/blocks/block.ts), of the
// host (host/core/image/blocks/block.ts) and of the oracle (test/reference/blocks/block.ts) get it, and nothing else is changed.

vi.mock("../../../../host/core/image/blocks/block.ts", async (original) => {
  const own = await original<typeof import("../../../../host/core/image/blocks/block.ts")>();
  const { toy } = await import("../../../toy-block/toy.ts");
  return {
    ...own,
    blockKinds: [...own.blockKinds, toy.kind],
    kindOfNumber: (kind: number) => (kind === toy.kind ? toy : own.kindOfNumber(kind)),
    findBlockKind: (block: { kind: string }) => (block.kind === "toy" ? toy : own.findBlockKind(block as Block)),
    stateBytes: (block: { kind: string }) =>
      block.kind === "toy" ? layout.STATE_HEADER_BYTES + toy.stateBytes(block as unknown as ToyBlock) : own.stateBytes(block as Block),
  };
});
vi.mock("../../../reference/blocks/block.ts", async (original) => {
  const own = await original<typeof import("../../../reference/blocks/block.ts")>();
  const { toyOracle } = await import("../../../toy-block/toy.ts");
  return {
    ...own,
    createOracle: (block: { kind: string }, views: Parameters<typeof own.createOracle>[1]) =>
      block.kind === "toy"
        ? toyOracle(block as unknown as ToyBlock, views.u32(layout.STATE_HEADER_BYTES / 4), views)
        : own.createOracle(block as Block, views),
  };
});
const core = vi.hoisted(() => ({ module: undefined as WebAssembly.Module | undefined }));
vi.mock("../../../../host/core/session/module.ts", async (original) => {
  const own = await original<typeof import("../../../../host/core/session/module.ts")>();
  return {
    ...own,
    instantiateCore: (build: Parameters<typeof own.instantiateCore>[0]) =>
      core.module === undefined ? own.instantiateCore(build) : instance(),
  };
});

function instance(): CoreExports {
  const exports = instantiateSync(core.module!, {}).exports as unknown as CoreExports;
  exports._initialize();
  return exports;
}

const folder = mkdtempSync(join(tmpdir(), "dormouse-toy-"));
let changedLines = 0;

/** The core's registry with the toy in it: an import, a bit, and a line in each of the six functions. */
function register(source: string): string {
  const bit = "(1 << L.BLOCK_KIND_ATTENTION)";
  return source
    .split("\n")
    .flatMap((line) => {
      if (line.startsWith('import * as ssm from "./ssm"')) return [line, 'import * as toy from "./toy";'];
      if (line.includes(bit)) return [line.replace(bit, `${bit} | (1 << 3)`)];
      const called = /case L\.BLOCK_KIND_SSM: (.*)$/.exec(line)?.[1];
      return called === undefined ? [line] : [line, `    case 3: ${called.replaceAll("ssm.", "toy.")}`];
    })
    .join("\n");
}

beforeAll(() => {
  cpSync(join(packageRoot(), "assembly"), join(folder, "assembly"), { recursive: true });
  const registry = join(folder, "assembly", "blocks", "block.ts");
  const before = readFileSync(registry, "utf8");
  writeFileSync(registry, register(before));
  const old = new Set(before.split("\n"));
  changedLines = register(before)
    .split("\n")
    .filter((line) => !old.has(line)).length;
  cpSync(join(packageRoot(), "test", "toy-block", "toy-core.asc"), join(folder, "assembly", "blocks", "toy.ts"));
  const asc = createRequire(import.meta.url).resolve("assemblyscript/bin/asc.js");
  const out = join(folder, "core.wasm");
  const flags = [
    "--runtime",
    "stub",
    "--exportStart",
    "_initialize",
    "--use",
    "abort=",
    "--initialMemory",
    "1",
    "--disable",
    "simd",
    "-O1",
  ];
  execFileSync(process.execPath, [asc, join(folder, "assembly", "core.ts"), ...flags, "--noAssert", "-o", out], { stdio: "pipe" });
  core.module = new WebAssembly.Module(new Uint8Array(readFileSync(out)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Blocks S T A, each with an exit behind it. */
function toyImage(seed: number): ModelImage {
  const image = randomImage(seed, { pattern: "SAA", exitsAfter: [0, 1, 2], dModel: 16 });
  const toy: ToyBlock = { kind: "toy", epsilon: 5, shift: 3, proj: randomLinear(seeded(seed), 16, 16, 32, () => 400) };
  return { ...image, blocks: [image.blocks[0]!, toy as unknown as Block, image.blocks[2]!] };
}

it("is registered on the core's side by lines of one file", () => {
  expect(changedLines).toBe(8);
  expect(readRuns(instance())[1]).toBe(0b1110);
});

it("is written, read, checked and refused by name where it is not run", () => {
  const bytes = writeImage(toyImage(1));
  expect(readImage(bytes).blocks.map(({ kind }) => kind as string)).toEqual(["ssm", "toy", "attention"]);
  expect(missingFor(bytes, [6, 0b110, 0, 0])).toBe("needs block kind 3; this firmware runs 1, 2");
  const bad = bytes.slice();
  const view = new DataView(bad.buffer);
  const blocks = view.getUint32(layout.IMAGE_HEADER_BYTES + layout.SECTION_ENTRY_BYTES + 4, true);
  view.setInt32(blocks + 4 * (layout.BLOCK_WORDS + 2), 16, true); // the toy's shift
  sealImage(bad);
  expect(() => readImage(bad)).toThrow(/shift is 16/);
});

it("runs, is snapshotted and counted: core and oracle agree to the last bit", () => {
  for (let seed = 1; seed <= 6; seed++) {
    const image = toyImage(seed);
    const bytes = writeImage(image);
    const session = new CoreSession(image, bytes, "scalar", 1 << 16, "toy");
    const oracle = createReferenceSession(bytes);
    const random = seeded(100 + seed);
    for (let t = 0; t < 40; t++) {
      const patch = Int8Array.from({ length: image.channels * image.patchFrames }, () => Math.floor(random() * 256) - 128);
      expect(session.pushPatch(patch)).toEqual(oracle.pushPatch(patch));
      expect(session.logits()).toEqual(oracle.logits());
    }
    const snapshot = session.snapshot();
    expect(Buffer.compare(snapshot, oracle.snapshot())).toBe(0);
    session.reset();
    session.restore(snapshot);
    expect(session.logits()).toEqual(oracle.logits());
    for (const exit of [0, 1, 2]) expect(session.opCount(exit)).toEqual(oracle.opCount(exit));
  }
});
