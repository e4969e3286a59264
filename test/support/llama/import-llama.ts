import type { TestContext } from "vitest";

/** What tests use of node-llama-cpp 3.21.1. It is no dependency, so the compiler cannot read its own types. */
export interface LlamaPackage {
  getLlama(options: {
    readonly gpu: false;
    readonly build: "never";
    readonly logLevel: "error";
    readonly maxThreads: number;
  }): Promise<Llama>;
  readonly LlamaCompletion: new (options: { readonly contextSequence: LlamaSequence }) => LlamaCompletion;
}

export interface LlamaGrammar {
  readonly grammar: string;
}

export interface Llama {
  loadModel(options: { readonly modelPath: string }): Promise<LlamaModel>;
  createGrammar(options: LlamaGrammar): Promise<LlamaGrammar>;
  createGrammarForJsonSchema(schema: object): Promise<LlamaGrammar>;
  dispose(): Promise<void>;
}

interface LlamaModel {
  tokenize(text: string): readonly number[];
  createContext(options: { readonly contextSize: number }): Promise<{ getSequence(): LlamaSequence }>;
}

interface LlamaSequence {
  clearHistory(): Promise<void>;
  /** Runs tokens; where one asks for it, gives the probability of each token after it. */
  controlledEvaluate(
    input: readonly (number | readonly [number, { generateNext: { probabilities: true } }])[],
  ): Promise<readonly (undefined | { readonly next: { readonly probabilities: ReadonlyMap<number, number> } })[]>;
}

interface LlamaCompletion {
  generateCompletionWithMeta(
    prompt: string,
    options: { readonly maxTokens: number; readonly temperature: number; readonly grammar?: LlamaGrammar; onTextChunk(text: string): void },
  ): Promise<{ readonly metadata: { readonly stopReason: string } }>;
}

/** llama.cpp as `.ci/run` installs it beside this file, or skips the test; under DORMOUSE_REQUIRE_ALL=1 the tally fails it. */
export async function importLlama(context: TestContext): Promise<LlamaPackage> {
  const name = "node-llama-cpp"; // in a variable: the compiler need not find it
  try {
    return (await import(/* @vite-ignore */ name)) as LlamaPackage;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    return context.skip("node-llama-cpp not installed: .ci/run has the command");
  }
}
