import type { SplitRule } from "./checkpoint.ts";

const space = "\\p{White_Space}";
const letterOrNumber = "\\p{L}\\p{N}";

/** Words as GPT-2 cuts them: contractions, letters, numbers, the rest, spaces; a single space stays with the word after it. */
const gpt2 = new RegExp(
  ["'(?:[sdmt]|ll|ve|re)", " ?\\p{L}+", " ?\\p{N}+", ` ?[^${space}${letterOrNumber}]+`, `${space}+(?![^${space}])`, `${space}+`].join("|"),
  "gu",
);

/** As GPT-2, but numbers in threes, contractions of either case, and line ends by themselves. */
const llama3 = new RegExp(
  [
    "'(?:[sSdDmMtT]|[lL]{2}|[vV][eE]|[rR][eE])",
    `[^\\r\\n${letterOrNumber}]?\\p{L}+`,
    "\\p{N}{1,3}",
    ` ?[^${space}${letterOrNumber}]+[\\r\\n]*`,
    `${space}*[\\r\\n]+`,
    `${space}+(?![^${space}])`,
    `${space}+`,
  ].join("|"),
  "gu",
);

/** Cuts text into the stretches that pairs are merged in. Together they are the text. */
export function splitText(text: string, rule: SplitRule): string[] {
  if (text === "") return [];
  if (rule === "none") return [text];
  return text.match(rule === "gpt2" ? gpt2 : llama3) ?? [];
}
