import type { TokenizerData, TokenKind } from "../checkpoint.ts";
import { bytesOfPiece } from "./byte-alphabet.ts";
import { CheckpointError } from "./checkpoint-error.ts";

/** A tokenizer file's error: what was found and what was expected. */
export function tokenizerError(path: string, what: string, code = "TOKENIZER_FORMAT"): CheckpointError {
  return new CheckpointError(code, `${path}: ${what}. Give the tokenizer that belongs to the checkpoint.`);
}

/** The bytes that a token's text stands for in its file: ▁ is SentencePiece's space, `<0x0A>` a byte token, GPT-2 has an alphabet of bytes. */
export function pieceBytes(path: string, text: string, kind: TokenKind, alphabet: TokenizerData["alphabet"]): Uint8Array {
  if (kind === "byte") {
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(text)?.[1];
    if (byte === undefined) throw tokenizerError(path, `byte token ${JSON.stringify(text)}; <0x00> to <0xFF> expected`);
    return Uint8Array.of(Number.parseInt(byte, 16));
  }
  if (kind === "normal" && alphabet === "bytes") {
    const bytes = bytesOfPiece(text);
    if (bytes === undefined) throw tokenizerError(path, `token ${JSON.stringify(text)} is not in GPT-2's alphabet of bytes`);
    return bytes;
  }
  return new TextEncoder().encode(alphabet === "characters" ? text.replaceAll("▁", " ") : text);
}

/** The (left, right) ids of merges given as text: "left right" or a pair. */
export function mergeIds(
  path: string,
  merges: readonly (string | readonly [string, string])[],
  ids: ReadonlyMap<string, number>,
): Uint32Array {
  const pairs = new Uint32Array(2 * merges.length);
  merges.forEach((merge, rank) => {
    const space = typeof merge === "string" ? merge.indexOf(" ", 1) : 0;
    const [left, right] = typeof merge === "string" ? [merge.slice(0, space), merge.slice(space + 1)] : merge;
    const [leftId, rightId] = [ids.get(left), ids.get(right)];
    if (leftId === undefined || rightId === undefined || !ids.has(left + right))
      throw tokenizerError(path, `merge ${rank}, ${JSON.stringify(merge)}, is not of tokens`, "TOKENIZER_MERGES");
    pairs.set([leftId, rightId], 2 * rank);
  });
  return pairs;
}

/** Throws if the tokenizer cannot belong to a checkpoint of `vocab` tokens, or cannot encode every text. */
export function checkTokenizer(path: string, data: TokenizerData, vocab: number): TokenizerData {
  const count = data.pieces.length;
  if (count !== vocab) throw tokenizerError(path, `${count} tokens; the checkpoint has ${vocab}`, "TOKENIZER_VOCAB");
  for (const id of [...data.eos, ...(data.bos === undefined ? [] : [data.bos])])
    if (!Number.isInteger(id) || id < 0 || id >= vocab)
      throw tokenizerError(path, `token ${id} begins or ends a text; 0 to ${vocab - 1} expected`, "TOKENIZER_VOCAB");
  if (data.merges.by === "score" && (data.merges.scores.length !== vocab || !data.merges.scores.every(Number.isFinite)))
    throw tokenizerError(path, `${data.merges.scores.length} scores; ${vocab} finite ones expected`, "TOKENIZER_VOCAB");
  const single = new Set<number>();
  data.pieces.forEach((piece, id) => {
    if (piece.length === 1 && data.kinds[id] === (data.alphabet === "bytes" ? "normal" : "byte")) single.add(piece[0]!);
  });
  if (single.size < 256 && (data.alphabet === "bytes" || !data.kinds.includes("unknown")))
    throw tokenizerError(path, `tokens for ${single.size} of 256 bytes; all expected, or an unknown token`);
  return data;
}
