import { resolve } from "node:path";
import type { LoadedAgent } from "../../agent/loaded-agent.ts";
import { openDeviceSensor } from "../../agent/sensors/device-sensor.ts";
import { paced } from "../../agent/sensors/pace.ts";
import type { Sensor } from "../../agent/sensors/sensor.ts";
import { parseSensorSpec } from "../../agent/sensors/spec.ts";
import { streamSensor } from "../../agent/sensors/stream-sensor.ts";
import { IMU_CHANNELS } from "../../core/image/imu-channels.ts";
import type { Clock } from "../../core/system/clock.ts";
import { ConfigError } from "../../core/system/errors.ts";
import type { CaptureSession } from "./capture-session.ts";
import { createFrameCount } from "./frame-time.ts";
import type { MeasuredRate } from "./rate-meter.ts";
import type { RecordedChannel } from "./recording-file.ts";

/** A sample on its way into a recording. */
export interface CapturedSample {
  /** Frames since the first one, at the agent's rate; increases, and jumps where samples were lost. */
  readonly count: number;
  readonly values: readonly number[]; // in the channels' units
}

/** Where samples come from. */
export interface CaptureSource {
  readonly name: string;
  readonly channels: readonly RecordedChannel[];
  /** Whether the beat of the samples is the sensor's own and must be measured; false: they are on the agent's beat already. */
  readonly isMeasured: boolean;
  /** The sensor's own rate, where the samples are on another beat. */
  readonly rate?: () => MeasuredRate | undefined;
  /** Lets the source steer: a phone has the labels as buttons. */
  readonly attach?: (controls: CaptureControls) => void;
  readonly samples: AsyncIterable<CapturedSample>;
}

/** What a source may do with the capture that it feeds. */
export interface CaptureControls {
  readonly session: CaptureSession;
  press(key: string): void;
}

/** What a source needs of its surroundings. */
export interface CaptureSurroundings {
  readonly clock: Clock;
  readonly cwd: string;
  /** Gets a sentence when the sensor comes, goes or is not as it should be. */
  readonly tell: (text: string) => void;
  /** Ends the samples. */
  readonly signal: AbortSignal;
}

/** The channels that an agent's frames are recorded as: an IMU's in g and dps, others as counts. */
export function recordedChannels({ definition }: Pick<LoadedAgent, "definition">): readonly RecordedChannel[] {
  const { kind, channels } = definition.sensor;
  if (kind === "imu") return IMU_CHANNELS.map((one) => ({ ...one, unit: one.unit === "°/s" ? "dps" : one.unit }));
  return Array.from({ length: channels }, (_, c) => ({ name: `c${c + 1}`, unit: "", countsPerUnit: 1 }));
}

/** Opens `serial:`, `tcp:` or `replay:FILE.dls`. Throws CAPTURE_SENSOR for what is no sensor to record from. */
export function openCaptureSource(text: string, agent: LoadedAgent, around: CaptureSurroundings): CaptureSource {
  const spec = parseSensorSpec(text);
  const { rateHz, channels } = agent.definition.sensor;
  if (spec.kind === "serial" || spec.kind === "tcp")
    return sourceOf(openDeviceSensor(spec, { rateHz, channels }, around), agent, { isMeasured: true });
  if (spec.kind === "replay" && /\.dls$/i.test(spec.path)) {
    const sensor = streamSensor(resolve(around.cwd, spec.path), rateHz, channels);
    const { clock, signal } = around;
    return sourceOf({ ...sensor, [Symbol.asyncIterator]: () => paced(sensor, { clock, signal, speed: 1, hopFrames: 1 }) }, agent, {
      isMeasured: false,
    });
  }
  throw new ConfigError(
    "CAPTURE_SENSOR",
    `sensor "${text}" has nothing new to record: use serial:PATH[@BAUD], tcp:HOST:PORT, mqtt://HOST:PORT/TOPIC, replay:FILE.dls or --phone.`,
  );
}

function sourceOf(sensor: Sensor, agent: LoadedAgent, { isMeasured }: { readonly isMeasured: boolean }): CaptureSource {
  const channels = recordedChannels(agent);
  async function* samples(): AsyncGenerator<CapturedSample> {
    const countOf = createFrameCount(sensor.rateHz);
    for await (const { tick, frame } of sensor) {
      const count = countOf(tick);
      if (count !== undefined) yield { count, values: channels.map(({ countsPerUnit }, c) => frame[c]! / countsPerUnit) };
    }
  }
  return { name: sensor.name, channels, isMeasured, samples: { [Symbol.asyncIterator]: samples } };
}
