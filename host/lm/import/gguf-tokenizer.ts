import type { SplitRule, TokenizerData, TokenKind } from "../checkpoint.ts";
import type { GgufMetadata } from "./gguf-header.ts";
import { checkTokenizer, mergeIds, pieceBytes, tokenizerError } from "./token-tables.ts";

/** Kinds by ggml's number; an unused token (5) is never made from text. */
const kindsByNumber: readonly (TokenKind | undefined)[] = [undefined, "normal", "unknown", "control", "userDefined", "control", "byte"];
const splitByName: Readonly<Record<string, SplitRule>> = { "gpt-2": "gpt2", "llama-bpe": "llama3", llama3: "llama3" };

/** The tokenizer in a GGUF's metadata: `llama` (SentencePiece with scores) or `gpt2` (bytes with ranked merges). */
export function readGgufTokenizer(path: string, metadata: GgufMetadata, vocab: number): TokenizerData {
  const at = (key: string): unknown => metadata.get(`tokenizer.ggml.${key}`);
  const model = at("model");
  if (model !== "llama" && model !== "gpt2") throw tokenizerError(path, `tokenizer model ${String(model)}; llama or gpt2 expected`);
  const alphabet = model === "llama" ? "characters" : "bytes";
  const tokens = textsOf(path, "tokens", at("tokens"));
  if (tokens.length !== vocab) throw tokenizerError(path, `${tokens.length} tokens; the checkpoint has ${vocab}`, "TOKENIZER_VOCAB");
  const kinds = numbersOf(path, "token_type", at("token_type") ?? tokens.map(() => 1)).map((number) => {
    const kind = kindsByNumber[number];
    if (kind === undefined) throw tokenizerError(path, `token type ${number}; 1 to 6 expected`);
    return kind;
  });
  if (kinds.length !== vocab) throw tokenizerError(path, `${kinds.length} token types; ${vocab} expected`, "TOKENIZER_VOCAB");
  const split = model === "llama" ? "none" : splitByName[String(at("pre"))];
  if (split === undefined)
    throw tokenizerError(path, `pre-tokenizer ${String(at("pre"))}; ${Object.keys(splitByName).join(", ")} expected`, "TOKENIZER_SPLIT");
  const startsWithBos = at("add_bos_token") ?? (model === "llama" || split === "llama3");
  const bos = at("bos_token_id") ?? 1;
  const data: TokenizerData = {
    alphabet,
    pieces: tokens.map((text, id) => pieceBytes(path, text, kinds[id]!, alphabet)),
    kinds,
    merges:
      model === "llama"
        ? { by: "score", scores: Float32Array.from(numbersOf(path, "scores", at("scores"))) }
        : { by: "rank", pairs: mergeIds(path, textsOf(path, "merges", at("merges")), new Map(tokens.map((text, id) => [text, id]))) },
    split,
    keepsWholePieces: split === "llama3",
    hasSpacePrefix: (at("add_space_prefix") ?? model === "llama") === true,
    bos: startsWithBos === true ? (bos as number) : undefined,
    eos: ["eos_token_id", "eot_token_id", "eom_token_id"].map(at).filter((id) => typeof id === "number"),
  };
  return checkTokenizer(path, data, vocab);
}

function textsOf(path: string, key: string, value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw tokenizerError(path, `tokenizer.ggml.${key} is no list of text`);
}

function numbersOf(path: string, key: string, value: unknown): readonly number[] {
  if (Array.isArray(value) && value.every((item) => typeof item === "number")) return value;
  throw tokenizerError(path, `tokenizer.ggml.${key} is no list of numbers`);
}
