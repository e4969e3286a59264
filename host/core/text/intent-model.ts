import * as layout from "../../../assembly/layout.ts";
import * as T from "../../../assembly/text/layout.ts";
import { align16 } from "../arithmetic/align.ts";
import { imageHash } from "../image/image-header.ts";
import { growTo, instantiateText, type TextExports } from "../session/module.ts";
import type { EngineName } from "../session/session-types.ts";
import { statusError } from "../session/status.ts";
import { DormouseError, ModelError } from "../system/errors.ts";
import { readWhole } from "../system/read-whole.ts";
import { textBytes } from "./text-bytes.ts";
import { readTextImage, type TextImage } from "./text-image.ts";
import type { TextManifest } from "./text-manifest.ts";

/** What a text means. */
export interface Intent {
  readonly intent: string; // one of the manifest's labels
  readonly probability: number; // 0…1, after temperature scaling; 0 of a text without features
  readonly isSure: boolean; // the probability reaches the image's threshold
  readonly features: number; // that were read, at most TEXT_LIMIT_FEATURES
  readonly isCut: boolean; // the text has more than was read
}

/**
 * A validated text model on the wasm core, ready to run. It keeps nothing from one text to the next.
 *
 *     const model = await IntentModel.open("agents/assistant/model.dmm");
 *     const { intent, probability } = model.classify("how long have I been sitting?");
 */
export class IntentModel {
  readonly image: TextImage;
  /** Hex SHA-256 of the image. */
  readonly imageHash: string;
  readonly imageBytes: number;
  readonly arenaBytes: number;
  readonly #core: TextExports;
  readonly #model: number;
  readonly #text: Uint8Array;
  readonly #result: Int32Array;

  private constructor(bytes: Uint8Array, build: EngineName) {
    this.image = readTextImage(bytes);
    this.imageHash = imageHash(bytes);
    this.imageBytes = bytes.byteLength;
    const core = instantiateText(build);
    const at = core.memoryBase();
    const model = align16(at + bytes.byteLength);
    growTo(core, model);
    new Uint8Array(core.memory.buffer).set(bytes, at);
    const subject = `text model ${this.image.manifest.name}`;
    const refused = core.prepare(at, bytes.byteLength, model, 0);
    if (refused !== layout.STATUS_ARENA_TOO_SMALL) throw statusError(refused, subject);
    this.arenaBytes = core.arenaUsedBytes();
    growTo(core, model + this.arenaBytes);
    const status = core.prepare(at, bytes.byteLength, model, this.arenaBytes);
    if (status !== layout.STATUS_OK) throw statusError(status, subject);
    this.#core = core;
    this.#model = model;
    const { buffer } = core.memory;
    this.#text = new Uint8Array(buffer, core.textPtr(model), T.TEXT_LIMIT_BYTES);
    this.#result = new Int32Array(buffer, core.resultPtr(model), T.RESULT_WORDS);
  }

  /** Checks the image on the host and in the core. `build`: both give the same bits. Throws ModelError with what is wrong. */
  static load(bytes: Uint8Array, build: EngineName = "simd"): IntentModel {
    return new IntentModel(bytes, build);
  }

  /** Loads a .dmm file. */
  static async open(path: string, build: EngineName = "simd"): Promise<IntentModel> {
    let bytes: Uint8Array;
    try {
      bytes = readWhole(path);
    } catch (cause) {
      if (cause instanceof DormouseError) throw cause;
      throw new ModelError("IMAGE_UNREADABLE", `cannot read the model image ${path}: check the path.`, { cause });
    }
    return IntentModel.load(bytes, build);
  }

  get manifest(): TextManifest {
    return this.image.manifest;
  }

  /** What a text means; any string has an answer. Pure: the same text gives the same bits in every build and on a device. */
  classify(text: string): Intent {
    const { bytes, isCut } = textBytes(text);
    this.#text.set(bytes);
    this.#core.classify(this.#model, bytes.length);
    const [label, q15, features, isCutHere] = this.#result;
    return {
      intent: this.image.manifest.labels[label!]!,
      probability: q15! / 32768,
      isSure: features! > 0 && q15! >= this.image.threshold,
      features: features!,
      isCut: isCut || isCutHere === 1,
    };
  }

  /** Logits of the last text, (classes) Q10; a copy. */
  logits(): Int16Array {
    return new Int16Array(this.#core.memory.buffer, this.#core.logitsPtr(this.#model), this.image.nClasses).slice();
  }

  /** Rows of the table that the last text's features hash to; a copy. */
  rows(): Uint32Array {
    return new Uint32Array(this.#core.memory.buffer, this.#core.rowsPtr(this.#model), this.#result[T.RESULT_FEATURES]!).slice();
  }
}
