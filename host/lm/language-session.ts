import * as layout from "../../assembly/layout.ts";
import * as lm from "../../assembly/lm/layout.ts";
import { align16 } from "../core/arithmetic/align.ts";
import { statusError } from "../core/session/status.ts";
import { ConfigError, DataError, ModelError } from "../core/system/errors.ts";
import { scaleOf } from "./fixed-scale.ts";
import type { LanguageImage } from "./image-read.ts";
import type { LmExports } from "./lm-module.ts";

export interface SampleOptions {
  /** 0 takes the likeliest token; else 0.01 … 100. Default: 0. */
  readonly temperature?: number;
  /** How many of the likeliest tokens are kept; 0: all. Default: 0. */
  readonly topK?: number;
  /** Share of the probability that is kept, 0 … 1. Default: 1. */
  readonly topP?: number;
  /** The same seed and the same position draw the same token. Default: 0. */
  readonly seed?: number;
}

/** Where a session lives, as its model has prepared it. */
interface Arena {
  readonly arena: number;
  readonly arenaBytes: number;
  readonly window: number;
  readonly release: () => void;
}

/** A text in progress: a ring of keys and values, and the logits of the next token. Nothing is allocated after its start. */
export class LanguageSession {
  readonly window: number;
  /** Scratch and state. */
  readonly arenaBytes: number;
  /** Keys and values and their scales. */
  readonly kvBytes: number;
  /** Memory beside the image, which may be read in place from flash: static data and the arena. */
  readonly peakBytes: number;
  readonly #core: LmExports;
  readonly #image: LanguageImage;
  readonly #arena: Arena;
  readonly #snapshotAt: number;
  #bytes = new Uint8Array(0);
  #logits = new Int32Array(0);
  #isClosed = false;

  constructor(core: LmExports, image: LanguageImage, arena: Arena) {
    this.#core = core;
    this.#image = image;
    this.#arena = arena;
    this.window = arena.window;
    this.arenaBytes = arena.arenaBytes;
    this.kvBytes = core.stateBytes(arena.arena) - 4 * lm.LM_STATE_WORDS;
    this.peakBytes = core.memoryBase() + arena.arenaBytes;
    this.#snapshotAt = align16(arena.arena + arena.arenaBytes);
  }

  /** Tokens that were run since the start or the last reset. */
  get position(): number {
    return this.#state(lm.LM_STATE_POSITION);
  }

