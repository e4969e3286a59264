import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../core/system/package-root.ts";
import type { Finding } from "./finding.ts";

/** Names by list: `isCommon` if the name is an ordinary word, too, and then `isSurname` if it is a frequent one. */
export type NameList = ReadonlyMap<string, { readonly isCommon: boolean; readonly isSurname: boolean }>;

/** Surnames that follow a name: so many words with a capital. */
const MOST_FURTHER_WORDS = 3;
const TITLES = new Set(["mr", "mrs", "ms", "miss", "mx", "dr", "doctor", "prof", "professor", "sir", "madam", "nurse", "aunt", "uncle", "grandma", "grandpa", "father", "sister", "brother"]); // biome-ignore format: a list
/** Before a name that no list has, however it is written; and before one that has a capital. */
const INTRODUCTION = /\bnames? (?:is|was) $|\bname['’]s $/i;
const CALLED = /\b(?:called|named|call me) $/i;
const PARTICLES = new Set(["van", "von", "der", "den", "de", "del", "della", "di", "da", "dos", "bin", "ibn", "al", "el", "la", "le", "ter", "ten", "zu", "y"]); // biome-ignore format: a list
/** Words that begin a sentence, or stand behind a name, with a capital. */
const NEVER = new Set(["i", "i'm", "i'll", "i've", "i'd", "am", "is", "are", "was", "the", "a", "an", "what", "when", "where", "who", "why", "how", "do", "does", "did", "can", "could", "should", "will", "would", "my", "his", "her", "and", "or", "in", "on", "at", "not", "so", "too"]); // biome-ignore format: a list

let shipped: NameList | undefined;

/** The list that comes with the package: host/guard/names.txt says where it is from. Read once. */
export function shippedNames(): NameList {
  shipped ??= parseNames(readFileSync(join(packageRoot(), "host/guard/names.txt"), "utf8"));
  return shipped;
}

/** A name per line; with a capital if it is an ordinary word, too, all in capitals if it is a frequent surname besides; # begins a comment. */
export function parseNames(text: string): NameList {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.toLowerCase(), { isCommon: line !== line.toLowerCase(), isSurname: line === line.toUpperCase() }]),
  );
}

interface Word {
  readonly text: string;
  readonly bare: string; // lower case, without accents and 's
  readonly start: number;
  readonly end: number; // without 's
  readonly isCapital: boolean; // first letter alone
  readonly beginsSentence: boolean;
}

/** Names of people by list, with the surnames that follow them; what follows a title or "my name is", whether listed or not. */
export function findNames(text: string, names: NameList): Finding[] {
  const words = wordsOf(text);
  const found: Finding[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const before = words[i - 1];
    const isTitled = before !== undefined && TITLES.has(before.bare) && /^\.? ?$/.test(text.slice(before.end, word.start));
    const isShort = before !== undefined && before.bare.length <= 3; // "mr smith"; "the doctor says" names nobody
    const ahead = text.slice(Math.max(0, word.start - 20), word.start);
    const isIntroduced = !NEVER.has(word.bare) && (INTRODUCTION.test(ahead) || (word.isCapital && CALLED.test(ahead)));
    if (!isIntroduced && !(isTitled && (word.isCapital || isShort)) && !isListed(word, names)) continue;
    let last = isIntroduced ? introducedEnd(text, words, i) : i;
    for (let further = 0; further < MOST_FURTHER_WORDS; further++) {
      const next = followingName(text, words, last, names);
      if (next === undefined) break;
      last = next;
    }
    found.push({ kind: "NAME", start: word.start, end: words[last]!.end });
    i = last;
  }
  return found;
}

/** A common word is a name only where a capital sets it apart. */
function isListed(word: Word, names: NameList): boolean {
  const parts = word.bare.split("-");
  const entries = names.has(word.bare) ? [names.get(word.bare)] : parts.map((part) => names.get(part));
  if (entries.some((entry) => entry === undefined)) return false;
  const isCommon = parts.length === 1 && entries[0]!.isCommon;
  return !isCommon || (word.isCapital && !word.beginsSentence);
}

/** "my name is xander quibble.": a second word that ends the sentence belongs to the name, however it is written. */
function introducedEnd(text: string, words: readonly Word[], at: number): number {
  const next = words[at + 1];
  if (next === undefined || NEVER.has(next.bare) || text.slice(words[at]!.end, next.start) !== " ") return at;
  return /^\s*(?:$|[.,!?;])/.test(text.slice(next.end, next.end + 8)) ? at + 1 : at;
}

/** Index of the word that goes on with a name: one with a capital, behind particles or initials. */
function followingName(text: string, words: readonly Word[], last: number, names: NameList): number | undefined {
  for (let at = last + 1; at < words.length && at <= last + 3; at++) {
    const word = words[at]!;
    if (!/^(?:\.? |-)$/.test(text.slice(words[at - 1]!.end, word.start))) return undefined;
    if (word.beginsSentence && !/^.$/u.test(words[at - 1]!.text)) return undefined;
    if (word.isCapital && !NEVER.has(word.bare)) return at;
    if (at === last + 1 && (isListed(word, names) || names.get(word.bare)?.isSurname)) return at; // nicole brown
    if (!PARTICLES.has(word.bare)) return undefined;
  }
  return undefined;
}

function wordsOf(text: string): Word[] {
  return [...text.matchAll(/\p{L}[\p{L}\p{M}'’-]*/gu)].map((match) => {
    const written = match[0].replace(/['’]s?$/iu, "");
    const bare = plainLetters(written);
    const isCapital = /^\p{Lu}/u.test(written) && (written.length === 1 || written !== written.toUpperCase());
    const beginsSentence = /(?:^|[.!?:;\n])[\s"'“”‘’¿¡(]*$/u.test(text.slice(Math.max(0, match.index - 8), match.index));
    return { text: match[0], bare, start: match.index, end: match.index + written.length, isCapital, beginsSentence };
  });
}

/** Letters that no accent makes of a Latin one. */
const LETTERS: Readonly<Record<string, string>> = { ł: "l", ı: "i", ø: "o", đ: "d", æ: "ae", ß: "ss", "’": "'" };

/** Lower case without accents, as the list has names. */
function plainLetters(word: string): string {
  const bare = word.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  return bare.replace(/[łıøđæß’]/g, (letter) => LETTERS[letter]!);
}
