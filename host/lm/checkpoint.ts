/**
 * What every importer makes of a checkpoint of the Llama family, and all that the float engine and the quantiser know of it. Shapes are
 * checked before a checkpoint is handed out; weights are read on demand, and a row with NaN or infinity throws when it is read.
 */

export type LlamaShape = {
  readonly dim: number;
  /** Width of the SwiGLU feed-forward layer. */
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  /** Key and value heads: heads / kvHeads query heads share one. */
  readonly kvHeads: number;
  readonly headSize: number;
  readonly vocab: number;
  /** Positions that the model was trained on. */
  readonly context: number;
  readonly ropeTheta: number;
  readonly normEpsilon: number;
  /** The head multiplies by the embedding matrix. */
  readonly tiedHead: boolean;
};

export type LlamaMatrix = "q" | "k" | "v" | "o" | "gate" | "up" | "down";

/** Names a matrix. Rows × columns, with a = heads · headSize and c = kvHeads · headSize: see `matrixSize`. */
export type MatrixName = { readonly layer: number; readonly part: LlamaMatrix } | "embedding" | "head";

/** Names the gains (dim,) of an RMSNorm. */
export type GainName = { readonly layer: number; readonly part: "attention" | "feedForward" } | "final";

/** An open checkpoint. Rows of q and k are in llama2.c's order: RoPE turns the pair (2i, 2i + 1) of a head, whatever the file's order is. */
export type LlamaCheckpoint = {
  readonly shape: LlamaShape;
  /** Rows from…to−1 of a matrix, row-major float32, to be read a few at a time; a tied "head" gives the embedding. */
  rows(name: MatrixName, from: number, to: number): Float32Array;
  gain(name: GainName): Float32Array;
  /** Closes the file. */
  close(): void;
};

/** What a token stands for. */
export const tokenKinds = ["normal", "unknown", "control", "userDefined", "byte"] as const;
export type TokenKind = (typeof tokenKinds)[number];

/** How text is cut before pairs are merged; the regular expressions are those of the models named. */
export const splitRules = ["none", "gpt2", "llama3"] as const;
export type SplitRule = (typeof splitRules)[number];

/** A byte-pair tokenizer, whatever file it was read from. `tokenizer-section.ts` writes it into an image. */
export type TokenizerData = {
  /** Merging starts from characters, with bytes for those without a token (SentencePiece), or from bytes (GPT-2). */
  readonly alphabet: "characters" | "bytes";
  /** The bytes of each token: real spaces, and one byte for a byte token. */
  readonly pieces: readonly Uint8Array[];
  readonly kinds: readonly TokenKind[];
  /** By score: the pair whose merged token has the highest score goes first. By rank: the pair that comes first in `pairs`. */
  readonly merges:
    | { readonly by: "score"; readonly scores: Float32Array }
    /** (left, right) token ids, most urgent first. */
    | { readonly by: "rank"; readonly pairs: Uint32Array };
  readonly split: SplitRule;
  /** A cut piece of text that is a token stays whole, even if no merges lead to it (Llama 3). */
  readonly keepsWholePieces: boolean;
  /** A space goes before the text. */
  readonly hasSpacePrefix: boolean;
  /** Token before every text; undefined for none. */
  readonly bos: number | undefined;
  /** Tokens that end a text. */
  readonly eos: readonly number[];
};

/** An open checkpoint and the tokenizer that belongs to it. */
export type ImportedModel = { readonly checkpoint: LlamaCheckpoint; readonly tokenizer: TokenizerData };

/** Rows and columns of a matrix. */
export function matrixSize(shape: LlamaShape, name: MatrixName): { rows: number; columns: number } {
  const { dim, hidden, vocab } = shape;
  if (typeof name === "string") return { rows: vocab, columns: dim };
  const queries = shape.heads * shape.headSize;
  const keys = shape.kvHeads * shape.headSize;
  switch (name.part) {
    case "q":
      return { rows: queries, columns: dim };
    case "k":
    case "v":
      return { rows: keys, columns: dim };
    case "o":
      return { rows: dim, columns: queries };
    case "gate":
    case "up":
      return { rows: hidden, columns: dim };
    case "down":
      return { rows: dim, columns: hidden };
  }
}
