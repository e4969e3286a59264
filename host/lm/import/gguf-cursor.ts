import { CheckpointError } from "./checkpoint-error.ts";
import type { WeightFile } from "./weight-file.ts";

const chunkBytes = 65_536;

/** Reads a GGUF header from front to back. Nothing is allocated by a length in the file before the file is known to be that long. */
export class GgufCursor {
  readonly #file: WeightFile;
  #at = 0;
  #chunk: DataView = new DataView(new ArrayBuffer(0));
  #chunkAt = 0;

  constructor(file: WeightFile) {
    this.#file = file;
  }

  get at(): number {
    return this.#at;
  }

  u8(what: string): number {
    return this.#take(1, what).getUint8(0);
  }

  u32(what: string): number {
    return this.#take(4, what).getUint32(0, true);
  }

  i32(what: string): number {
    return this.#take(4, what).getInt32(0, true);
  }

  f32(what: string): number {
    return this.#take(4, what).getFloat32(0, true);
  }

  f64(what: string): number {
    return this.#take(8, what).getFloat64(0, true);
  }

  /** A u64 that must be a count of what follows, at least `bytesEach` of the file for each. */
  count(what: string, bytesEach: number, most: number): number {
    const count = Number(this.#take(8, what).getBigUint64(0, true));
    const left = this.#file.byteLength - this.#at;
    if (count * bytesEach > left) throw this.#wrong(`${what} is ${count}, but ${left} bytes follow`, "CHECKPOINT_SHORT");
    if (count > most) throw this.#wrong(`${what} is ${count}; at most ${most} expected`);
    return count;
  }

  /** A u64 that counts nothing in the header. */
  u64(what: string): number {
    return Number(this.#take(8, what).getBigUint64(0, true));
  }

  text(what: string, mostBytes: number): string {
    const length = this.count(`length of ${what}`, 1, mostBytes);
    const { buffer, byteOffset } = this.#take(length, what);
    return Buffer.from(buffer, byteOffset, length).toString("utf8");
  }

  skip(bytes: number, what: string): void {
    if (this.#at + bytes > this.#file.byteLength) throw this.#wrong(`${what} takes ${bytes} bytes, more than follow`, "CHECKPOINT_SHORT");
    this.#at += bytes;
  }

  #wrong(text: string, code = "CHECKPOINT_HEADER"): CheckpointError {
    return new CheckpointError(code, `${this.#file.path}: ${text} (at byte ${this.#at}). Copy the file again, whole.`);
  }

  #take(length: number, what: string): DataView<ArrayBuffer> {
    const inChunk = this.#at - this.#chunkAt;
    if (inChunk < 0 || inChunk + length > this.#chunk.byteLength) {
      const left = this.#file.byteLength - this.#at;
      const bytes = this.#file.read(this.#at, Math.max(length, Math.min(chunkBytes, left)), what);
      this.#chunk = new DataView(bytes.buffer);
      this.#chunkAt = this.#at;
    }
    const view = new DataView(this.#chunk.buffer as ArrayBuffer, this.#at - this.#chunkAt, length);
    this.#at += length;
    return view;
  }
}
