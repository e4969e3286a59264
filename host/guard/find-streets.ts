import { type Finding, matches } from "./finding.ts";

/** Street suffixes and their abbreviations: the frequent ones of USPS Publication 28, appendix C1, and British ones. */
const SUFFIXES =
  "alley|ally|aly|avenue|aven|ave|av|boulevard|boul|blvd|circle|circ|cir|close|court|crt|ct|cove|crescent|cres|cresent|crossing|xing|drive|driv|drv|dr|expressway|expy|freeway|fwy|garden|gardens|gdns|grove|grv|heights|hts|highway|hwy|hill|junction|jct|lane|ln|loop|manor|mews|motorway|parade|park|parkway|pkwy|pike|place|pl|plaza|plz|quay|ridge|road|rd|row|square|sqr|sq|street|strt|str|st|terrace|terr|ter|trail|trl|turnpike|tpke|view|walk|way|wharf";
/** Long enough to stand for a street without a number before it. */
const PLAIN = "avenue|boulevard|crescent|drive|lane|parkway|road|square|street|terrace";
/** Words that stand between a number and "road" in other sentences: "10 minutes down the road". */
const FILLERS =
  "a|about|all|along|am|an|and|any|are|as|at|away|before|by|cross|did|do|down|each|every|feet|for|from|had|has|have|hours?|i|in|into|is|it|its|km|kilomet(?:re|er)s?|laps|many|mins?|minutes?|meters?|metres?|miles?|more|much|my|next|no|of|off|on|or|our|out|over|pm|past|per|same|secs?|seconds?|so|some|steps?|than|that|the|then|there|this|times?|to|up|was|we|were|what|when|where|which|while|with|yards?|you|your";
/** What stands before a street's name in French, Spanish, Italian and Portuguese. */
const ROMANCE =
  "rue|avenue|boulevard|place|allée|chemin|quai|impasse|passage|voie|calle|avenida|plaza|paseo|camino|carrera|via|viale|piazza|corso|borgo|strada|vicolo|rua|travessa";
const WORD = `(?!(?:${FILLERS})[ .,])[\\p{L}\\p{N}'.-]{1,40}`;

const PATTERNS: readonly RegExp[] = [
  // 12 Baker Street, 221b north main st.
  new RegExp(`(?<![\\d:.,])\\d{1,5}[A-Za-z]?(?:[-/]\\d{1,5})?,? (?:${WORD} ){1,4}(?:${SUFFIXES})(?![\\p{L}\\p{N}])\\.?`, "giu"),
  // Baker Street
  new RegExp(`(?<![\\p{L}])(?:\\p{Lu}[\\p{L}'-]{1,40} ){1,3}(?:${capitalised(PLAIN)})(?![\\p{L}])`, "gu"),
  // on baker street
  new RegExp(`(?<=(?<![\\p{L}])(?:at|in|near|on|live|lives|to) )(?:${WORD} ){1,2}(?:${PLAIN})(?![\\p{L}])`, "giu"),
  // 1544 Elva Fords
  /(?<![\d:.,])\d{1,5}[A-Za-z]? (?!(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\p{Ll}{0,6} )\p{Lu}[\p{Ll}'’.-]{1,40}(?: \p{Lu}[\p{L}'’.-]{1,40}){1,3}/gu,
  // Hauptstraße 12a, Am Wiesenweg 3, Heinrich-Claes-Str. 544
  /(?<![\p{L}])[\p{L}-]{2,60}(?:straße|strasse|gasse)(?: ?\d{1,4} ?[a-z]?(?![\p{L}\p{N}]))?/giu,
  /(?<![\p{L}])\p{Lu}[\p{L}-]{2,60} ?(?:[Ss]traße|[Ss]trasse|[Ss]tr\.?|[Aa]llee|[Ww]eg|[Pp]latz|[Uu]fer|[Dd]amm|[Rr]ing) ?\d{1,4} ?[a-z]?(?![\p{L}\p{N}])/gu,
  /(?<![\p{L}])(?:Am|Im|An der|Auf dem|Auf der|In der|Zum|Zur|Unter den) \p{Lu}[\p{L}-]{2,60} \d{1,4} ?[a-z]?(?![\p{L}\p{N}])/gu,
  // 5, rue de la Paix; Calle Mayor 3; via Roma
  new RegExp(
    `(?:(?<!\\d)\\d{1,4},? )?(?<![\\p{L}])(?:${ROMANCE}|${capitalised(ROMANCE)})(?: (?:de|du|des|la|le|les|del|della|dei|los|las|do|da|La|Le|Les|Des)){0,3} (?:[dl]['’])?\\p{Lu}[\\p{L}'’-]{1,40}(?: \\p{Lu}[\\p{L}'’-]{1,40}){0,3}(?:,? \\d{1,4}(?!\\d))?`,
    "gu",
  ),
  // P.O. Box 12; SW1A 1AA
  /(?<![\p{L}])p\.? ?o\.? ?box \d{1,7}/giu,
  /(?<![p{L}p{N}])[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}(?![p{L}p{N}])/g,
];

/** Streets, written in the ways of English, German, French, Spanish and Italian addresses. */
export function findStreets(text: string): Finding[] {
  return PATTERNS.flatMap((pattern) => matches("STREET", pattern, text));
}

function capitalised(words: string): string {
  return words
    .split("|")
    .map((word) => word[0]!.toUpperCase() + word.slice(1))
    .join("|");
}
