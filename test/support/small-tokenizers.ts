import type { TokenizerData, TokenKind } from "../../host/lm/checkpoint.ts";

const letters = [..." etaoinshrdlucmfwypvbgkjqxzETAONLB.,!?'\"-é√"];
const sample =
  "There was a little mouse that lived in the wall of a house. It slept all day, and at night it went to the kitchen: 12 crumbs on Monday, 345 on Sunday!\n\n" +
  "“I'm here,” it said, “and you're not.” Élan, naïve, Straße, Ελλάδα — the mouse didn't know what they'd mean... They'll see.";

/** <unk>, <s>, </s>, 256 byte tokens, then pairs of letters and letters, the earlier the likelier: SentencePiece's form. */
export function scoredTokenizer(vocab: number): TokenizerData {
  const pairs = letters.flatMap((a) => letters.slice(1, 12).map((b) => a + b));
  const normal = vocab - 259;
  const texts = [...pairs.slice(0, normal - letters.length), ...letters].slice(0, normal);
  const kinds: TokenKind[] = [
    "unknown",
    "control",
    "control",
    ...Array<TokenKind>(256).fill("byte"),
    ...texts.map(() => "normal" as const),
  ];
  const pieces = [
    ...["<unk>", "<s>", "</s>"].map((text) => new TextEncoder().encode(text)),
    ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
    ...texts.map((text) => new TextEncoder().encode(text)),
  ];
  return {
    alphabet: "characters",
    pieces,
    kinds,
    merges: { by: "score", scores: Float32Array.from(kinds, (_, id) => (id < 259 ? 0 : 258 - id)) },
    split: "none",
    keepsWholePieces: false,
    hasSpacePrefix: true,
    bos: 1,
    eos: [2],
  };
}

/** 256 bytes, merges learned from a few sentences, then <s> (control) and <ask> (user-defined): GPT-2's form. */
export function rankedTokenizer(vocab: number): TokenizerData {
  const pieces: number[][] = Array.from({ length: 256 }, (_, byte) => [byte]);
  const pairs: number[] = [];
  let words = sample.match(/ ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+/gu)!.map((word) => [...Buffer.from(word)]);
  while (pieces.length < vocab - 2) {
    const counts = new Map<number, number>();
    for (const word of words) for (let i = 0; i + 1 < word.length; i++) count(counts, word[i]! * 65_536 + word[i + 1]!);
    const [best] = [...counts].sort(([a, n], [b, m]) => m - n || a - b)[0]!;
    const [left, right] = [Math.floor(best / 65_536), best % 65_536];
    const id = pieces.length;
    pieces.push([...pieces[left]!, ...pieces[right]!]);
    pairs.push(left, right);
    words = words.map((word) => merged(word, left, right, id));
  }
  const specials = ["<s>", "<ask>"].map((text) => [...Buffer.from(text)]);
  return {
    alphabet: "bytes",
    pieces: [...pieces, ...specials].map((piece) => Uint8Array.from(piece)),
    kinds: [...pieces.map(() => "normal" as const), "control", "userDefined"],
    merges: { by: "rank", pairs: Uint32Array.from(pairs) },
    split: "gpt2",
    keepsWholePieces: false,
    hasSpacePrefix: false,
    bos: vocab - 2,
    eos: [vocab - 2],
  };
}

function count(counts: Map<number, number>, pair: number): void {
  counts.set(pair, (counts.get(pair) ?? 0) + 1);
}

function merged(word: readonly number[], left: number, right: number, id: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < word.length; i++) {
    const isPair = word[i] === left && word[i + 1] === right;
    out.push(isPair ? id : word[i]!);
    if (isPair) i += 1;
  }
  return out;
}
