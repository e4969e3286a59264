/** Numbers in a buffer that doubles. */
export class Growing {
  #buffer = new Float64Array(1024);
  length = 0;

  push(value: number): void {
    if (this.length === this.#buffer.length) {
      const grown = new Float64Array(2 * this.length);
      grown.set(this.#buffer);
      this.#buffer = grown;
    }
    this.#buffer[this.length++] = value;
  }

  values(): Float64Array {
    return this.#buffer.slice(0, this.length);
  }
}
