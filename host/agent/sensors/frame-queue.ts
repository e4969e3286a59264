import type { LinkFrame } from "../../link/frame.ts";
import { decodeSensor } from "../../link/sensor.ts";
import type { SensorFrame } from "./sensor.ts";

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

  /** Takes a sensor frame's samples. Returns why it is none of this agent's, or undefined. */
  push(frame: LinkFrame): string | undefined {
    const flaw = this.#take(frame);
    if (flaw !== undefined) this.foreign++;
    this.#go();
    return flaw;
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

  #take(frame: LinkFrame): string | undefined {
    if (frame.type !== "sensor") return `sends ${frame.type} frames: it decides itself. dormouse gateway passes its decisions on`;
    const decoded = decodeSensor(frame.payload);
    if (!decoded.ok) return `sent a sensor frame that cannot be read: ${decoded.reason}`;
    const { tick, samples, channels } = decoded.value;
    if (channels !== this.#channels) return `sends frames of ${channels} channels, the agent takes ${this.#channels}`;
    for (let i = 0; i * channels < samples.length; i++) {
      this.arrived++;
      if (this.#waiting.length >= MAX_WAITING) this.dropped++;
      else this.#waiting.push({ tick: (tick + i) >>> 0, frame: samples.subarray(i * channels, (i + 1) * channels) });
    }
    return undefined;
  }

  #go(): void {
    this.#wakeUp?.();
    this.#wakeUp = undefined;
  }
}
