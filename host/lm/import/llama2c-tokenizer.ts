import type { TokenizerData, TokenKind } from "../checkpoint.ts";
import { CheckpointError } from "./checkpoint-error.ts";
import type { WeightFile } from "./weight-file.ts";

const beginOfText = 1;
const endOfText = 2;
/** Longest token that is believed; llama2.c's tokenizers have tokens of a few dozen bytes. */
const pieceMaxBytes = 4096;

/**
 * Reads a llama2.c tokenizer: int32 longest token, then score (float32), length (int32) and bytes of each token. It does not say how many
 * there are: it must have as many as the checkpoint. llama2.c ends a text at token 1, which begins the next one in its training data.
 */
export function readLlama2cTokenizer(file: WeightFile, vocab: number): TokenizerData {
  const wrong = (what: string): CheckpointError =>
    new CheckpointError("TOKENIZER_VOCAB", `${file.path}: ${what}. Give the tokenizer that was exported with this checkpoint.`);
  const bytes = file.read(0, Math.min(file.byteLength, 4 + vocab * (8 + pieceMaxBytes)), "tokenizer");
  const view = new DataView(bytes.buffer);
  const scores: number[] = [];
  const pieces: Uint8Array[] = [];
  const kinds: TokenKind[] = [];
  let at = 4;
  while (pieces.length < vocab) {
    if (at + 8 > bytes.length) throw wrong(`it ends after ${pieces.length} tokens; the checkpoint has ${vocab}`);
    const score = view.getFloat32(at, true);
    const length = view.getInt32(at + 4, true);
    at += 8;
    const token = `token ${pieces.length}`;
    if (!Number.isFinite(score)) throw wrong(`${token} has the score ${score}; a finite number expected`);
    if (length < 0 || length > pieceMaxBytes || at + length > bytes.length)
      throw wrong(`${token} has ${length} bytes at ${at}; the file has ${file.byteLength}`);
    const piece = bytes.subarray(at, at + length);
    at += length;
    scores.push(score);
    const byte = /^<0x([0-9A-F]{2})>$/.exec(Buffer.from(piece).toString("latin1"))?.[1];
    kinds.push(kindOf(pieces.length, byte !== undefined));
    pieces.push(byte === undefined ? piece : Uint8Array.of(Number.parseInt(byte, 16)));
  }
  if (at !== file.byteLength) throw wrong(`${file.byteLength - at} bytes follow the last of ${vocab} tokens; none expected`);
  return {
    alphabet: "characters",
    pieces,
    kinds,
    merges: { by: "score", scores: Float32Array.from(scores) },
    split: "none",
    keepsWholePieces: false,
    hasSpacePrefix: true,
    bos: beginOfText,
    eos: [beginOfText, endOfText],
  };
}

function kindOf(id: number, isByte: boolean): TokenKind {
  if (isByte) return "byte";
  if (id === 0) return "unknown";
  return id === beginOfText || id === endOfText ? "control" : "normal";
}
