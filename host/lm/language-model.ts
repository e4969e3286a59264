import * as layout from "../../assembly/layout.ts";
import * as lm from "../../assembly/lm/layout.ts";
import { align16 } from "../core/arithmetic/align.ts";
import { imageHash } from "../core/image/image-header.ts";
import { type CoreBuild, growTo } from "../core/session/module.ts";
import { statusError } from "../core/session/status.ts";
import { ConfigError, ModelError } from "../core/system/errors.ts";
import { readWhole } from "../core/system/read-whole.ts";
import { type LanguageImage, readLanguageImage } from "./image-read.ts";
import { LanguageSession } from "./language-session.ts";
import { instantiateLm, type LmExports, lmWasmBytes } from "./lm-module.ts";

export interface SessionOptions {
  /** Positions that attention reaches back: a multiple of 8, 8 … 1024. Default: 256. */
  readonly window?: number;
}

/**
 * A language image, ready to run. Its sessions share one copy of the weights in one instance of the core.
 *
 *     const model = LanguageModel.open("stories.dmm");
 *     const session = model.createSession({ window: 256 });
 *     session.prefill(tokens);
 *     const next = session.sample({ temperature: 0.8, topP: 0.9, seed: 1 });
 */
export class LanguageModel {
  readonly image: LanguageImage;
  readonly build: CoreBuild;
  /** Hex SHA-256 of the image. */
  readonly imageHash: string;
  readonly imageBytes: number;
  readonly #core: LmExports;
  readonly #at: number; // of the image in memory
  #end: number; // first byte that no session has
  readonly #free = new Map<number, number[]>(); // arenas of closed sessions, by their size

  private constructor(bytes: Uint8Array, build: CoreBuild) {
    this.image = readLanguageImage(bytes);
    this.build = build;
    this.imageHash = imageHash(bytes);
    this.imageBytes = bytes.byteLength;
    this.#core = instantiateLm(build);
    this.#at = this.#core.memoryBase();
    this.#end = align16(this.#at + bytes.byteLength);
    this.#grow(this.#end);
    new Uint8Array(this.#core.memory.buffer).set(bytes, this.#at);
    this.#arenaBytes(lm.LM_WINDOW_STEP); // the core's own checks
  }

  /** Checks the image on the host and in the core. Throws ModelError with what is wrong. Default build: simd. */
  static load(bytes: Uint8Array, build: CoreBuild = "simd"): LanguageModel {
    return new LanguageModel(bytes, build);
  }

  /** Loads a .dmm file. */
  static open(path: string, build: CoreBuild = "simd"): LanguageModel {
    let bytes: Uint8Array;
    try {
      bytes = readWhole(path);
    } catch (cause) {
      throw new ModelError("IMAGE_UNREADABLE", `cannot read the model image ${path}: check the path.`, { cause });
    }
    return LanguageModel.load(bytes, build);
  }

  get wasmBytes(): number {
    return lmWasmBytes(this.build);
  }

  /** A fresh state of its own. Close it when it is done: its memory goes to the next session of this size. */
  createSession(options: SessionOptions = {}): LanguageSession {
    const window = options.window ?? 256;
    if (!Number.isInteger(window) || window < lm.LM_WINDOW_STEP || window > lm.LM_LIMIT_WINDOW || window % lm.LM_WINDOW_STEP !== 0)
      throw new ConfigError(
        "BAD_WINDOW",
        `a window of ${window} positions is not possible: give a multiple of 8, 8 … ${lm.LM_LIMIT_WINDOW}.`,
      );
    const arenaBytes = this.#arenaBytes(window);
    const bytes = align16(layout.SNAPSHOT_HEADER_BYTES + arenaBytes) + arenaBytes; // the arena, and room for a snapshot
    const arena = this.#free.get(bytes)?.pop() ?? this.#end;
    if (arena === this.#end) {
      this.#grow(arena + bytes);
      this.#end = align16(arena + bytes);
    }
    const status = this.#core.prepare(this.#at, this.imageBytes, arena, arenaBytes, window);
    if (status !== layout.STATUS_OK) throw statusError(status, `language model ${this.image.manifest.name}`);
    const release = (): void => {
      const free = this.#free.get(bytes) ?? [];
      this.#free.set(bytes, [...free, arena]);
    };
    return new LanguageSession(this.#core, this.image, { arena, arenaBytes, window, release });
  }

  /** Bytes that a session needs, found by asking the core for none. */
  #arenaBytes(window: number): number {
    const status = this.#core.prepare(this.#at, this.imageBytes, this.#end, 0, window);
    if (status !== layout.STATUS_ARENA_TOO_SMALL) throw statusError(status, `language model ${this.image.manifest.name}`);
    return this.#core.arenaUsedBytes();
  }

  #grow(end: number): void {
    try {
      growTo(this.#core, end);
    } catch (cause) {
      throw new ModelError("OUT_OF_MEMORY", `${end} B of memory cannot be had: close sessions or take a smaller window.`, { cause });
    }
  }
}
