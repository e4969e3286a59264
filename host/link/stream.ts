import { decodeFrame, encodeFrame, type FrameType, type LinkFrame, MAX_PAYLOAD_BYTES, MAX_WIRE_BYTES } from "./frame.ts";
import { encodeSensor, sensorFramesPerLinkFrame } from "./sensor.ts";

/** A link stream is delimited frames one after the other: captures, replays and emulation share this one file format. */
export interface LinkDecoder {
  /** Takes the next bytes, cut anywhere. */
  push(bytes: Uint8Array): void;
  /** The stream is over: what is unfinished counts as bad. */
  end(): void;
  stats(): LinkStats;
}

export interface LinkStats {
  readonly frames: number;
  readonly bad: number; // stretches between delimiters that were no frame
  readonly badBytes: number;
}

/** Reads frames as they come, with one frame's worth of memory. After noise it goes on at the next delimiter. */
export function createLinkDecoder(on: {
  readonly onFrame: (frame: LinkFrame) => void;
  readonly onBad?: (reason: string, bytes: number) => void;
}): LinkDecoder {
  const buffer = new Uint8Array(MAX_WIRE_BYTES);
  let length = 0; // of the stretch so far; beyond the buffer it is only counted
  let frames = 0;
  let bad = 0;
  let badBytes = 0;

  const finish = () => {
    if (length === 0) return; // delimiters may repeat: senders begin with one to end any noise
    const result = decodeFrame(buffer.slice(0, Math.min(length, MAX_WIRE_BYTES)));
    if (result.ok) {
      frames++;
      on.onFrame(result.value);
    } else {
      bad++;
      badBytes += length;
      on.onBad?.(result.reason, length);
    }
    length = 0;
  };

  return {
    push(bytes) {
      for (const byte of bytes) {
        if (byte === 0) finish();
        else {
          if (length < MAX_WIRE_BYTES) buffer[length] = byte;
          length++;
        }
      }
    },
    end: finish,
    stats: () => ({ frames, bad, badBytes }),
  };
}

/** A whole recording at once. */
export function readLinkStream(bytes: Uint8Array): { readonly frames: readonly LinkFrame[] } & { readonly stats: LinkStats } {
  const frames: LinkFrame[] = [];
  const decoder = createLinkDecoder({ onFrame: (frame) => frames.push(frame) });
  decoder.push(bytes);
  decoder.end();
  return { frames, stats: decoder.stats() };
}

/** Writes a link stream: counts the sequence and splits what is too long for one frame. */
export interface LinkWriter {
  /** One message, in as many frames as it takes, all but the last marked `more`. */
  message(type: FrameType, agent: number, payload: Uint8Array): void;
  /** Consecutive sensor frames (count, channels), in as many link frames as it takes; `local-sensor` frames are the board's own. */
  sensor(agent: number, tick: number, channels: number, samples: Int16Array, type?: "sensor" | "local-sensor"): void;
  /** Sequence of the next frame, u16. */
  readonly sequence: number;
}

export function createLinkWriter(write: (bytes: Uint8Array) => void): LinkWriter {
  let sequence = 0;
  const frame = (type: FrameType, agent: number, payload: Uint8Array, more: boolean) => {
    // The board's own frames are outside the link's count.
    const isLocal = type === "local-sensor";
    write(encodeFrame({ type, sequence: isLocal ? 0 : sequence, agent, more, payload }));
    if (!isLocal) sequence = (sequence + 1) & 0xffff;
  };
  return {
    get sequence() {
      return sequence;
    },
    message(type, agent, payload) {
      let at = 0;
      for (; payload.length - at > MAX_PAYLOAD_BYTES; at += MAX_PAYLOAD_BYTES) {
        frame(type, agent, payload.subarray(at, at + MAX_PAYLOAD_BYTES), true);
      }
      frame(type, agent, payload.subarray(at), false);
    },
    sensor(agent, tick, channels, samples, type = "sensor") {
      const perFrame = sensorFramesPerLinkFrame(channels);
      for (let first = 0; first * channels < samples.length; first += perFrame) {
        const some = samples.subarray(first * channels, (first + perFrame) * channels);
        frame(type, agent, encodeSensor({ tick: (tick + first) >>> 0, channels, samples: some }), false);
      }
    },
  };
}
