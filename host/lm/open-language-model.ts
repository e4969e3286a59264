import { closeSync, openSync, readSync, statSync } from "node:fs";
import { ConfigError } from "../core/system/errors.ts";
import type { LlamaCheckpoint } from "./checkpoint.ts";
import { createCoreEngine } from "./core-engine.ts";
import { createFloatEngine } from "./float-engine.ts";
import { defaultWindow } from "./float-forward.ts";
import { imageCheckpoint } from "./image-checkpoint.ts";
import { openCheckpoint } from "./import/open-checkpoint.ts";
import type { LanguageEngine } from "./language-engine.ts";
import { LanguageModel } from "./language-model.ts";
import { createTokenizer, type Tokenizer } from "./tokenizer.ts";
import { decodeTokenizer } from "./tokenizer-section.ts";

/** The integer core's builds, and the float forward pass. */
export const languageEngines = ["simd", "scalar", "float"] as const;
export type LanguageEngineName = (typeof languageEngines)[number];

export type OpenOptions = {
  /** The tokenizer's file, for checkpoints that hold none. */
  readonly tokenizer?: string | undefined;
  /** Default: simd for an image, float for a checkpoint, which has no other. */
  readonly engine?: LanguageEngineName | undefined;
  /** Default 1. */
  readonly seed?: number | undefined;
  /** Positions that attention reaches back; default: the model's context, at most 1024. */
  readonly window?: number | undefined;
};

export type OpenLanguageModel = { readonly engine: LanguageEngine; readonly tokenizer: Tokenizer };

const imageMagic = "DMM1";

/** Opens a language image, or a checkpoint in float32. An image in float32 runs its dequantised weights. */
export function openLanguageModel(path: string, options: OpenOptions = {}): OpenLanguageModel {
  if (magicOf(path) !== imageMagic) return openFloat(path, options);
  if (options.tokenizer !== undefined)
    throw new ConfigError("OPTION_UNUSED", `${path} is a language image and holds its tokenizer: leave --tokenizer out.`);
  const { engine = "simd", seed = 1 } = options;
  const model = LanguageModel.open(path, engine === "scalar" ? "scalar" : "simd");
  const tokenizer = createTokenizer(decodeTokenizer(model.image.tokenizer));
  if (engine === "float") return { engine: floatEngine(path, imageCheckpoint(model.image), options), tokenizer };
  const window = options.window ?? defaultWindow(model.image);
  return { engine: createCoreEngine(model, { seed, window }), tokenizer };
}

function openFloat(path: string, options: OpenOptions): OpenLanguageModel {
  if (options.engine !== undefined && options.engine !== "float")
    throw new ConfigError(
      "ENGINE_NEEDS_IMAGE",
      `${path} is a checkpoint, which runs in float alone. Import it first: dormouse import ${path} --out model.dmm.`,
    );
  const { checkpoint, tokenizer } = openCheckpoint(path, { tokenizer: options.tokenizer });
  try {
    return { engine: floatEngine(path, checkpoint, options), tokenizer: createTokenizer(tokenizer) };
  } finally {
    checkpoint.close();
  }
}

function floatEngine(path: string, checkpoint: LlamaCheckpoint, { seed, window }: OpenOptions): LanguageEngine {
  const settings = { imageBytes: statSync(path).size, ...(seed !== undefined && { seed }), ...(window !== undefined && { window }) };
  return createFloatEngine(checkpoint, settings);
}

/** The first four bytes of a file as text; "" if it cannot be read, which whoever opens it next says. */
function magicOf(path: string): string {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    const bytes = Buffer.alloc(4);
    return bytes.toString("latin1", 0, statSync(path).isFile() ? readSync(fd, bytes, 0, 4, 0) : 0);
  } catch {
    return "";
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
