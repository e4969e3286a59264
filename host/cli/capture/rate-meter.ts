/** Frames that the measurement looks back on: ten seconds at 50 Hz. */
const WINDOW = 512;

/** How fast frames come, and how evenly. */
export interface MeasuredRate {
  readonly hz: number;
  /** Standard deviation of the arrivals from an even beat, ms. Frames that come several at once count as uneven. */
  readonly jitterMillis: number;
  /** Time that the measurement covers. */
  readonly seconds: number;
}

/** Measures a rate by a straight line (least squares) through arrival times over frame counts, over the last 512 frames. */
export class RateMeter {
  readonly #counts = new Float64Array(WINDOW);
  readonly #millis = new Float64Array(WINDOW);
  #added = 0;

  /** A frame, `count` frames after the first, has arrived. */
  add(count: number, millis: number): void {
    const at = this.#added++ % WINDOW;
    this.#counts[at] = count;
    this.#millis[at] = millis;
  }

  /** Undefined until 16 frames have come over some time. */
  measured(): MeasuredRate | undefined {
    const n = Math.min(this.#added, WINDOW);
    if (n < 16) return undefined;
    const x = this.#counts.subarray(0, n);
    const y = this.#millis.subarray(0, n);
    const [meanX, meanY] = [meanOf(x), meanOf(y)];
    let [xx, xy, yy] = [0, 0, 0];
    for (let i = 0; i < n; i++) {
      const [dx, dy] = [x[i]! - meanX, y[i]! - meanY];
      xx += dx * dx;
      xy += dx * dy;
      yy += dy * dy;
    }
    if (xx === 0 || xy <= 0) return undefined;
    const slope = xy / xx; // ms per frame
    const oldest = this.#millis[this.#added > WINDOW ? this.#added % WINDOW : 0]!;
    const newest = this.#millis[(this.#added - 1) % WINDOW]!;
    return {
      hz: 1000 / slope,
      jitterMillis: Math.sqrt(Math.max(0, yy - slope * xy) / n),
      seconds: (newest - oldest) / 1000,
    };
  }
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
