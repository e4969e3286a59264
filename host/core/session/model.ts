import { checkHeader } from "../image/image-header.ts";
import { imageHash, readImage, readSummedImage } from "../image/image-read.ts";
import type { Manifest, ModelImage } from "../image/image-types.ts";
import { ModelError } from "../system/errors.ts";
import { readWhole } from "../system/read-whole.ts";
import { type Batch, openBatch } from "./batch.ts";
import { CoreSession, measureArenaBytes } from "./core-session.ts";
import { type CoreBuild, coreWasmBytes } from "./module.ts";
import type { EngineName, Session } from "./session-types.ts";

export interface ModelOptions {
  /** Which engine runs it; all give the same bits. Default: simd. */
  readonly engine?: EngineName;
  /** Bytes of arena that the model may use. Default: what it needs. */
  readonly arenaBytes?: number;
}

/**
 * A validated model image, ready to run.
 *
 *     const model = await Model.open("agents/activity/model.dmm");
 *     const session = model.createSession();
 *     const { decision } = session.pushFrame(frame, tick);
 */
export class Model {
  readonly image: ModelImage;
  readonly engine: EngineName;
  /** Hex SHA-256 of the image. */
  readonly imageHash: string;
  readonly arenaBytes: number;
  readonly #bytes: Uint8Array;
  readonly #build: CoreBuild;

  private constructor(bytes: Uint8Array, image: ModelImage, needs: number, options: ModelOptions) {
    this.#bytes = bytes;
    this.image = image;
    this.engine = options.engine ?? "simd";
    this.#build = this.engine;
    this.imageHash = imageHash(bytes);
    this.arenaBytes = options.arenaBytes ?? needs;
    if (needs > this.arenaBytes) {
      throw new ModelError(
        "ARENA_TOO_SMALL",
        `${this.#subject()} needs ${needs} B of arena, was given ${this.arenaBytes} B. Give it more, or export it with fewer states, rings or context patches.`,
      );
    }
  }

  /** Checks the image in the core and on the host. Throws ModelError with what is wrong. */
  static load(bytes: Uint8Array, options: ModelOptions = {}): Model {
    checkHeader(bytes);
    let needs: number;
    try {
      needs = measureArenaBytes(bytes, options.engine ?? "simd", "model image"); // the core has checked the sums then
    } catch (failure) {
      readImage(bytes); // says more of what is wrong than the core can
      throw failure;
    }
    return new Model(bytes, readSummedImage(bytes), needs, options);
  }

  /** Loads a .dmm file. */
  static async open(path: string, options: ModelOptions = {}): Promise<Model> {
    let bytes: Uint8Array;
    try {
      bytes = readWhole(path);
    } catch (cause) {
      throw new ModelError("IMAGE_UNREADABLE", `cannot read the model image ${path}: check the path.`, { cause });
    }
    return Model.load(bytes, options);
  }

  get manifest(): Manifest {
    return this.image.manifest;
  }

  get imageBytes(): number {
    return this.#bytes.byteLength;
  }

  /** Size of the wasm module that runs it. */
  get wasmBytes(): number {
    return coreWasmBytes(this.#build);
  }

  /** A fresh state of its own: one wearer. */
  createSession(): Session {
    return new CoreSession(this.image, this.#bytes, this.#build, this.arenaBytes, this.#subject());
  }

  /** Many sequences in one pass, each of at most `maxPatches` patches: what a cloud worker answers with. SIMD, whatever the engine. */
  createBatch(maxPatches: number = this.image.contextPatches): Batch {
    return openBatch(this.image, this.#bytes, maxPatches, this.#subject());
  }

  #subject(): string {
    return `model ${this.image.manifest.name}`;
  }
}
