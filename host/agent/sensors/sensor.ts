/** One tick of a sensor. */
export interface SensorFrame {
  /** Device frame count, u32. A jump means that frames were lost. */
  readonly tick: number;
  /** int16 counts, one a channel. Valid until the next frame is asked for. */
  readonly frame: Int16Array;
  /** Ground truth as a label name, if the sensor has it. Undefined: unknown. */
  readonly truth?: string | undefined;
}

/** The frames of a device, which come at its own pace. */
export interface DeviceFrames {
  /** Frames that have come and were kept, that the model has taken, and that came too fast. */
  progress(): { readonly arrived: number; readonly taken: number; readonly dropped: number };
  /** Ends the frames, and closes the port. */
  close(): void;
}

/** A source of frames: a recording, a synthetic wearer or a device. */
export interface Sensor extends AsyncIterable<SensorFrame> {
  /** For people, e.g. `synthetic:1`. */
  readonly name: string;
  readonly rateHz: number;
  readonly channels: number;
  /** Frames in all, of a recording. Undefined: it has no end. */
  readonly frames?: number;
  /** Of a device. Undefined: a clock must pace the frames. */
  readonly device?: DeviceFrames;
}
