import { placeholdersIn } from "../core/placeholders.ts";
import { findNames, type NameList, shippedNames } from "./find-names.ts";
import { findNumbers } from "./find-numbers.ts";
import { findStreets } from "./find-streets.ts";
import { type Finding, KINDS, type Kind } from "./finding.ts";
import { foldText } from "./folded-text.ts";

/** Takes out of texts what identifies a person, and puts it back. It lives as long as one ask; what it took out is nowhere else. */
export interface Scrubber {
  /** The text with a placeholder for each piece, such as `<PHONE_1>`. The same piece has the same placeholder in every text. */
  scrub(text: string): string;
  /** A scrubbed text, or an answer to it, with every known placeholder replaced. */
  restore(text: string): string;
  /** How many different pieces were taken out. */
  counts(): Readonly<Partial<Record<Kind, number>>>;
}

/**
 * Makes a scrubber. `restore(scrub(text))` is `text`, for any text: what looks like a placeholder is taken out as well.
 *
 *     const scrubber = createScrubber();
 *     scrubber.scrub("Call Anna at 555-013-2460"); // "Call <NAME_1> at <PHONE_1>"
 */
export function createScrubber(names: NameList = shippedNames()): Scrubber {
  const placeholders = new Map<string, string>(); // by kind and piece
  const pieces = new Map<string, string>(); // by placeholder
  const counts: Partial<Record<Kind, number>> = {};

  const placeholderOf = (kind: Kind, piece: string): string => {
    const key = `${kind} ${piece}`;
    const known = placeholders.get(key);
    if (known !== undefined) return known;
    counts[kind] = (counts[kind] ?? 0) + 1;
    const placeholder = `<${kind}_${counts[kind]}>`;
    placeholders.set(key, placeholder);
    pieces.set(placeholder, piece);
    return placeholder;
  };

  return {
    scrub(text) {
      let scrubbed = "";
      let at = 0;
      for (const { kind, start, end } of findAll(text, names)) {
        scrubbed += text.slice(at, start) + placeholderOf(kind, text.slice(start, end));
        at = end;
      }
      return scrubbed + text.slice(at);
    },
    restore: (text) => text.replace(/<[A-Z]+_\d+>/g, (placeholder) => pieces.get(placeholder) ?? placeholder),
    counts: () => ({ ...counts }),
  };
}

/** What must not leave, in order; pieces that overlap are one, of the kind that comes first in KINDS. */
function findAll(text: string, names: NameList): Finding[] {
  const folded = foldText(text);
  const found = [...findNumbers(folded.text), ...findStreets(folded.text), ...findNames(folded.text, names)]
    .filter(({ start, end }) => end > start)
    .map(({ kind, start, end }): Finding => ({ kind, start: folded.starts[start]!, end: folded.ends[end - 1]! }));
  const all = [...found, ...findPlaceholders(text)].sort((a, b) => a.start - b.start || b.end - a.end);
  const merged: Finding[] = [];
  for (const one of all) {
    const before = merged.at(-1);
    if (before === undefined || one.start >= before.end) merged.push(one);
    else merged[merged.length - 1] = { kind: firstOf(before.kind, one.kind), start: before.start, end: Math.max(before.end, one.end) };
  }
  return merged;
}

function firstOf(a: Kind, b: Kind): Kind {
  return KINDS.indexOf(a) <= KINDS.indexOf(b) ? a : b;
}

/** Text that looks like a placeholder stands for itself: an answer must not fill it with something else. */
function findPlaceholders(text: string): Finding[] {
  return [...placeholdersIn(text)].flatMap((placeholder) => {
    const found: Finding[] = [];
    for (let at = text.indexOf(placeholder); at >= 0; at = text.indexOf(placeholder, at + placeholder.length))
      found.push({ kind: "TEXT", start: at, end: at + placeholder.length });
    return found;
  });
}
