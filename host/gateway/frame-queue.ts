import type { SensorFrame } from "../agent/sensors/sensor.ts";
import type { LinkFrame } from "../link/frame.ts";
import { decodeSensor } from "../link/sensor.ts";

/** Frames that may wait for the model: five seconds at 50 Hz. */
const MAX_WAITING = 256;

/** Frames between a device that pushes and a model that pulls. Bounded: frames are dropped while it is full, and the ticks show the gap. */
export class FrameQueue implements AsyncIterable<SensorFrame> {
  /** Frames taken out. */
  taken = 0;
  /** Frames received. */
  arrived = 0;
  dropped = 0;
  /** Link frames that are not sensor frames of this agent. */
  foreign = 0;
  readonly #channels: number;
  readonly #waiting: SensorFrame[] = [];
  #isClosed = false;
  #wakeUp: (() => void) | undefined;

  constructor(channels: number) {
    this.#channels = channels;
  }

  push(frame: LinkFrame): void {
    const decoded = frame.type === "sensor" ? decodeSensor(frame.payload) : undefined;
    if (decoded?.ok !== true || decoded.value.channels !== this.#channels) {
      this.foreign++;
      return;
    }
    const { tick, samples } = decoded.value;
    for (let i = 0; i * this.#channels < samples.length; i++) {
      this.arrived++;
      if (this.#waiting.length >= MAX_WAITING) this.dropped++;
      else this.#waiting.push({ tick: (tick + i) >>> 0, frame: samples.subarray(i * this.#channels, (i + 1) * this.#channels) });
    }
    this.#go();
  }

  close(): void {
    this.#isClosed = true;
    this.#go();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SensorFrame> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        this.taken++;
        yield next;
      } else if (this.#isClosed) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wakeUp = resolve;
        });
      }
    }
  }

  #go(): void {
    this.#wakeUp?.();
    this.#wakeUp = undefined;
  }
}
