import { type FindMerge, mergePairs, type Piece } from "./byte-pair-merge.ts";
import type { TokenizerData } from "./checkpoint.ts";
import { splitText } from "./split-text.ts";

/** Text to tokens and back. */
export interface Tokenizer {
  readonly data: TokenizerData;
  /** Tokens of a text, the one that begins every text before them. No text makes a control token. */
  encode(text: string): number[];
  /** The text of whole tokens; control tokens have none. */
  decode(tokens: readonly number[]): string;
  /** Decodes token by token: a character whose bytes come in several tokens is given with the last of them. */
  stream(): TokenStream;
}

export interface TokenStream {
  /** The text that is complete with this token; often none. */
  push(token: number): string;
  /** What is left: U+FFFD for each character cut short. */
  end(): string;
}

export function createTokenizer(data: TokenizerData): Tokenizer {
  const known = new Map<string, number>(); // latin1 of the bytes → token
  const ofByte = new Int32Array(256).fill(-1);
  data.pieces.forEach((piece, token) => {
    const kind = data.kinds[token];
    if (kind === "byte") ofByte[piece[0]!] = token;
    else if ((kind === "normal" || kind === "userDefined") && piece.length > 0 && !known.has(keyOf(piece))) known.set(keyOf(piece), token);
  });
  const unknown = data.kinds.indexOf("unknown");
  const find = findMerge(data, known);
  const cutOut = userDefinedPattern(data);

  const merged = (part: string): number[] => {
    const key = keyOf(Buffer.from(part));
    const whole = known.get(key);
    if (whole !== undefined && data.keepsWholePieces) return [whole];
    const pieces =
      data.alphabet === "bytes" ? [...key].map((byte) => piece(byte)) : [...part].map((character) => piece(keyOf(Buffer.from(character))));
    return mergePairs(pieces, find).flatMap(({ token, key }) => (token === -1 ? bytesOf(key) : [token]));
  };
  const piece = (key: string): Piece => ({ token: known.get(key) ?? -1, key });
  /** A stretch without a token: its bytes' tokens, or the unknown token, or nothing, as SentencePiece and GPT-2 have it. */
  const bytesOf = (key: string): number[] => {
    const tokens = [...key].map((byte) => ofByte[byte.charCodeAt(0)]!);
    if (!tokens.includes(-1)) return tokens;
    return unknown === -1 ? [] : [unknown];
  };

  return {
    data,
    encode(text) {
      const tokens = data.bos === undefined ? [] : [data.bos];
      if (text === "") return tokens;
      const prefixed = data.hasSpacePrefix ? ` ${text}` : text;
      for (const part of cutOut === undefined ? [prefixed] : prefixed.split(cutOut)) {
        const token = cutOut?.test(part) ? known.get(keyOf(Buffer.from(part))) : undefined;
        for (const one of token === undefined ? splitText(part, data.split).flatMap(merged) : [token]) tokens.push(one);
      }
      return tokens;
    },
    decode(tokens) {
      const stream = tokenStream(data);
      return tokens.map((token) => stream.push(token)).join("") + stream.end();
    },
    stream: () => tokenStream(data),
  };
}

function findMerge(data: TokenizerData, known: ReadonlyMap<string, number>): FindMerge {
  const { merges } = data;
  if (merges.by === "score")
    return (left, right) => {
      const token = known.get(left.key + right.key);
      return token === undefined ? undefined : { token, rank: -merges.scores[token]! };
    };
  const ofPair = new Map<number, { token: number; rank: number }>();
  const pairKey = (left: number, right: number): number => left * data.pieces.length + right;
  for (let rank = 0; 2 * rank < merges.pairs.length; rank++) {
    const [left, right] = [merges.pairs[2 * rank]!, merges.pairs[2 * rank + 1]!];
    const token = known.get(keyOf(data.pieces[left]!) + keyOf(data.pieces[right]!));
    const key = pairKey(left, right);
    if (token !== undefined && !ofPair.has(key)) ofPair.set(key, { token, rank });
  }
  return (left, right) => (left.token === -1 || right.token === -1 ? undefined : ofPair.get(pairKey(left.token, right.token)));
}

/** Splits a text at its user-defined tokens, the longest first, and keeps them. */
function userDefinedPattern(data: TokenizerData): RegExp | undefined {
  const pieces = data.pieces.filter((piece, token) => data.kinds[token] === "userDefined" && piece.length > 0);
  if (pieces.length === 0) return undefined;
  const texts = pieces.map((piece) => Buffer.from(piece).toString()).sort((a, b) => b.length - a.length);
  return new RegExp(`(${texts.map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("|")})`, "u");
}

function tokenStream(data: TokenizerData): TokenStream {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let isFirst = true;
  return {
    push(token) {
      const kind = data.kinds[token];
      if (kind === "control") return "";
      const text = kind === "unknown" ? "\ufffd" : decoder.decode(data.pieces[token], { stream: true });
      const isPrefixed = isFirst && data.hasSpacePrefix && text.startsWith(" ");
      isFirst &&= text === "";
      return isPrefixed ? text.slice(1) : text;
    },
    end: () => decoder.decode(),
  };
}

function keyOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
