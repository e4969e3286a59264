import { MAX_QUESTION_CHARS } from "../mqtt/wire/text-ask.ts";

/** The beginning of a scrubbed text; no placeholder and no pair of surrogates is cut in two. */
export function cutScrubbed(text: string, most = MAX_QUESTION_CHARS): string {
  if (text.length <= most) return text;
  const cut = text.slice(0, most);
  const open = cut.lastIndexOf("<");
  const isOpen = open >= 0 && /^<[A-Z]*(?:_\d*)?$/.test(cut.slice(open));
  return (isOpen ? cut.slice(0, open) : cut).replace(/[\ud800-\udbff]$/, "");
}
