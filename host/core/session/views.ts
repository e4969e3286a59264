import { align16 } from "../arithmetic/align.ts";

/** Hands out 16-aligned views of a buffer, one after the other. Views are little-endian, as every platform of Node is. */
export class Views {
  at: number;
  readonly #buffer: ArrayBuffer;

  constructor(buffer: ArrayBuffer, at = 0) {
    this.#buffer = buffer;
    this.at = at;
  }

  #take(bytes: number): number {
    const at = this.at;
    this.at += align16(bytes);
    return at;
  }

  u8(n: number): Uint8Array {
    return new Uint8Array(this.#buffer, this.#take(n), n);
  }
  s8(n: number): Int8Array {
    return new Int8Array(this.#buffer, this.#take(n), n);
  }
  s16(n: number): Int16Array {
    return new Int16Array(this.#buffer, this.#take(2 * n), n);
  }
  s32(n: number): Int32Array {
    return new Int32Array(this.#buffer, this.#take(4 * n), n);
  }
  u32(n: number): Uint32Array {
    return new Uint32Array(this.#buffer, this.#take(4 * n), n);
  }
}