  /** Runs tokens one after the other, in chunks; the logits are those after the last. Nothing is run if a token is out of range. */
  prefill(tokens: ArrayLike<number>): void {
    for (let i = 0; i < tokens.length; i++) this.#requireToken(tokens[i]!);
    for (let at = 0; at < tokens.length; at += lm.LM_CHUNK) {
      const count = Math.min(lm.LM_CHUNK, tokens.length - at);
      const chunk = new Uint32Array(this.#memory().buffer, this.#core.tokensPtr(this.#arena.arena), count);
      for (let i = 0; i < count; i++) chunk[i] = tokens[at + i]!;
      this.#require(this.#core.prefill(this.#arena.arena, count, at + count === tokens.length ? 1 : 0));
    }
  }

  /** Runs one token. */
  step(token: number): void {
    this.#requireToken(token);
    this.#memory();
    this.#require(this.#core.step(this.#arena.arena, token));
  }

  /** (vocabulary,) of the next token, times `logitScale`; a view that the next step overwrites. */
  get logits(): Int32Array {
    this.#memory();
    return this.#logits;
  }

  /** What one unit of `logits` is. */
  get logitScale(): number {
    const { arena } = this.#arena;
    return this.#core.logitMantissa(arena) * 2 ** this.#core.logitExponent(arena);
  }

  /** Chooses the next token from the last logits; it is not run yet. Throws NOTHING_ALLOWED if the mask allows none. */
  sample(options: SampleOptions = {}): number {
    const { temperature = 0, topK = 0, topP = 1, seed = 0 } = options;
    const { arena } = this.#arena;
    const isSound = temperature === 0 || (temperature >= 0.01 && temperature <= 100);
    if (!isSound || !Number.isInteger(topK) || topK < 0 || topK >= 2 ** 31 || !(topP > 0 && topP <= 1) || !Number.isInteger(seed))
      throw new ConfigError(
        "BAD_SAMPLING",
        `cannot sample with ${JSON.stringify({ temperature, topK, topP, seed })}: temperature is 0 or 0.01 … 100, topK and seed are whole numbers, topP is above 0 and at most 1.`,
      );
    if (temperature === 0) return this.#require(this.#core.greedy(arena));
    const { mantissa, exponent } = scaleOf(Math.LOG2E / temperature);
    return this.#require(this.#core.sample(arena, mantissa, exponent, topK, Math.max(1, Math.round(topP * 65536)), seed | 0));
  }

  /** From here on only these tokens may be chosen; undefined: all. */
  setMask(allowed: Iterable<number> | undefined): void {
    const { arena } = this.#arena;
    const mask = this.#memory().subarray(this.#core.maskPtr(arena), this.#core.maskPtr(arena) + ((this.#image.vocabulary + 7) >> 3));
    mask.fill(0);
    for (const token of allowed ?? []) {
      this.#requireToken(token);
      mask[token >> 3]! |= 1 << (token & 7);
    }
    this.#core.useMask(arena, allowed === undefined ? 0 : 1);
  }

  /** As at the start: position 0 and nothing seen. The mask stays. */
  reset(): void {
    this.#memory();
    this.#core.reset(this.#arena.arena);
  }

  /** The state as bytes, the same from every build. */
  save(): Uint8Array {
    const memory = this.#memory();
    this.#core.snapshot(this.#arena.arena, this.#snapshotAt);
    return memory.slice(this.#snapshotAt, this.#snapshotAt + this.#core.snapshotBytes(this.#arena.arena));
  }

  /** Takes saved state back. Logits are not part of it: step or prefill next. Throws ModelError, the state unchanged, for bad bytes. */
  restore(saved: Uint8Array): void {
    const bytes = this.#core.snapshotBytes(this.#arena.arena);
    if (saved.byteLength !== bytes)
      throw statusError(layout.STATUS_BAD_SNAPSHOT, "snapshot", `${saved.byteLength} B, this session's has ${bytes} B`);
    this.#memory().set(saved, this.#snapshotAt);
    this.#require(this.#core.restore(this.#arena.arena, this.#snapshotAt, bytes));
  }

  /** Gives its memory to the model's next session. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#arena.release();
  }

  #state(word: number): number {
    return new DataView(this.#memory().buffer).getUint32(this.#core.statePtr(this.#arena.arena) + 4 * word, true);
  }

  /** The core's memory; another session's start may have moved it. */
  #memory(): Uint8Array {
    if (this.#isClosed) throw new ModelError("SESSION_CLOSED", "the session is closed: create another.");
    const { buffer } = this.#core.memory;
    if (this.#bytes.buffer !== buffer) {
      this.#bytes = new Uint8Array(buffer);
      this.#logits = new Int32Array(buffer, this.#core.logitsPtr(this.#arena.arena), this.#image.vocabulary);
    }
    return this.#bytes;
  }

  #requireToken(token: number): void {
    if (Number.isInteger(token) && token >= 0 && token < this.#image.vocabulary) return;
    throw new DataError("BAD_TOKEN", `token ${token} is not one of the model's 0 … ${this.#image.vocabulary - 1}. Use its own tokenizer.`);
  }

  /** A result that is not negative, or the status as an error. */
  #require(result: number): number {
    if (result >= 0) return result;
    if (result === lm.LM_STATUS_NOTHING_ALLOWED)
      throw new ModelError("NOTHING_ALLOWED", "the mask allows no token: allow at least one, or set no mask.");
    throw statusError(result, `language model ${this.#image.manifest.name}`);
  }
}
