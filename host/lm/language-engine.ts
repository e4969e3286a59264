/** How the next token is chosen. */
export type Sampling = {
  /** 0 is greedy: the most probable token, the first of equals. */
  readonly temperature: number;
  /** Only the k most probable tokens; 0 for all. */
  readonly topK: number;
  /** Only the most probable tokens that together have this probability; 1 for all. */
  readonly topP: number;
};

/** What runs a language model token by token: the integer core or the float forward pass. */
export interface LanguageEngine {
  readonly name: string;
  readonly vocab: number;
  /** Bytes of the weights as they are stored. */
  readonly imageBytes: number;
  /** Bytes of keys and values. */
  readonly kvBytes: number;
  /** Most bytes held at a time, weights and state together. */
  readonly peakBytes: number;
  /** Runs tokens. */
  push(tokens: readonly number[]): void;
  /** The log probabilities (vocab,) of the token after the last; the next call overwrites them. */
  logProbabilities(): Float32Array;
  /** Chooses the token after the last, by the seed that the engine was made with. */
  choose(sampling: Sampling): number;
  /** Forgets every token. */
  reset(): void;
}
