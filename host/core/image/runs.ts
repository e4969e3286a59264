import * as layout from "../../../assembly/layout.ts";
import { TEXT_RUNS_FORMATS } from "../../../assembly/text/layout.ts";
import { blockKinds } from "./blocks/block.ts";
import { createView, neededKinds, readFormat, readSections, SECTION_NAMES } from "./image-header.ts";

/**
 * What a core runs, RUNS_WORDS u32 as it says it: formats and block kinds (bit n = n), newest section versions (4 bits a kind, low kinds
 * first). It stands in a device's hello, in the MCUboot contract and in what `inspect` prints.
 */
export type Runs = readonly [formats: number, kinds: number, versionsLow: number, versionsHigh: number];

/** What this host reads and writes: a core beside it must run the same. */
export const hostRuns: Runs = [
  layout.RUNS_FORMATS,
  blockKinds.reduce((mask, kind) => mask | (1 << kind), 0),
  layout.SECTION_VERSIONS_LOW,
  layout.SECTION_VERSIONS_HIGH,
];

/** What the text core beside this host must run: format 2, no blocks. */
export const textRuns: Runs = [TEXT_RUNS_FORMATS, 0, layout.SECTION_VERSIONS_LOW, layout.SECTION_VERSIONS_HIGH];

/** Reads a module's export `runs`. */
export function readRuns(core: { runs(word: number): number }): Runs {
  return [core.runs(0) >>> 0, core.runs(1) >>> 0, core.runs(2) >>> 0, core.runs(3) >>> 0];
}

export function isSameRuns(a: Runs, b: Runs): boolean {
  return a.every((word, i) => word === b[i]);
}

/** RUNS_BYTES, little-endian. */
export function encodeRuns(runs: Runs): Uint8Array {
  const bytes = new Uint8Array(layout.RUNS_BYTES);
  const view = createView(bytes);
  for (const [i, word] of runs.entries()) view.setUint32(4 * i, word, true);
  return bytes;
}

/** Reads RUNS_BYTES from `at` on. */
export function decodeRuns(bytes: Uint8Array, at = 0): Runs {
  const view = createView(bytes);
  return [view.getUint32(at, true), view.getUint32(at + 4, true), view.getUint32(at + 8, true), view.getUint32(at + 12, true)];
}

function bits(mask: number): number[] {
  return Array.from({ length: 32 }, (_, i) => i).filter((i) => (mask >>> i) & 1);
}

function versionIn(runs: Runs, kind: number): number {
  return (runs[kind < 8 ? 2 : 3] >>> (4 * (kind % 8))) & 15;
}

/** The same as lists, for people and JSON; section versions above 0 alone. */
export function describeRuns(runs: Runs) {
  const newer = [...SECTION_NAMES].filter(([kind]) => versionIn(runs, kind) > 0);
  return {
    formats: bits(runs[0]),
    blockKinds: bits(runs[1]),
    sectionVersions: Object.fromEntries(newer.map(([kind, name]) => [name, versionIn(runs, kind)])),
  };
}

/** Why a core that runs `runs` would refuse an image whose header and section table are sound: a sentence, or undefined. */
export function missingFor(image: Uint8Array, runs: Runs, who = "this firmware"): string | undefined {
  const { formats, blockKinds: kinds } = describeRuns(runs);
  const format = readFormat(image);
  if (!formats.includes(format)) return `needs image format ${format}; ${who} reads ${formats.join(", ")}`;
  if (format === layout.IMAGE_FORMAT_1) return undefined; // every core that reads it runs all that it can hold
  const sections = readSections(image);
  if (sections.has(layout.SECTION_TEXT)) return `needs a text core; ${who} runs sensor models`;
  const unknown = neededKinds(image).filter((kind) => !kinds.includes(kind));
  if (unknown.length > 0) return `needs block kind ${unknown.join(", ")}; ${who} runs ${kinds.join(", ")}`;
  const view = createView(image);
  const { size } = sections;
  for (let i = 0; i < size; i++) {
    const entry = layout.IMAGE_HEADER_BYTES + i * layout.SECTION_ENTRY_BYTES;
    const [kind, version] = [view.getUint16(entry, true), view.getUint16(entry + 2, true)];
    if (version > versionIn(runs, kind))
      return `needs version ${version} of section ${SECTION_NAMES.get(kind)}; ${who} runs ${versionIn(runs, kind)}`;
  }
  return undefined;
}
